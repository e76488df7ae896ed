"""The page of schedules: what it says of beat and of each schedule, and what it offers."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import celery
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from monitoring.models import Consumer, MissedRuns, ScheduleWatch
from monitoring.queries.schedule_judging import definition_of
from monitoring.schedules.entries import entries
from tests.factories import VIEWER_PERMISSIONS, make_task, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def app(monkeypatch: pytest.MonkeyPatch) -> celery.Celery:
    app = celery.Celery("shop", set_as_current=False)
    app.conf.update(
        task_send_sent_event=True,
        beat_scheduler="django_celery_beat.schedulers:DatabaseScheduler",
        timezone="UTC",
    )
    for module in ("queries.schedules", "control.schedule_verbs.targets"):
        monkeypatch.setattr(f"monitoring.{module}.watched_app", lambda: app)
    return app


def page(client: Client, query: str = "") -> str:
    response = client.get(reverse("admin:monitoring_schedule_changelist") + query)
    assert response.status_code == 200
    return re.sub(r"[ \n]+", " ", response.content.decode())


def row(name: str = "payouts", task: str = "shop.sync", **fields: Any) -> PeriodicTask:
    every, _new = IntervalSchedule.objects.get_or_create(every=60, period="seconds")
    times = {} if "crontab" in fields else {"interval": every}
    return PeriodicTask.objects.create(name=name, task=task, **times, **fields)


def listening() -> None:
    now = timezone.now()
    Consumer.objects.create(
        consumer_id="c", hostname="h", pid=1, started_at=now, reported_at=now, connected=True, horizon=now,
        last_event_at=now,
    )  # fmt: skip


def watched_since(app: celery.Celery, minutes: float) -> None:
    for entry in entries(app):
        reference = timezone.now() - timedelta(minutes=minutes)
        ScheduleWatch.objects.create(name=entry.name, definition=definition_of(entry), reference=reference)


def sent(seconds_ago: float, name: str = "shop.sync", **fields: Any) -> Any:
    at = timezone.now() - timedelta(seconds=seconds_ago)
    times = {"first_seen": at, "sent_at": at, "received_at": at, "attempt_started_at": at, "finished_at": at}
    return make_task(name=name, **{**times, "sent_by": "gen7@beat-host", **fields})


def names(html: str) -> list[str]:
    return re.findall(r'<tr data-schedule="([^"]+)"', html)


def test_a_schedule_stands_with_its_last_run_and_its_next(admin_client: Client, app: celery.Celery) -> None:
    crontab = CrontabSchedule.objects.create(minute="30", hour="5", timezone="UTC")
    row("Nightly export", "shop.export", crontab=crontab, queue="slow")
    run = sent(100, "shop.export", state="FAILURE", runtime=243.0)
    listening()
    html = page(admin_client)
    assert "Every day at 05:30" in html
    assert 'title="30 5 * * *"' in html
    assert "4\u00a0min\u00a003\u00a0s" in html
    assert reverse("admin:monitoring_task_change", args=[run.pk]) in html
    assert "by task" in html
    assert "to slow" in html
    assert "Due in the next 24 hours" in html
    assert 'class="mon-due-mark"' in html
    assert reverse("admin:django_celery_beat_periodictask_add") in html


def test_a_beat_that_sends_is_alive(admin_client: Client, app: celery.Celery) -> None:
    row()
    listening()
    watched_since(app, 2)
    sent(61)
    sent(1)
    html = page(admin_client)
    assert "Beat is alive." in html
    assert "Everything that was due was sent." in html
    assert "from gen7@beat-host" in html


def test_a_beat_that_was_stopped_is_said_on_top(admin_client: Client, app: celery.Celery) -> None:
    row("payouts")
    row("prices", "shop.prices")
    listening()
    watched_since(app, 2)
    sent(95)
    sent(100, "shop.prices")
    html = page(admin_client)
    assert "Beat sends nothing." in html
    assert "2 of 2 schedules are overdue," in html
    assert "1 missed" in html
    assert "mon-beat-stopped" in html


def test_without_events_it_is_not_claimed_to_run(admin_client: Client, app: celery.Celery) -> None:
    row()
    watched_since(app, 10)
    html = page(admin_client)
    assert "Whether beat runs is not known:" in html
    assert "events are not received" in html


def test_missed_runs_of_the_last_day_are_marked(admin_client: Client, app: celery.Celery) -> None:
    row()
    now = timezone.now()
    MissedRuns.objects.create(
        name="payouts", task="shop.sync", first_due=now - timedelta(hours=3), newest_due=now - timedelta(hours=2),
        count=2, noticed_at=now, came_at=now - timedelta(hours=2), late=95.0,
    )  # fmt: skip
    html = page(admin_client)
    assert "2 missed" in html
    assert "late by 1\u00a0min\u00a035\u00a0s" in html


def test_trouble_comes_first_and_the_list_can_be_narrowed(admin_client: Client, app: celery.Celery) -> None:
    row("a well", "shop.a")
    row("b off", "shop.b", enabled=False)
    row("c fails", "shop.c")
    sent(10, "shop.a")
    sent(10, "shop.c", state="FAILURE")
    assert names(page(admin_client)) == ["c fails", "a well", "b off"]
    assert names(page(admin_client, "?sort=name")) == ["a well", "b off", "c fails"]
    assert names(page(admin_client, "?show=failing")) == ["c fails"]
    assert names(page(admin_client, "?show=off")) == ["b off"]
    assert "No schedule is like that" in page(admin_client, "?show=missed")
    assert names(page(admin_client, "?show=nonsense&sort=nonsense")) == ["c fails", "a well", "b off"]


def test_verbs_are_there_for_who_may_use_them() -> None:
    row()
    viewer = Client()
    viewer.force_login(make_user("viewer", *VIEWER_PERMISSIONS))
    html = page(viewer)
    assert "Run now" not in html
    assert "mon-schedule-switch" not in html
    assert reverse("admin:django_celery_beat_periodictask_add") not in html
    operator = Client()
    operator.force_login(make_user("operator", *VIEWER_PERMISSIONS, "run_schedule"))
    html = page(operator)
    assert "Run now…" in html
    assert 'role="switch" aria-checked="true"' in html


def test_without_permission_for_tasks_no_run_is_linked() -> None:
    row()
    run = sent(10)
    client = Client()
    client.force_login(make_user("someone", "view_schedule"))
    assert run.pk not in page(client)


def test_switching_off_comes_back_to_the_page_with_what_was_done(admin_client: Client) -> None:
    row()
    url = reverse("admin:monitoring_schedule_control", args=["schedule_disable"])
    back = reverse("admin:monitoring_schedule_changelist")
    answer = admin_client.post(url, {"confirmed": "1", "target": "payouts", "next": back}, follow=True)
    assert "Switch off: payouts done." in " ".join(answer.content.decode().split())
    assert not PeriodicTask.objects.get().enabled
    asked = admin_client.get(
        reverse("admin:monitoring_schedule_control", args=["schedule_run"]), {"target": "payouts"}
    )
    assert "Run payouts now?" in asked.content.decode()


def test_without_django_celery_beat_the_page_says_what_it_shows(
    admin_client: Client, app: celery.Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.schedules.entries.beat_app", lambda: False)
    assert "django-celery-beat is not installed" in page(admin_client)
    app.conf.beat_schedule = {"often": {"task": "shop.often", "schedule": 15.0}}
    html = page(admin_client)
    assert names(html) == ["often"]
    assert "in settings" in html
    assert "beat_schedule of the project" in html
    assert "Add a schedule" not in html


def test_times_that_cannot_be_had_are_said(admin_client: Client, app: celery.Celery) -> None:
    app.conf.beat_schedule = {"broken": {"task": "shop.a", "schedule": None}}
    assert "cannot be read" in page(admin_client)
    broken = celery.Celery("broken", set_as_current=False)
    broken.config_from_object("no_such_module_at_all")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("monitoring.queries.schedules.watched_app", lambda: broken)
        assert "The schedules cannot be read" in page(admin_client)
