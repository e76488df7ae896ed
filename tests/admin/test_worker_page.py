"""The tabs of a worker's page: what it said, how old that is, and what it never said."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from monitoring.control import audit
from monitoring.control.actor import Actor
from monitoring.ingest.redaction_settings import configured_redactor
from monitoring.inspection.intake import take
from monitoring.models import Problem, WorkerSample, WorkerSnapshot
from monitoring.queries.visibility import Visibility
from monitoring.time_steps import HOUR, start_of
from monitoring.upkeep.worker_rollups import count_hour
from tests.factories import VIEWER_PERMISSIONS, make_task, make_user, make_worker
from tests.queries.worker_parts.answers import answers

pytestmark = pytest.mark.django_db

HOST = "celery@w1"
TABS = (
    "overview", "pool", "queues", "running", "reserved", "scheduled", "revoked", "registered", "limits",
    "configuration", "system",
)  # fmt: skip


def only_shop_add(user: Any) -> Visibility:
    return Visibility(names=("shop.add",))


def page(client: Client, tab: str = "", host: str = HOST) -> str:
    """Its text as a reader has it: entities and non-breaking spaces replaced, without places where lines may break."""
    url = reverse("admin:monitoring_worker_change", args=[host])
    response = client.get(url, {"tab": tab} if tab else {})
    assert response.status_code == 200
    return html.unescape(response.content.decode()).replace("\u00a0", " ").replace("<wbr>", "")


def said(kind: str, content: Any, **fields: Any) -> WorkerSnapshot:
    """An answer of the worker, 4 seconds ago unless told otherwise."""
    now: datetime = timezone.now()
    items = len(content) if isinstance(content, list) else None
    defaults = {
        "content": content,
        "items": items,
        "asked_at": now,
        "answered_at": now - timedelta(seconds=4),
    }
    return WorkerSnapshot.objects.create(hostname=HOST, kind=kind, **{**defaults, **fields})


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take more than ten seconds for one test."""
    monkeypatch.setattr("monitoring.admin.worker_parts.view.FRESH", timedelta(minutes=2))


@pytest.fixture
def _told(db: None) -> None:
    """A prefork worker that has answered everything."""
    make_worker(HOST)
    for kind, content in answers("prefork").items():
        said(kind, take(kind, content, configured_redactor()).content)


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_shows_a_worker_that_has_never_said_anything(admin_client: Client, tab: str) -> None:
    make_worker(HOST)
    text = page(admin_client, tab)
    assert 'aria-current="page">' in text
    assert re.search("not (?:answered|been asked)", text) or tab in ("overview", "pool")


@pytest.mark.usefixtures("_told")
@pytest.mark.parametrize(
    ("tab", "words"),
    [
        ("pool", ["celery.concurrency.prefork:TaskPool", "shop.", "sleep"]),
        ("queues", ["q-prefork", "direct"]),
        ("running", ["shop.", "sleep", "q-prefork"]),
        ("scheduled", ["shop.", "mon-ago"]),
        ("registered", ["shop.", "limited", "10/m"]),
        ("limits", ["10/m", "20.0 s", "30.0 s"]),
        ("configuration", ["task_default_queue", "Broker", "at their default", "not shown"]),
        ("system", ["Most memory", "amqp", "software -> celery"]),
    ],
)
def test_each_tab_shows_what_the_worker_said(admin_client: Client, tab: str, words: list[str]) -> None:
    text = page(admin_client, tab)
    assert "As the worker said" in text
    for word in words:
        assert word in text


@pytest.mark.usefixtures("_told")
def test_tasks_with_a_record_lead_to_their_page(admin_client: Client) -> None:
    [first, *_others] = answers("prefork")["active"]
    make_task(first["id"], name=first["name"], state="STARTED", worker=HOST)
    url = reverse("admin:monitoring_task_change", args=[first["id"]])
    text = page(admin_client, "running")
    assert f'href="{url}"' in text
    assert text.count('<tr data-task="') == len(answers("prefork")["active"])


def label_of(text: str, tab: str) -> str | None:
    """The number beside the name of a tab."""
    found = re.search(rf'{tab} <span class="mon-count">(\d+)</span>', text)
    return found and found[1]


@pytest.mark.usefixtures("_told")
def test_tasks_that_have_ended_since_the_worker_was_asked_are_not_said_to_run(admin_client: Client) -> None:
    [first, *others] = answers("prefork")["active"]
    for task in others:
        make_task(task["id"], name=task["name"], state="SUCCESS")
    running = page(admin_client, "running")
    assert running.count('<tr data-task="') == 1
    assert f'data-task="{first["id"]}"' in running
    assert label_of(running, "Running") == "1"
    assert f"Without {len(others)} tasks that have ended since the worker said so." in running
    make_task(first["id"], name=first["name"], state="RETRY")
    assert label_of(page(admin_client), "Running") == "0"
    text = page(admin_client, "running")
    assert "mon-elapsed" not in text
    assert "It runs nothing that you may see." in text
    assert "mon-elapsed" not in page(admin_client, "pool")


def test_a_process_is_idle_only_by_an_answer_that_is_fresh(admin_client: Client) -> None:
    """Where it is not, a task is shown that still runs by its events, and of the others nothing is known."""
    make_worker(HOST)
    now = timezone.now()
    began = (now - timedelta(minutes=4)).timestamp()
    for name in ("goes-on", "elsewhere"):
        make_task(
            name, name=f"shop.{name}", state="STARTED", worker="celery@w2" if name == "elsewhere" else HOST
        )
    said("stats", {"pool": {"processes": [11, 12, 13, 14]}}, answered_at=now - timedelta(seconds=33))
    active = said(
        "active",
        [
            {"id": name, "name": f"shop.{name}", "time_start": began, "worker_pid": pid}
            for pid, name in ((11, "goes-on"), (12, "no-record"), (13, "elsewhere"))
        ],
        answered_at=now - timedelta(minutes=3),
    )
    text = page(admin_client, "pool")
    assert ">goes-on<" in text
    assert "elsewhere" not in text
    assert (text.count(">not known<"), text.count(">idle<")) == (3, 0)
    assert re.search(r"As the worker said \d+ s ago, in part 3 min ago\.", re.sub("</?time[^>]*>", "", text))

    WorkerSnapshot.objects.update(answered_at=now)
    text = page(admin_client, "pool")
    assert ">goes-on<" in text
    assert ">no-record<" in text
    assert (text.count(">not known<"), text.count(">idle<")) == (0, 2)
    assert re.search(r"As the worker said [^,]*\.", re.sub("</?time[^>]*>", "", text))
    active.delete()
    assert page(admin_client, "pool").count(">not known<") == 4


@pytest.mark.usefixtures("_told")
def test_tabs_count_what_the_worker_has(admin_client: Client) -> None:
    text = page(admin_client)
    count = len(answers("prefork")["active"])
    assert re.search(rf'Running <span class="mon-count">{count}</span>', text)


@pytest.mark.usefixtures("_told")
def test_tasks_that_have_started_since_the_worker_was_asked_are_not_said_to_wait(
    admin_client: Client,
) -> None:
    for kind, tab in (("reserved", "Reserved"), ("scheduled", "Scheduled")):
        [begun, waits] = [task.get("request", task) for task in answers("prefork")[kind]]
        make_task(begun["id"], name=begun["name"], state="STARTED", worker=HOST)
        make_task(waits["id"], name=waits["name"], state="RETRY")
        text = page(admin_client, kind)
        assert f'data-task="{waits["id"]}"' in text
        assert f'data-task="{begun["id"]}"' not in text
        assert "Without 1 task that has started or ended since the worker said so." in text
        assert label_of(text, tab) == "1"


def test_what_was_delivered_once_more_waits_whatever_became_of_its_first_run(admin_client: Client) -> None:
    make_worker(HOST)
    make_task("again", state="SUCCESS")
    said("reserved", [{"id": "again", "name": "shop.add", "delivery_info": {"redelivered": True}}])
    said("active", [{"id": "again", "name": "shop.add", "time_start": timezone.now().timestamp()}])
    assert 'data-task="again"' in page(admin_client, "reserved")
    assert 'data-task="again"' in page(admin_client, "running"), "it was started again after it had ended"


@pytest.mark.parametrize(("seconds", "is_old"), [(5, False), (15, True)])
def test_a_page_with_an_old_answer_asks_at_once(admin_client: Client, seconds: int, is_old: bool) -> None:
    make_worker(HOST)
    asked_at = timezone.now() - timedelta(seconds=seconds)
    said("active", [], asked_at=asked_at, answered_at=asked_at)
    assert ("data-old" in page(admin_client, "running")) is is_old


@pytest.mark.usefixtures("_told")
def test_tasks_of_an_old_answer_are_counted_only_where_its_age_is_told(admin_client: Client) -> None:
    WorkerSnapshot.objects.update(answered_at=timezone.now() - timedelta(minutes=3))
    assert label_of(page(admin_client), "Running") is None
    assert label_of(page(admin_client, "running"), "Running") == str(len(answers("prefork")["active"]))


def test_a_worker_that_does_not_answer_shows_what_it_said_last_and_since_when(admin_client: Client) -> None:
    make_worker(HOST)
    said(
        "active_queues",
        [{"name": "mail"}],
        answered_at=timezone.now() - timedelta(minutes=4),
        problem=Problem.SILENT,
    )
    text = page(admin_client, "queues")
    assert "did not answer in time" in text
    assert "4 min ago" in text
    assert "mail" in text


def test_an_answer_of_any_shape_is_shown_or_left_out_and_is_no_error(admin_client: Client) -> None:
    make_worker(HOST)
    for kind, content in {
        "stats": ["<script>alert(1)</script>"],
        "active": [{"id": "<script>alert(1)</script>", "name": {"a": 1}, "args": None, "kwargs": 7}, 3, None],
        "active_queues": [{"name": "<script>alert(1)</script>", "exchange": []}],
        "registered": ["<script>alert(1)</script> [rate_limit=]", 5],
        "conf": {"<script>alert(1)</script>": {"a": [1, {"b": None}]}},
        "report": "<script>alert(1)</script>",
        "scheduled": {"eta": 3},
        "revoked": [None, "<script>alert(1)</script>"],
    }.items():
        said(kind, content)
    for tab in TABS:
        url = reverse("admin:monitoring_worker_change", args=[HOST])
        response = admin_client.get(url, {"tab": tab})
        assert response.status_code == 200, tab
        assert b"<script>alert" not in response.content, tab


@pytest.mark.parametrize("name", ["celery@a/b/c", "ü@ö", "x" * 255, 'a"b@<i>'])
def test_any_host_name_has_a_page(admin_client: Client, name: str) -> None:
    worker = make_worker(name)
    listed = admin_client.get(reverse("admin:monitoring_worker_changelist")).content.decode()
    url = re.search(r'<a class="mon-function" href="([^"]+)"', listed)
    assert url is not None
    response = admin_client.get(html.unescape(url[1]))
    assert response.status_code == 200
    assert html.escape(worker.hostname) in response.content.decode()


def test_arguments_need_the_permission(client: Client) -> None:
    make_worker(HOST)
    said("active", [{"id": "a", "name": "shop.pay", "args": ["4711-secret"], "kwargs": {}}])
    client.force_login(make_user("some", "view_worker"))
    assert "4711-secret" not in page(client, "running")
    client.force_login(make_user("more", *VIEWER_PERMISSIONS))
    assert "4711-secret" in page(client, "running")


def test_a_limited_user_sees_their_own_tasks_and_no_figures(client: Client, settings: Any) -> None:
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.only_shop_add"}
    make_worker(HOST, processed=4_711_000)
    make_task("mine", name="shop.add", state="STARTED", worker=HOST)
    make_task("theirs", name="other.secret", state="STARTED", worker=HOST)
    said("active", [{"id": "mine", "name": "shop.add"}, {"id": "theirs", "name": "other.secret"}])
    said("registered", ["shop.add", "other.secret"])
    said("stats", {"total": {"other.secret": 3}})
    client.force_login(make_user("viewer", *VIEWER_PERMISSIONS))
    for tab in TABS:
        text = page(client, tab)
        assert "other.secret" not in text, tab
        assert "4,711,000" not in text, tab
    assert 'data-task="mine"' in page(client, "running")


def test_charts_have_the_numbers_as_a_table_and_say_which_bucket_is_filling(admin_client: Client) -> None:
    make_worker(HOST)
    minute = timezone.now().replace(second=0, microsecond=0)
    for ago, load in ((0, 3.25), (1, 2.5), (30, 1.75)):
        WorkerSample.objects.create(
            hostname=HOST, minute=minute - timedelta(minutes=ago), active=2, most_active=4, load_1=load
        )
    text = page(admin_client)
    for value in ("3.25", "2.5", "1.75"):
        assert f'<td class="mon-number">{value}</td>' in text
    assert "filling" in text
    assert text.count("data-chart=") == 3
    assert "Running, as each minute began" in text, "of one heartbeat there is no mean"
    assert "Running, mean" not in text


def test_the_range_of_the_charts_is_in_the_address(admin_client: Client) -> None:
    make_worker(HOST)
    url = reverse("admin:monitoring_worker_change", args=[HOST])
    text = admin_client.get(url, {"range": "24h", "tab": "pool"}).content.decode()
    chosen = re.search(
        r'<a href="([^"]*)" aria-current="true">24\u00a0h|<a href="([^"]*)" aria-current="true">24 h', text
    )
    assert chosen
    assert "tab=pool" in chosen[0]
    for query in ({"from": "nonsense"}, {"from": "2026-01-01T00:00:00Z", "to": "1999-01-01"}, {"range": "x"}):
        assert admin_client.get(url, query).status_code == 200


def test_thirty_days_are_drawn_from_hours(admin_client: Client) -> None:
    make_worker(HOST)
    hour = start_of(datetime.now(UTC) - timedelta(days=20), HOUR)
    for ago in range(3):
        at = hour - timedelta(hours=ago)
        WorkerSample.objects.create(hostname=HOST, minute=at, active=2, most_active=4, load_1=3.25 + ago)
        count_hour("default", at, final=True)
    WorkerSample.objects.all().delete()
    url = reverse("admin:monitoring_worker_change", args=[HOST])
    text = admin_client.get(url, {"range": "30d"}).content.decode()
    assert re.search(r'aria-current="true">30\s', text)
    assert "Running, mean" in text
    assert re.search(r'<td class="mon-number">[345]\.\d*</td>', text)
    assert '<td class="mon-number">4</td>' in text


def test_a_wrong_clock_a_double_name_and_restarts_are_said(admin_client: Client) -> None:
    make_worker(HOST, clock_skew=-32_400.0, duplicate_pids=[17, 18], restarts=3)
    text = page(admin_client)
    assert "Its clock is 9 h 00 min ahead" in text
    assert "process ids 17, 18" in text
    assert "Restarts in 24 h" in text
    make_worker("celery@fine", clock_skew=0.2)
    assert "Its clock is" not in page(admin_client, host="celery@fine")


def test_asking_again_needs_only_to_see_workers_and_is_no_error_for_one_that_is_offline(
    client: Client,
) -> None:
    make_worker(HOST, online=False)
    url = reverse("admin:monitoring_worker_refresh", args=[HOST])
    client.force_login(make_user("nobody"))
    assert client.post(url, {"tab": "queues"}).status_code == 403
    client.force_login(make_user("viewer", "view_worker"))
    back = reverse("admin:monitoring_worker_change", args=[HOST]) + "?tab=queues"
    response = client.post(url, {"tab": "queues", "next": back})
    assert (response.status_code, response["Location"]) == (302, back)
    assert client.post(url, {"tab": "queues", "next": "https://evil.example/"})["Location"].startswith(
        "/admin/"
    )
    assert client.post(url, {"tab": "queues"}, headers={"accept": "application/json"}).status_code == 204
    assert client.get(url).status_code == 405


@pytest.mark.usefixtures("_told")
def test_the_configuration_folds_long_values_and_calls_an_address_of_nothing_a_default(
    admin_client: Client,
) -> None:
    WorkerSnapshot.objects.filter(kind="conf").delete()
    conf = {
        "broker_url": "redis://:secret@cache:6379/0",
        "broker_read_url": "amqp://guest:********@localhost:5672//",
        "task_queues": [{"name": f"queue-{number}"} for number in range(40)],
    }
    said("conf", take("conf", conf, configured_redactor()).content)
    [broker, routing] = re.findall(r'<section class="mon-panel" aria-labelledby="mon-settings-.*?</section>', page(
        admin_client, "configuration"
    ), re.DOTALL)  # fmt: skip
    changed, at_default = broker.split("<details", 1)
    assert "broker_url" in changed
    assert "broker_read_url" not in changed
    assert "broker_read_url" in at_default
    assert "queue-39" not in routing.split("</summary>")[0]
    assert "queue-39" in routing.split("</summary>")[1]


@pytest.mark.usefixtures("_told")
def test_the_figures_of_the_process_have_words_and_do_not_contradict_each_other(admin_client: Client) -> None:
    WorkerSnapshot.objects.filter(kind__in=["stats", "memsample"]).delete()
    said("stats", {"pid": 1, "rusage": {"maxrss": 123 * 1024, "inblock": 56, "nivcsw": 15_148, "zork": 3}})
    said("memsample", "124.00MB")
    text = page(admin_client, "system")
    facts = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", text))
    assert facts["Memory now"] == facts["Most memory"] == "130 MB"
    assert facts["Reads from disk"] == "56"
    assert facts["Context switches, involuntary"] == "15,148"
    assert facts["zork"] == "3"
    assert facts["Architecture"] == "64bit"
    assert facts["Python"] == "3.11.7"


@pytest.mark.parametrize(("others", "words"), [(1, "with 1 other worker<"), (2, "with 2 other workers<")])
def test_what_was_done_to_this_worker_and_others_says_how_many(
    admin_client: Client, others: int, words: str
) -> None:
    make_worker(HOST)
    targets = [HOST, *(f"celery@other-{number}" for number in range(others))]
    audit.begin(Actor(User.objects.get(username="admin")), "ping", "worker", targets)
    assert words in page(admin_client)


@pytest.mark.usefixtures("_told")
def test_number_of_queries_does_not_grow_with_tasks(admin_client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(admin_client, "running")
        return len(captured)

    few = queries()
    WorkerSnapshot.objects.filter(hostname=HOST, kind="active").delete()
    said("active", [{"id": f"t{number}", "name": "shop.add"} for number in range(150)])
    for number in range(150):
        make_task(f"t{number}", name="shop.add", state="STARTED", worker=HOST)
    assert queries() <= few + 1
