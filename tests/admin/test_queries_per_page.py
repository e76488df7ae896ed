"""No page asks the databases more than twelve statements, its frame and its transactions among them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from monitoring.admin.worker_parts.tabs import TABS
from monitoring.control import audit
from monitoring.control.actor import Actor
from monitoring.models import SavedView, Task, WorkerSnapshot
from monitoring.queries import facets, histogram, totals
from tests.factories import (
    VIEWER_PERMISSIONS,
    count_statistics,
    make_dead_letter,
    make_event,
    make_gap,
    make_queue,
    make_task,
    make_user,
    make_worker,
)

MAX_QUERIES = 12
CONTROL_PERMISSIONS = (
    "delete_task",
    "revoke_task",
    "run_task",
    "control_worker",
    "shutdown_worker",
    "run_schedule",
)
DATABASES = ["default", "postgresql"]
#: The index of the app.
DASHBOARD = "app_list"
LISTS = [
    "",
    "q=task-1",
    "q=state%3AFAILURE+OR+name%3Ashop.%2A",
    "first_seen=%3E%3D-1h&name=shop.%2A&state=FAILURE&sort=-runtime",
    "state=FAILURE&name=shop.%2A&worker=celery%40w1&queue=default&exception_type=OSError",
    "sort=worker",
    "first_seen=%3E%3D-1h&q=nothing+of+this",
    "state=LOST&name=shop.%2A",
    "q=%28",
    "view=lost&state=LOST",
]
PAGES = [
    *(("task_changelist", None, query) for query in LISTS),
    ("task_change", "task-1", ""),
    ("task_change", "task-1", "in=state%3DFAILURE&all=family&all=events"),
    ("task_change", "root", ""),
    ("task_views", None, ""),
    ("task_histogram", None, "first_seen=%3E%3D-1h&name=shop.%2A&state=FAILURE"),
    ("monitor_changelist", None, ""),
    ("monitor_changelist", None, "state=FAILURE&name=shop.%2A&worker=celery%40w1&queue=default&q=x"),
    ("worker_changelist", None, ""),
    ("task_start", None, ""),
    ("worker_change", "celery@w1", ""),
    ("worker_change", "celery@w1", "range=30d"),
    *(("worker_change", "celery@w1", f"tab={tab.name}") for tab in TABS),
    (DASHBOARD, None, ""),
    (DASHBOARD, None, "name=shop.tasks.t1&queue=default"),
    (DASHBOARD, None, "worker=celery%40w1&range=7d"),
    ("statistic_changelist", None, ""),
    ("statistic_changelist", None, "name=shop.tasks.t1"),
    ("statistic_changelist", None, "name=shop.tasks.t1&queue=default&range=7d"),
    ("statistic_changelist", None, "name=shop.tasks.t1&tab=definition"),
    ("queue_changelist", None, ""),
    ("queue_change", "task-1", ""),
    ("gap_changelist", None, ""),
    ("schedule_changelist", None, ""),
    ("schedule_changelist", None, "show=missed&sort=next"),
    ("config_changelist", None, ""),
    ("config_changelist", None, "show=default&worker=celery%40w1&group=broker&q=url"),
    ("apitoken_changelist", None, ""),
    ("deadletter_changelist", None, ""),
    ("auditentry_changelist", None, ""),
    ("auditentry_changelist", None, "who=oskar&verb=delete"),
]


@pytest.fixture(params=DATABASES)
def using(request: pytest.FixtureRequest, settings: Any) -> str:
    settings.MONITORING = {**settings.MONITORING, "DATABASE": request.param}
    return str(request.param)


@pytest.fixture
def reader(using: str) -> Client:
    """Someone with permissions of their own and of a group to read, a chosen default view and chosen columns."""
    user = make_user("oskar", *VIEWER_PERMISSIONS, "view_auditentry", *CONTROL_PERMISSIONS)
    client = Client()
    client.force_login(user)
    client.post(reverse("admin:monitoring_task_columns"), {"columns": ["state", "name", "runtime"]})
    return client


def fill(using: str, count: int, name: str) -> None:
    begin = timezone.now() - timedelta(minutes=5)
    Task.objects.bulk_create(
        Task(
            task_id=f"{name}-{number}",
            name=f"shop.tasks.t{number % 30}",
            state=("FAILURE", "SUCCESS", "STARTED", "PENDING")[number % 4],
            worker=f"celery@w{number % 9}",
            queue="default",
            exception_type="OSError" if number % 2 else None,
            runtime=number / 7 if number % 5 else None,
            first_seen=begin + timedelta(milliseconds=number),
            started_at=begin,
            attempt_started_at=begin,
            finished_at=begin if number % 4 < 2 else None,
            updated_at=timezone.now(),
            root_id="root",
            parent_id="root",
        )
        for number in range(count)
    )
    for number in range(count // 10):
        make_worker(f"celery@{name}-{number}")
        make_queue(f"{name}-{number}", ready=number)
        make_dead_letter()
        make_gap(ended_at=timezone.now())
    count_statistics(using)
    user = SavedView._meta.get_field("owner").related_model.objects.get()  # type: ignore[union-attr]
    for number in range(count // 10):
        add_schedule(f"{name} {number}")
        add_settings(f"celery@{name}-{number}")
        SavedView.objects.create(owner=user, name=f"{name} {number}", query="state=LOST")
        audit.begin(Actor(user), "delete", "task", ["task-1"], reason="no reason")


def add_schedule(name: str) -> None:
    every, _new = IntervalSchedule.objects.get_or_create(every=60, period="seconds")
    PeriodicTask.objects.create(name=name, task=f"shop.tasks.{name.split()[0]}", interval=every)


def add_settings(hostname: str) -> None:
    now = timezone.now()
    conf = {"broker_url": "amqp://a:b@c//", "worker_send_task_events": False, "timezone": hostname}
    for kind, content in (("conf", conf), ("registered", ["shop.tasks.t1 [rate_limit=10/m]"])):
        WorkerSnapshot.objects.create(
            hostname=hostname, kind=kind, content=content, asked_at=now, answered_at=now
        )


@pytest.fixture
def filled(using: str, reader: Client) -> str:
    make_task("root", using, root_id="root", worker="celery@w1")
    make_worker("celery@w1")
    fill(using, 40, "task")
    task = Task.objects.get(pk="task-1")
    for second in range(20):
        make_event(task, "task-received", second, using=using, retries=second)
    return using


def statements(client: Client, using: str, view: str, key: str | None, query: str) -> list[str]:
    name, key = (f"admin:{view}", "monitoring") if view == DASHBOARD else (f"admin:monitoring_{view}", key)
    url = reverse(name, args=[key] if key else []) + (f"?{query}" if query else "")
    with (
        CaptureQueriesContext(connections["default"]) as own,
        CaptureQueriesContext(connections["postgresql"]) as other,
    ):
        response = client.get(url)
        response.content  # noqa: B018  rendered by now
    assert response.status_code == 200, f"{url}: {response.status_code} {response.get('Location', '')}"
    return [query["sql"] for captured in (own, other) for query in captured.captured_queries]


@pytest.mark.django_db(transaction=True, databases=DATABASES)
def test_no_page_asks_more_than_twelve_statements_however_many_rows_it_shows(
    reader: Client, filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A question that was stopped would be followed by another.
    for module in ("queries.reading", "admin.task_list"):
        monkeypatch.setattr(f"monitoring.{module}.LIMIT", 60)
    few = {page: len(statements(reader, filled, *page)) for page in PAGES}
    fill(filled, 700, "more")
    # More than are counted one by one: totals and the histogram are estimated.
    for module in (facets, totals):
        monkeypatch.setattr(module, "MOST", 500)
    monkeypatch.setattr(histogram, "EXACT", 500)
    too_many = {}
    for page in PAGES:
        asked = statements(reader, filled, *page)
        if len(asked) > MAX_QUERIES:
            too_many[page] = asked
        # A plan, and the surroundings of a family that is not read whole.
        assert len(asked) <= few[page] + 2, page
    assert not too_many, "\n".join(
        f"{page} {len(asked)}\n    " + "\n    ".join(sql[:150] for sql in asked)
        for page, asked in too_many.items()
    )
