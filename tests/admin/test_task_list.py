"""The task list: filters, search, paging, empty states, cost."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring.admin import task_list
from monitoring.models import Consumer
from monitoring.queries import facets as facets_module
from monitoring.queries import reading as reading_module
from monitoring.queries.estimates import Estimate
from monitoring.queries.keyset import Place
from monitoring.queries.reading import Reading
from monitoring.queries.sorting import NEWEST_FIRST
from monitoring.queries.task_list import TaskList
from tests.factories import VIEWER_PERMISSIONS, make_task, make_user, make_worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> Client:
    client = Client()
    client.force_login(make_user("viewer", *VIEWER_PERMISSIONS))
    return client


def get(client: Client, **query: Any) -> str:
    """The page that a query leads to: links are always in the one form that people share."""
    response = client.get(reverse("admin:monitoring_task_changelist"), query, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def listed(html: str) -> list[str]:
    """The ids of the rows, in their order."""
    return re.findall(r'<tr data-task="([^"]*)"', html)


def test_newest_first_with_state_name_and_run_time(viewer: Client) -> None:
    now = timezone.now()
    make_task("old", first_seen=now - timedelta(hours=1))
    make_task("new", first_seen=now, state="RETRY", name="payments.tasks.capture", runtime=1.2449)
    html = get(viewer)
    assert listed(html) == ["new", "old"]
    assert "mon-state-retry" in html
    assert '<span class="mon-module">payments.tasks.</span>' in html
    assert "1.24\u00a0s" in html
    assert "48213, template=&#x27;order_shipped&#x27;" in html


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": ["FAILURE"]}, ["b"]),
        ({"state": ["FAILURE", "SUCCESS"]}, ["a", "b"]),
        ({"state": ["nonsense"]}, []),
        ({"-state": ["SUCCESS", "FAILURE"]}, ["c"]),
        ({"runtime": ">1m"}, ["b"]),
        ({"_runtime_from": "1m", "_runtime_to": "2h"}, ["b"]),
        ({"_retries_to": "0"}, ["a", "b"]),
        ({"_time_field": "received", "_time_from": "-1h"}, ["a"]),
        ({"sort": "first_seen"}, ["c", "b", "a"]),
        ({"sort": "-runtime"}, ["b", "a", "c"]),
        ({"sort": "runtime", "state": ["FAILURE", "REVOKED"]}, ["b", "c"]),
        ({"sort": "nonsense"}, ["a", "b", "c"]),
        ({"q": "state:failure OR queue:slow"}, ["b", "c"]),
        ({"q": ["state:failure OR queue:slow", "queue:slow"]}, ["c"]),
        ({"q": "-(name:mail.* AND state:SUCCESS)", "queue": "default"}, ["b"]),
        ({"name": "mail.send"}, ["a"]),
        ({"name": "mail.*"}, ["a", "b"]),
        ({"worker": "celery@w2"}, ["b"]),
        ({"queue": "slow"}, ["c"]),
        ({"queue": "*l*"}, ["a", "b", "c"]),
        ({"name": "mail.*", "state": "FAILURE", "worker": "celery@w2"}, ["b"]),
        ({"period": "15m"}, ["a"]),
        ({"period": "1h"}, ["a", "b"]),
        ({"period": "nonsense"}, []),
        ({"q": "mail.RECEIVE"}, ["b"]),
        ({"q": "amount", "period": "24h"}, ["c"]),
        ({"q": '"(42"', "period": "24h"}, ["b"]),
        ({"q": "id:a"}, ["a"]),
        ({"q": "nothing of this"}, []),
    ],
)
def test_filters(viewer: Client, query: dict[str, Any], found: list[str]) -> None:
    now = timezone.now()
    make_task(
        "a",
        name="mail.send",
        worker="celery@w1",
        queue="default",
        first_seen=now,
        args="()",
        kwargs="{}",
        received_at=now,
    )
    make_task("b", name="mail.receive", worker="celery@w2", queue="default", state="FAILURE", args="(42,)", runtime=90,
              kwargs="{}", first_seen=now - timedelta(minutes=30))  # fmt: skip
    make_task("c", name="pay", worker="celery@w1", queue="slow", state="REVOKED", args="()", runtime=None, retries=2,
              kwargs="{'amount': 1}", first_seen=now - timedelta(hours=2))  # fmt: skip
    assert listed(get(viewer, **query)) == found


def test_exact_times_select_and_stand_in_the_form_again(viewer: Client) -> None:
    moment = timezone.now().replace(microsecond=0) - timedelta(days=2)
    make_task("inside", first_seen=moment)
    make_task("outside", first_seen=moment + timedelta(hours=1))
    make_task("now")
    start = timezone.localtime(moment - timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M")
    html = get(
        viewer,
        _time_field="first_seen",
        _time_from=start,
        _time_to=(moment + timedelta(minutes=1)).isoformat(),
    )
    assert listed(html) == ["inside"]
    assert f'name="_time_from" value="{start}"' in html


def test_search_finds_an_id_by_its_beginning_and_whole(viewer: Client) -> None:
    whole = "9f31c2d4-07be-4f0a-9d35-51c6f8a77e02"
    make_task(whole, first_seen=timezone.now() - timedelta(days=20))
    make_task("9f31c2d5-07be-4f0a-9d35-51c6f8a77e02")
    make_task("order/7%")
    assert listed(get(viewer, q=whole)) == [whole]
    assert listed(get(viewer, q="9f31c2d4")) == [whole]
    assert listed(get(viewer, q=whole.upper())) == [whole]
    assert listed(get(viewer, q="id:9F31C2D4")) == [whole]
    assert listed(get(viewer, q="order/7%")) == ["order/7%"]
    assert listed(get(viewer, q="ORDER/7%")) == []
    assert listed(get(viewer, q="9f31c2d4", state="FAILURE")) == []


@pytest.mark.parametrize(
    "query",
    [
        {"before": "x"},
        {"before": "1,"},
        {"before": f"{10**30},x"},
        {"before": "-99999999999999999,x"},
        {"after": ",,,"},
        {"from": "9999-12-31T23:59:59+14:00"},
        {"from": "0001-01-01T00:00"},
        {"to": "2026-02-31T00:00"},
        {"q": "\0"},
        {"q": "%_\\'\""},
        {"name": "[z-a"},
        {"name": "[!"},
        {"queue": "[\\]"},
        {"q": "x" * 5000},
        {"state": "\0"},
        {"place": "WyItcnVudGltZSJd"},
        {"sort": "-runtime", "place": "x" * 3000},
        {"look": "99"},
        {"view": "\0"},
        {"view": "9" * 60},
        {"column": ["state", "password", "\0", "traceback"]},
        {"_runtime_from": "abc", "_time_from": "..", "_time_field": "secret"},
        {"runtime": "..", "-retries": ">", "first_seen": "<<"},
        {"q": ["(", ")", "OR"]},
    ],
)
def test_no_input_gives_an_error_page(viewer: Client, query: dict[str, str]) -> None:
    make_task()
    get(viewer, **query)


def test_pages_follow_each_other_without_losing_or_repeating_a_row(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    made = [make_task(f"t{n:02}", first_seen=now - timedelta(seconds=n // 3)).pk for n in range(25)]
    monkeypatch.setattr("monitoring.queries.task_list.task_list.__defaults__", (10,))
    newest_first = sorted(made, key=lambda pk: (-(int(pk[1:]) // 3), pk), reverse=True)
    pages, url = [], reverse("admin:monitoring_task_changelist") + "?queue=default"
    while url:
        html = viewer.get(url).content.decode()
        pages.append(listed(html))
        older = re.search(r'rel="next" href="([^"]+)"', html)
        url = older and reverse("admin:monitoring_task_changelist") + older[1].replace("&amp;", "&")
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [pk for page in pages for pk in page] == newest_first
    newer = re.search(r'rel="prev" href="([^"]+)"', html)
    assert newer
    back = viewer.get(reverse("admin:monitoring_task_changelist") + newer[1].replace("&amp;", "&"))
    assert listed(back.content.decode()) == pages[1]


def test_a_search_without_time_says_how_far_it_looked_and_can_go_on(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_back_to = timezone.now() - timedelta(minutes=15)
    go_on = Place(NEWEST_FIRST, (looked_back_to, ""))
    make_task("t", name="needle")

    def no_time(*_: Any) -> TaskList:
        return TaskList([], looked_back_to=looked_back_to, go_on=go_on)

    with monkeypatch.context() as patched:
        patched.setattr("monitoring.admin.task_list.find", no_time)
        html = get(viewer, queue="default")
    assert "Looked back to <time" in html
    further = re.search(r'class="mon-button" href="([^"]+)">Look further back', html)
    assert further
    assert str(go_on) in further[1]
    url = reverse("admin:monitoring_task_changelist") + further[1].replace("&amp;", "&")
    assert viewer.get(url).status_code == 200


def test_another_order_without_time_offers_to_look_longer(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = TaskList([make_task("t")], looked_back_to=timezone.now() - timedelta(minutes=15))
    patience: list[int] = []

    def no_time(_asked: Any, _sort: Any, _place: Any, reading: Reading) -> TaskList:
        patience.append(round(reading.limit / reading_module.LIMIT))
        return found

    monkeypatch.setattr("monitoring.admin.task_list.find", no_time)
    html = get(viewer, sort="-runtime")
    longer = re.search(r'href="([^"]+)">Look longer', html)
    assert longer
    viewer.get(reverse("admin:monitoring_task_changelist") + longer[1].replace("&amp;", "&"))
    assert patience == [1, 4]


def test_nothing_arrived_is_told_from_nothing_matches(viewer: Client) -> None:
    html = get(viewer)
    assert "No task has arrived yet" in html
    assert "run_event_consumer" in html
    assert "celery -A project.celery worker -E" in html
    assert "No worker has sent a heartbeat" in html
    make_task()
    html = get(viewer, state="REVOKED", period="15m")
    assert "No task matches these filters" in html
    assert "No task has arrived yet" not in html


def test_nothing_arrived_says_what_is_known(viewer: Client) -> None:
    make_worker()
    now = timezone.now()
    Consumer.objects.create(
        consumer_id="c", hostname="h", pid=1, started_at=now, reported_at=now, connected=False,
        last_error="Connection refused",
    )  # fmt: skip
    html = get(viewer)
    assert "1 worker is online" in html
    assert "The event consumer is not connected" in html
    assert "Connection refused" in html


def test_nothing_matches_says_which_part_to_drop(viewer: Client) -> None:
    make_task(state="REVOKED", first_seen=timezone.now() - timedelta(days=1))
    html = get(viewer, state="REVOKED", period="15m")
    assert "Without first seen" in html
    assert "<b>1</b> task matches" in html


def test_nothing_matches_offers_to_drop_only_what_gives_some(viewer: Client) -> None:
    make_task(state="REVOKED", first_seen=timezone.now() - timedelta(days=1))
    assert "Drop first seen" in get(viewer, state="REVOKED", period="15m")
    html = get(viewer, state="LOST", period="15m")
    assert "Drop " not in html
    assert "Clear all filters" in html


def test_chips_remove_one_part_each(viewer: Client) -> None:
    make_task()
    html = get(viewer, state=["FAILURE", "RETRY"], name="x", q="y")
    links = re.findall(r'<a href="([^"]+)" aria-label="Remove', html)
    assert [link.replace("&amp;", "&") for link in links] == [
        "?name=x&q=y",
        "?state=FAILURE&state=RETRY&q=y",
        "?state=FAILURE&state=RETRY&name=x",
    ]


def test_empty_fields_of_the_form_leave_the_address(viewer: Client) -> None:
    url = reverse("admin:monitoring_task_changelist")
    response = viewer.get(
        url + "?q=&name=shop.*&worker=&queue=&_time_from=&_time_field=first_seen&state=RETRY&state="
    )
    assert response.status_code == 302
    assert response["Location"] == url + "?name=shop.%2A&state=RETRY"
    assert viewer.get(response["Location"]).status_code == 200
    assert viewer.get(url + "?q=")["Location"] == url + "?"
    assert viewer.get(url + "?").status_code == 200


def test_the_histogram_is_there_as_a_table_with_the_same_numbers(viewer: Client) -> None:
    now = timezone.now()
    for number in range(5):
        make_task(
            f"t{number}", state="FAILURE" if number < 2 else "SUCCESS", first_seen=now - timedelta(minutes=10)
        )
    make_task("other", state="RETRY", first_seen=now - timedelta(hours=3))
    listed_page = get(viewer, name="shop.*")
    link = re.search(r'href="([^"]+)">show as table', listed_page)
    assert link
    html = viewer.get(link[1].replace("&amp;", "&")).content.decode()
    rows = re.findall(r'<tr><td class="mon-nowrap"><a href="([^"]+)">[^<]+</a></td>(.*?)</tr>', html)
    assert [re.findall(r">(\d+)<", numbers) for _, numbers in rows] == [
        ["5", "2", "0", "3"],
        ["1", "0", "1", "0"],
    ]
    address = rows[0][0].replace("&amp;", "&")
    assert set(listed(viewer.get(address, follow=True).content.decode())) == {f"t{n}" for n in range(5)}


@pytest.mark.parametrize("query", [{"q": "("}, {"state": "LOST"}, {}, {"first_seen": ">=-1h"}])
def test_a_histogram_without_numbers_says_why(viewer: Client, query: dict[str, str]) -> None:
    url = reverse("admin:monitoring_task_histogram")
    html = viewer.get(url, query).content.decode()
    assert ("mistake" if "q" in query else "No task matches" if "first_seen" in query else "") in html
    assert "<tr><td" not in html
    nobody = Client()
    nobody.force_login(make_user("nobody"))
    assert nobody.get(url, query).status_code == 403


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (Estimate(1_234), "1,234"),
        (Estimate(1_234, exact=False), "about 1,234"),
        (Estimate(100, exact=False, at_least=True), "more than 100"),
    ],
)
def test_every_number_of_matching_tasks_says_how_it_is_meant(
    viewer: Client, monkeypatch: pytest.MonkeyPatch, estimate: Estimate, words: str
) -> None:
    make_task("a")
    monkeypatch.setattr(task_list, "total", lambda *_args: estimate)
    page = re.sub(r"\s+", " ", get(viewer))
    assert f'Select all that match <span class="mon-dim">({words})</span>' in page
    assert f"All that match, {words}</p>" in page


def test_nothing_is_said_to_be_none_while_the_filter_has_a_mistake(viewer: Client) -> None:
    make_task("a")
    page = get(viewer, q="runtime:abc")
    facets = page[page.index('id="mon-facets"') :]
    assert set(re.findall(r'mon-facet-count">([^<]*)<', facets)) == {"–"}
    assert ">none<" not in facets


def test_a_facet_of_a_sample_says_so_beside_its_name(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets_module, "MOST", 3)
    for number in range(4):
        make_task(f"t{number}", state="FAILURE" if number == 0 else "SUCCESS")
    page = re.sub(r"\s+", " ", get(viewer, state="FAILURE"))
    assert re.search(r"<legend>State <span[^>]*>newest 3</span></legend>", page)
    assert "<legend>Task</legend>" in page, "it is counted whole"
