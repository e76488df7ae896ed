"""The page of one task: every field, its attempts, its timeline."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from monitoring.ingest.stores import store_for
from monitoring.ingest.stores.contract import Batch
from monitoring.models import Task
from tests.factories import VIEWER_PERMISSIONS, make_event, make_task, make_user, make_worker
from tests.ingest.event_streams import BEGIN, decoded, event

pytestmark = pytest.mark.django_db


def page_of(client: Client, task: Task) -> str:
    response = client.get(reverse("admin:monitoring_task_change", args=[task.pk]))
    assert response.status_code == 200
    return response.content.decode().replace("\u00a0", " ")


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("edge", ["9999-12-31T23:59:59.999999", "0001-01-01T00:00:00"])
def test_a_task_that_is_due_or_expires_at_an_edge_of_time_has_a_page_in_every_time_zone(
    admin_client: Client, settings: Any, zone: str, edge: str
) -> None:
    """``datetime.max`` is how some write never."""
    settings.TIME_ZONE = zone
    events = decoded([event("received", BEGIN, task_id="edge", eta=edge, expires=edge)])
    store_for("default").write(Batch(tasks=events))

    html = page_of(admin_client, Task.objects.get(pk="edge"))

    assert edge[:4] in html


def test_every_field_is_on_the_page(admin_client: Client) -> None:
    now = timezone.now()
    words = {
        "name": "shop.tasks.pay", "worker": "celery@pay-1", "queue": "payments", "exchange": "the-exchange",
        "routing_key": "the-routing-key", "args": "('positional',)", "kwargs": "{'by': 'name'}",
        "exception": "Timeout('the message')", "exception_type": "Timeout", "traceback": "the traceback",
        "result": "'an earlier result'", "root_id": "the-root", "parent_id": "the-parent", "sent_by": "gen7@web",
        "progress_message": "half way",
    }  # fmt: skip
    times = {
        field: now - timedelta(days=1, minutes=minutes)
        for minutes, field in enumerate(
            ["first_seen", "sent_at", "received_at", "started_at", "attempt_started_at", "finished_at", "eta",
             "expires", "updated_at"]
        )
    }  # fmt: skip
    task = make_task(
        "the-id", state="FAILURE", runtime=3.01, wait=0.4, retries=2, progress=0.5, **words, **times
    )
    html = page_of(admin_client, task)
    shown = [
        "the-id",
        "FAILURE",
        "3.01 s",
        "400 ms",
        "positional",
        "the message",
        "an earlier result",
        "half way",
    ]
    shown += [
        word
        for field, word in words.items()
        if field not in ("name", "args", "kwargs", "exception", "result")
    ]
    assert [word for word in shown if word not in html] == []
    for moment in times.values():
        assert f'title="{timezone.localtime(moment).isoformat(timespec="milliseconds")} UTC"' in html


@pytest.mark.parametrize("task_id", ["the-id", "a/b", "a/delete", "x/y/change", "_2F", "ü?#"])
def test_an_address_that_ends_with_the_id_leads_to_the_page(admin_client: Client, task_id: str) -> None:
    page = reverse("admin:monitoring_task_change", args=[quote(make_task(task_id).pk)])
    response = admin_client.get(page.removesuffix("change/"))
    assert (response.status_code, response["Location"]) == (302, page)
    assert admin_client.get(page).status_code == 200


@pytest.mark.parametrize("page", ["delete/", "history/", "nonsense/", "change/delete/", "delete"])
@pytest.mark.parametrize("model", ["task", "worker", "queue"])
def test_a_page_that_an_object_does_not_have_is_not_found(
    admin_client: Client, model: str, page: str
) -> None:
    assert admin_client.get(f"/admin/monitoring/{model}/the-id/{page}").status_code == 404


def test_attempts_and_timeline_tell_a_retry_from_a_redelivery(admin_client: Client) -> None:
    task = make_task(state="SUCCESS", retries=1)
    make_event(task, "task-sent", 0, "gen1@web", retries=0, queue="payments")
    make_event(task, "task-received", 0.9, retries=0)
    make_event(task, "task-started", 1.3, pid=4121)
    make_event(task, "task-retried", 4.31, exception="GatewayTimeout('no answer')", traceback="...")
    make_event(task, "task-received", 4.4, retries=1)
    make_event(task, "task-started", 5, pid=4122)
    make_event(task, "task-received", 30, "celery@web-2", retries=1)
    make_event(task, "task-started", 31, "celery@web-2")
    make_event(task, "task-succeeded", 32, "celery@web-2", runtime=1.0)
    html = page_of(admin_client, task)
    assert "3 attempts on one clock" in html
    for words in ("first run", "retry 1", "delivered again by the broker", "no end was reported"):
        assert words in html
    assert "<b>Sent</b> to queue payments by gen1@web" in html
    assert "<b>Retry</b> GatewayTimeout: no answer" in html
    assert "the broker delivered the same message once more" in html
    for gap in ("900 ms queued", "400 ms in worker", "3.01 s running"):
        assert gap in html
    assert "<b>1.30 s</b>" not in html


def test_nothing_known_is_said(admin_client: Client) -> None:
    task = make_task(
        name=None,
        state="PENDING",
        worker=None,
        queue=None,
        args=None,
        kwargs=None,
        runtime=None,
        retries=None,
    )
    html = page_of(admin_client, task)
    assert "name not known" in html
    assert "Not known: no event told them" in html
    assert "No event of this task is kept any more" in html


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": "PENDING"}, "no worker has reported that it has it"),
        ({"state": "STARTED"}, "Running now."),
        ({"state": "LOST"}, "nobody knows how it ended"),
        ({"state": "REVOKED", "expired": True}, "Expired before a worker started it."),
        ({"state": "REVOKED", "terminated": True, "signum": "SIGKILL"}, "its process got SIGKILL"),
        ({"state": "REVOKED", "terminated": True, "signum": "15"}, "its process got SIGTERM"),
        ({"state": "REVOKED", "terminated": False}, "Revoked before it ran."),
    ],
)
def test_the_state_in_words(admin_client: Client, fields: dict[str, object], words: str) -> None:
    assert words in page_of(admin_client, make_task(**fields))


def test_a_task_that_was_sent_again_is_not_said_to_have_started_itself(admin_client: Client) -> None:
    html = page_of(admin_client, make_task("again", parent_id="again", root_id="again"))
    assert "Started by" not in html
    assert "itself, when it was sent again" in html


def test_relatives_and_workers_are_linked_where_they_have_a_page(admin_client: Client) -> None:
    parent = make_task("the-parent", name="orders.tasks.place")
    make_worker("celery@web-1")
    html = page_of(admin_client, make_task(parent_id=parent.pk, root_id="gone"))
    assert reverse("admin:monitoring_task_change", args=["the-parent"]) in html
    assert "orders.tasks.place" in html
    assert reverse("admin:monitoring_task_change", args=["gone"]) not in html
    assert reverse("admin:monitoring_worker_change", args=["celery_40web-1"]) in html
    assert "/worker/celery_40gone/" not in page_of(admin_client, make_task(worker="celery@gone"))


def test_links_lead_to_others_like_it(admin_client: Client) -> None:
    task = make_task(
        "one", name="shop.a*b", state="FAILURE", exception_type="OSError", worker="celery@w1", queue="q 1"
    )
    make_task(
        "alike", name="shop.a*b", state="FAILURE", exception_type="OSError", worker="celery@w2", queue="q 1"
    )
    make_task(
        "not", name="shop.axb", state="FAILURE", exception_type="KeyError", worker="celery@w1", queue="other"
    )
    links = {
        words: link.replace("&amp;", "&")
        for link, words in re.findall(
            r'<a class="mon-tag" href="([^"]+)"[^>]*>([^<]+)</a>', page_of(admin_client, task)
        )
    }
    found = {
        words: set(
            re.findall(r'<tr data-task="([^"]*)"', admin_client.get(link, follow=True).content.decode())
        )
        for words, link in links.items()
    }
    assert found == {
        "same task and exception": {"one", "alike"},
        "same task": {"one", "alike"},
        "same exception": {"one", "alike"},
        "same worker": {"one", "not"},
        "same queue": {"one", "alike"},
    }
    assert "Find others" not in page_of(admin_client, make_task("bare", name=None, worker=None, queue=None))


def test_a_task_with_more_events_than_a_page_reads_says_so(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.queries.events.events_of.__defaults__", (3,))
    task = make_task()
    for second in range(5):
        make_event(task, "task-progress", second, current=second, total=5)
    html = page_of(admin_client, task)
    assert "older ones are left out" in html
    assert "4 of 5" in html
    assert "1 of 5" not in html


def test_progress_is_told_in_whole_numbers_where_it_came_as_such(admin_client: Client) -> None:
    task = make_task(progress=0.03, progress_current=1.0, progress_total=3_600.0)
    make_event(task, "task-progress", 1, current=1.0, total=3_600.0)
    make_event(task, "task-progress", 2, current=2.5, total=None)
    html = page_of(admin_client, task)
    assert html.count("1 of 3,600") == 2, "in the timeline and beside it"
    assert "2.5 of ?" in html


def test_number_of_queries_does_not_grow_with_events(admin_client: Client) -> None:
    task = make_task(root_id="r", parent_id="p")
    make_worker()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page_of(admin_client, task)
        return len(captured)

    few = queries()
    for second in range(50):
        make_event(task, "task-received", second, retries=second)
    assert queries() == few <= 10


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_the_trace_of_a_task_is_linked_where_settings_say_where_traces_are(
    admin_client: Client, settings: Any
) -> None:
    task = make_task(trace_id=TRACE)
    html = page_of(admin_client, task)
    assert TRACE in html
    assert "jaeger" not in html
    settings.MONITORING = {
        **settings.MONITORING,
        "TRACE_URL": "https://jaeger.example.com/trace/{trace_id}?a=1&b=2",
    }
    assert f'href="https://jaeger.example.com/trace/{TRACE}?a=1&amp;b=2"' in page_of(admin_client, task)
    assert "jaeger" not in page_of(admin_client, make_task("without"))


def url_of(task_id: str) -> str:
    return reverse("admin:monitoring_task_change", args=[task_id])


def head_of(page: str) -> tuple[str, str]:
    """The buttons beside the name, and the menu behind them."""
    controls = page[page.index('class="mon-subject-controls"') : page.index('class="mon-facts"')]
    front, _, menu = controls.partition("<details")
    return front, menu


def test_what_fits_a_task_stands_beside_its_name_and_the_rest_in_a_menu(admin_client: Client) -> None:
    make_task("over", name="tasksdemo.tasks.slow.slow_task", state="FAILURE")
    front, menu = head_of(admin_client.get(url_of("over")).content.decode())
    assert re.findall(r">([^<>]+…)<", front) == ["Run again…"]
    assert "mon-button-primary" in front
    assert re.findall(r">([^<>]+…)</a>", menu) == ["Delete record…"]
    assert (
        menu.index("Delete record…") < menu.index("Revoke<") < menu.index("It has already ended: it failed")
    )
    assert "Raw JSON" in menu


def test_a_task_that_waits_can_be_revoked_at_once(admin_client: Client) -> None:
    make_task("waits", name="tasksdemo.tasks.slow.slow_task", state="RECEIVED")
    front, menu = head_of(admin_client.get(url_of("waits")).content.decode())
    assert re.findall(r">([^<>]+…)<", front) == ["Revoke…", "Revoke and terminate…"]
    assert "mon-button-primary" not in front
    assert menu.index("Run again<") < menu.index("It has not run yet")


def test_a_task_that_runs_can_be_ended_at_once(admin_client: Client) -> None:
    make_task("runs", name="tasksdemo.tasks.slow.slow_task", state="STARTED")
    front, menu = head_of(admin_client.get(url_of("runs")).content.decode())
    assert re.findall(r">([^<>]+…)<", front) == ["Revoke and terminate…"]
    assert re.findall(r">([^<>]+…)</a>", menu) == ["Run again…"]


def test_who_may_do_nothing_sees_no_menu() -> None:
    viewer = Client()
    viewer.force_login(make_user("viewer", *VIEWER_PERMISSIONS))
    make_task("over")
    front, menu = head_of(viewer.get(url_of("over")).content.decode())
    assert "Raw JSON" in front
    assert not menu
