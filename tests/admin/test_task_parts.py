"""The parts of a task's page: its exception, values, family, runs, list, result, raw JSON and audit."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.utils import quote
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_results.models import TaskResult

from monitoring.control import audit
from monitoring.control.actor import Actor
from monitoring.ingest.text import ends_of_traceback
from monitoring.models import Task
from monitoring.queries.reading import OutOfTime
from monitoring.queries.visibility import Visibility
from tests import task_examples
from tests.admin.test_hostile_text import EVIL, IDS, SCRIPT
from tests.factories import make_event, make_task, make_user

pytestmark = pytest.mark.django_db
BACKEND = "tests.admin.watched_results.app"


def page_of(client: Client, task_id: str, **query: Any) -> str:
    response = client.get(reverse("admin:monitoring_task_change", args=[quote(task_id)]), query)
    assert response.status_code == 200
    return unescape(response.content.decode()).replace("\u00a0", " ")


def test_own_frames_are_open_and_libraries_folded_innermost_first(admin_client: Client) -> None:
    task_examples.failed_in_a_family()
    html = page_of(admin_client, task_examples.FAILED)
    assert html.index("payments/gateway.py</b>:118") < html.index("payments/tasks.py</b>:64")
    assert html.index("payments/tasks.py</b>:64") < html.index("2 frames in celery")
    assert html.count('<details class="mon-frame mon-frame-own" open>') == 1
    assert "caused by <b>requests.exceptions.ReadTimeout</b>" in html.replace("\n", "")


@override_settings(MONITORING={"OWN_CODE": ["*/site-packages/celery/*"]})
def test_own_code_is_what_the_setting_says(admin_client: Client) -> None:
    task_examples.failed_in_a_family()
    html = page_of(admin_client, task_examples.FAILED)
    assert "2 frames in celery" not in html
    assert "2 frames in payments" in html


def test_each_attempt_has_its_own_exception(admin_client: Client) -> None:
    task = make_task(state="FAILURE", exception="B('last')", exception_type="B", traceback="text of the last")
    make_event(task, "task-received", 1, retries=0)
    make_event(task, "task-retried", 2, exception="A('first')", traceback="text of the first")
    make_event(task, "task-received", 3, retries=1)
    make_event(task, "task-failed", 4, exception="B('last')", traceback="text of the last")
    shown = page_of(admin_client, task.pk)
    assert 'id="mon-traceback" tabindex="0" aria-label="Traceback" role="region">text of the last' in shown
    first = page_of(admin_client, task.pk, attempt="1")
    assert 'role="region">text of the first' in first
    assert 'role="region">text of the last' in page_of(admin_client, task.pk, attempt="99999x")


def test_a_traceback_that_lost_its_end_still_says_what_was_raised(admin_client: Client) -> None:
    text = 'Traceback (most recent call last):\n  File "/srv/a.py", line 1, in f\n    x… [cut: 70,000 characters]'
    task = make_task(state="FAILURE", exception="Full('no space')", exception_type="Full", traceback=text)
    html = page_of(admin_client, task.pk)
    assert '<p class="mon-raised"><b>Full</b>: no space</p>' in html
    assert "name of the exception was cut off" not in html


def test_source_around_a_frame_is_shown_where_the_file_has_its_line(admin_client: Client) -> None:
    source = Path(task_examples.__file__)
    lines = source.read_text().splitlines()
    number = next(index for index, line in enumerate(lines, 1) if line.startswith("FAILED"))

    def page(path: Path | str, line: int, text: str) -> str:
        traceback = (
            f'Traceback (most recent call last):\n  File "{path}", line {line}, in f\n    {text}\nE: x'
        )
        return page_of(admin_client, make_task(state="FAILURE", exception="E('x')", traceback=traceback).pk)

    assert lines[number] in page(source, number, lines[number - 1])
    assert lines[number] not in page(source, number, "another_line()")
    assert lines[number] not in page(source, number, "")
    assert lines[number] not in page(source, 10_000_000, lines[number - 1])


def test_no_other_file_is_shown_whatever_a_traceback_names(admin_client: Client, tmp_path: Path) -> None:
    outside = tmp_path / "secret.py"
    outside.write_text("one\nknown\nhidden neighbour\n")
    link = Path(settings.BASE_DIR) / "var"
    for path in (outside, "/etc/passwd", f"{link}/../../../../{outside}"):
        text = f'Traceback (most recent call last):\n  File "{path}", line 2, in f\n    known\nE: x'
        task = make_task(state="FAILURE", exception="E('x')", traceback=text)
        assert "hidden neighbour" not in page_of(admin_client, task.pk)


def test_values_are_trees_and_say_what_is_missing(admin_client: Client) -> None:
    task = make_task(
        kwargs="{'order': {'id': 7}, 'card_token': [redacted]}",
        args=f"('{'x' * 1_010}...', ...)",
        result="<Report object>… [cut: 90,000 characters]",
    )
    html = page_of(admin_client, task.pk)
    assert '<span class="mon-tree-key">order</span>' in html
    assert '<span class="mon-tag">redacted</span>' in html
    assert "Celery cut this: an event carries at most 1,024 characters" in html
    assert "The monitor cut this at MAX_TEXT_LENGTH" in html
    assert "Redacted by the rules of REDACT_KEYS" in html


def test_the_family_is_a_tree_with_this_task_in_it(admin_client: Client) -> None:
    task_examples.failed_in_a_family()
    html = page_of(admin_client, task_examples.FAILED)
    family = html[html.index('id="mon-part-family"') : html.index('id="mon-part-timeline"')]
    names = ["place_order", "capture_payment", "send_invoice", "create_label", "reserve_stock", "send_email"]
    places = [family.index(f">{name}</") for name in names]
    assert places == sorted(places)
    assert "mon-depth-2" in family
    assert family.count("mon-phase-running") == 6


def family_of(html: str) -> str:
    """The text of the part, without tags."""
    part = html[html.index('id="mon-part-family"') : html.index('id="mon-part-timeline"')]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part))


def test_groups_and_chords_are_drawn_when_the_plug_in_told_of_them(admin_client: Client) -> None:
    begin = timezone.now() - timedelta(minutes=1)
    make_task("root", name="shop.import_all", root_id="root", first_seen=begin)
    for number, group in enumerate(["a", "b", "a", "b", "a"]):
        told = {"group": group, **({"chord": "shop.sum_up"} if group == "a" else {})}
        make_task(f"m{number}", name=f"shop.row_{number}", root_id="root", parent_id="root", workflow=json.dumps(told),
                  state="STARTED" if number == 2 else "SUCCESS",
                  first_seen=begin + timedelta(seconds=1 + number))  # fmt: skip
    said = family_of(page_of(admin_client, "m0"))
    parts = ["Group 1: 3 tasks, then sum_up with their results (chord)", "row_0", "row_2", "row_4",
             "Group 2: 2 tasks", "row_1", "row_3", "sum_up for all of group 1 not sent yet"]  # fmt: skip
    places = [said.index(part) for part in parts]
    assert places == sorted(places)
    Task.objects.filter(pk="m2").update(state="FAILURE")
    assert "sum_up for all of group 1 is not sent" in family_of(page_of(admin_client, "m0"))
    make_task("sum", name="shop.sum_up", root_id="root", parent_id="m4")
    assert "for all of group 1" not in family_of(page_of(admin_client, "m0"))


def test_what_a_chain_has_not_sent_yet_waits_and_of_a_failed_one_is_not_sent(admin_client: Client) -> None:
    told = json.dumps(
        {"chain": ["shop.second", "shop.third"], "callbacks": ["shop.tell"], "errbacks": ["shop.sorry"]}
    )
    task = make_task("first", name="shop.first", state="STARTED", workflow=told, finished_at=None)
    said = family_of(page_of(admin_client, "first"))
    for words in (
        "second after first not sent yet",
        "third after second not sent yet",
        "tell after first not sent yet",
    ):
        assert words in said
    assert "sorry" not in said
    Task.objects.filter(pk=task.pk).update(state="FAILURE")
    assert "second after first is not sent" in family_of(page_of(admin_client, "first"))
    Task.objects.filter(pk=task.pk).update(state="SUCCESS")
    assert 'id="mon-part-family"' not in page_of(admin_client, "first")


def only_shop(user: Any) -> Visibility:
    return Visibility(names=("shop.*",))


def only_mail(user: Any) -> Visibility:
    return Visibility(queues=("mail",))


@pytest.mark.parametrize(("limit", "named"), [("only_shop", True), ("only_mail", False)])
def test_what_is_expected_is_named_only_to_who_may_see_it(
    admin_client: Client, settings: Any, limit: str, named: bool
) -> None:
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.{limit}"}
    told = json.dumps({"chain": ["shop.second", "bank.third"], "callbacks": ["bank.tell"]})
    make_task("first", name="shop.first", queue="mail", state="STARTED", workflow=told, finished_at=None)
    html = page_of(admin_client, "first")
    assert ("second" in html) is named
    assert "third" not in html
    assert "tell" not in html


def test_a_chord_of_500_is_folded_and_unfolds(admin_client: Client) -> None:
    task_examples.monstrous()
    html = page_of(admin_client, "monster")
    assert "of 502 tasks" in html
    assert html.count(">import_row</a>") < 40
    assert "FAILURE" in html
    whole = page_of(admin_client, "monster", all="family")
    assert whole.count(">import_row</a>") == 500


def test_forty_attempts_are_folded_and_unfold(admin_client: Client) -> None:
    task_examples.monstrous(relatives=1)
    assert "Show 28 attempts between" in page_of(admin_client, "monster")
    assert "retry 20" not in page_of(admin_client, "monster")
    assert "retry 20" in page_of(admin_client, "monster", all="attempts")
    assert "Show 60 events between" in page_of(admin_client, "monster")
    assert "events between" not in page_of(admin_client, "monster", all="events")


def test_the_last_runs_mark_this_one(admin_client: Client) -> None:
    task_examples.failed_in_a_family()
    html = page_of(admin_client, task_examples.FAILED)
    assert "Last 60 runs" in html
    assert html.count('class="mon-runs-this" x=') == 1


def test_the_list_leads_to_the_page_with_its_question_and_the_page_on_through_it(
    admin_client: Client,
) -> None:
    begin = timezone.now()
    for number, state in enumerate(["FAILURE", "SUCCESS", "FAILURE", "FAILURE"]):
        make_task(f"t/{number}", state=state, first_seen=begin - timedelta(seconds=number))
    listed = admin_client.get(reverse("admin:monitoring_task_changelist"), {"state": "FAILURE"})
    link = reverse("admin:monitoring_task_change", args=[quote("t/2")]) + "?in=state%3DFAILURE"
    assert link in listed.content.decode()
    html = unescape(admin_client.get(link).content.decode())
    for neighbour, way in (("t/0", "prev"), ("t/3", "next")):
        link = re.search(rf'rel="{way} nofollow" href="([^"]+)"', html)
        assert link
        address = reverse("admin:monitoring_task_change", args=[quote(neighbour)])
        assert admin_client.get(link[1])["Location"] == f"{address}?in=state%3DFAILURE"
    assert "mon-neighbours" not in page_of(admin_client, "t/0")


def beside(client: Client, task_id: str, **query: str) -> str:
    """The text of the page that the way leads to."""
    address = reverse("admin:monitoring_task_beside", args=[quote(task_id)])
    return unescape(client.get(address, query, follow=True).content.decode())


def test_at_the_ends_of_the_list_the_way_leads_back_and_says_why(admin_client: Client) -> None:
    make_task("t/1", name="only.one")
    for way, words in (("before", "This is the first task"), ("after", "This is the last task")):
        html = beside(admin_client, "t/1", way=way, **{"in": "state=FAILURE"})
        assert words in html
        assert "t/1" in html
        assert "mon-neighbours" in html
    assert "There is no task gone" in beside(admin_client, "gone", way="after")


def test_what_is_not_found_in_time_is_said(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> str:
        raise OutOfTime

    make_task("t")
    monkeypatch.setattr("monitoring.admin.task_parts.place_in_list.neighbour", never)
    assert "There was no time to find" in beside(admin_client, "t", way="after", **{"in": ""})


def test_the_way_to_the_next_task_needs_its_permission(client: Client) -> None:
    make_task("t")
    client.force_login(make_user("nobody"))
    assert client.get(reverse("admin:monitoring_task_beside", args=["t"]), {"in": ""}).status_code == 403


@pytest.mark.parametrize(
    "query", ["%", EVIL, "x" * 10_000, "state=&&&=;", "sort=nothing&place=abc", "q=(((", "\0", "q=a%00b"]
)
def test_any_list_in_the_address_is_borne(admin_client: Client, query: str) -> None:
    make_task("t")
    for view in ("change", "beside"):
        response = admin_client.get(
            reverse(f"admin:monitoring_task_{view}", args=["t"]),
            {"in": query, "all": query, "attempt": query, "way": query},
            follow=True,
        )
        assert response.status_code == 200
        assert SCRIPT not in response.content.decode()


@pytest.mark.parametrize("task_id", IDS)
def test_every_id_has_raw_json_and_relatives(admin_client: Client, task_id: str) -> None:
    make_task(task_id, state="FAILURE", root_id=task_id)
    make_task("child", root_id=task_id, parent_id=task_id)
    raw = admin_client.get(reverse("admin:monitoring_task_raw", args=[quote(task_id)]))
    assert raw.json()["task"]["task_id"] == task_id
    assert reverse("admin:monitoring_task_change", args=[quote(task_id)]) in page_of(admin_client, "child")
    assert page_of(admin_client, task_id, **{"in": ""})


def test_raw_json_has_all_that_is_known(admin_client: Client) -> None:
    task = task_examples.failed_in_a_family()
    raw = admin_client.get(reverse("admin:monitoring_task_raw", args=[task.pk]))
    assert raw["Content-Type"] == "application/json"
    found = raw.json()
    assert found["task"]["kwargs"] == task.kwargs
    assert [attempt["ended_as"] for attempt in found["attempts"]] == ["RETRY", "RETRY", "FAILURE"]
    assert found["attempts"][0]["traceback"] == task_examples.TRACEBACK
    assert len(found["events"]) == 10


def test_raw_json_of_a_hidden_or_missing_task_is_not_there(admin_client: Client, client: Client) -> None:
    assert admin_client.get(reverse("admin:monitoring_task_raw", args=["nobody"])).status_code == 302
    make_task("t")
    client.force_login(make_user("nobody"))
    assert client.get(reverse("admin:monitoring_task_raw", args=["t"])).status_code == 403


SECRET = "needle-in-a-payload"


@pytest.fixture
def _carrying(db: None) -> None:
    task = make_task(
        "t", state="SUCCESS", args=f"('{SECRET}',)", kwargs=f"{{'a': '{SECRET}'}}", result=f"'{SECRET}'",
        exception=f"ValueError('{SECRET}')", exception_type="ValueError", traceback=SECRET, progress_message=SECRET,
        progress=0.5,
    )  # fmt: skip
    for kind in ("received", "started", "retried", "progress", "failed", "custom"):
        make_event(
            task,
            f"task-{kind}",
            1,
            exception=f"E('{SECRET}')",
            traceback=SECRET,
            message=SECRET,
            other=SECRET,
        )
    TaskResult.objects.create(
        task_id="t", content_type="application/json", content_encoding="utf-8", result=json.dumps(SECRET)
    )


@pytest.mark.usefixtures("_carrying")
@override_settings(MONITORING={"CELERY_APP": BACKEND})
@pytest.mark.parametrize("may", [True, False])
@pytest.mark.parametrize(
    "query", ["", "?result=stored", "?attempt=1", "?all=events&all=attempts&all=family&in=", "raw"]
)
def test_payload_is_for_those_who_may_view_it(client: Client, may: bool, query: str) -> None:
    client.force_login(make_user("reader", "view_task", *(["view_payload"] if may else [])))
    if query == "raw":
        address = reverse("admin:monitoring_task_raw", args=["t"])
    else:
        address = reverse("admin:monitoring_task_change", args=["t"]) + query
    response = client.get(address)
    assert response.status_code == 200
    assert (SECRET in response.content.decode()) is may


@pytest.mark.usefixtures("_carrying")
@override_settings(MONITORING={"CELERY_APP": BACKEND})
def test_the_full_result_is_fetched_when_asked_for(admin_client: Client) -> None:
    TaskResult.objects.update(result=json.dumps({"whole": "r" * 3_000, "password": "hunter2"}))
    html = page_of(admin_client, "t", result="stored")
    assert "r" * 3_000 in html
    assert "hunter2" not in html
    assert "Fetch the full result" not in html
    TaskResult.objects.update(content_type="application/x-python-serialize")
    assert "Only JSON is read" in page_of(admin_client, "t", result="stored")
    assert "r" * 3_000 not in page_of(admin_client, "t")


@pytest.mark.usefixtures("_carrying")
@override_settings(MONITORING={"CELERY_APP": BACKEND})
def test_a_fetched_result_is_json_however_large_it_is(admin_client: Client) -> None:
    TaskResult.objects.update(result=json.dumps({"whole": None, "words": "and so on..." + "x" * 2_000}))
    html = page_of(admin_client, "t", result="stored")
    assert 'data-tree="mon-stored-result"' in html
    assert "Celery cut this" not in html, "an event is cut, a stored result is not"
    TaskResult.objects.update(result=json.dumps([{"line": line, "price": "1.90"} for line in range(3_000)]))
    html = page_of(admin_client, "t", result="stored")
    assert "Not a Python literal" not in html
    assert "Too large for a tree, which has at most 5,000 values: shown as indented JSON." in html
    assert '"line": 2999' in html


def test_the_page_says_that_the_middle_of_a_traceback_was_cut(admin_client: Client) -> None:
    frames = [f'  File "/srv/shop/deep.py", line {n}, in level_{n}\n    go()\n' for n in range(3_000)]
    text = "".join(["Traceback (most recent call last):\n", *frames, "ValueError: at the bottom\n"])
    beginning, mark, end = ends_of_traceback(text, 65_536) or ("", "", "")
    make_task("t", state="FAILURE", exception="ValueError('at the bottom')", traceback=beginning + mark + end)
    html = page_of(admin_client, "t")
    missing = len(text) - len(beginning) - len(end)
    assert f"The monitor cut {missing:,} characters from the middle" in html
    assert "at the bottom" in html
    assert "level_2999" in html
    make_task("short", state="FAILURE", exception="ValueError()", traceback="".join(frames[:3]))
    assert "The monitor cut" not in page_of(admin_client, "short")


def test_who_did_what_is_for_those_who_may_see_the_audit(admin_client: Client, client: Client) -> None:
    make_task("t", state="SUCCESS")
    make_task("other")
    actor = Actor(make_user("oskar"))
    audit.begin(actor, "delete", "task", ["t"], reason="gateway said it is back")
    assert "gateway said it is back" in page_of(admin_client, "t")
    assert "gateway said it is back" not in page_of(admin_client, "other")
    client.force_login(make_user("reader", "view_task"))
    assert "gateway said it is back" not in page_of(client, "t")


def test_number_of_queries_does_not_grow_with_relatives_runs_or_events(admin_client: Client) -> None:
    def queries(task_id: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            page_of(admin_client, task_id, **{"in": ""})
        return len(captured)

    task_examples.shortest()
    small = make_task("small", name="a.task", root_id="small")
    Task.objects.create(task_id="child", root_id="small", parent_id="small", first_seen=small.first_seen,
                        updated_at=small.first_seen)  # fmt: skip
    task_examples.monstrous()
    assert queries("monster") == queries("small") <= 10, "a superuser needs no permissions read"
