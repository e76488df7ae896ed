"""What is scheduled, how it goes, and what was missed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import celery
import pytest
from celery.schedules import crontab
from django.apps import apps
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from monitoring.models import MissedRuns, ScheduleWatch, Task
from monitoring.queries.schedule_judging import NotJudged, definition_of
from monitoring.queries.schedules import Schedules, ScheduleState, Source, Standing, schedule, schedules
from monitoring.queries.visibility import Visibility
from monitoring.queries.worker_presence import Presence
from monitoring.schedules.entries import entries
from tests.factories import make_task

pytestmark = pytest.mark.usefixtures("still")
EVERYTHING = Visibility.everything()


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> celery.Celery:
    app = celery.Celery("shop", set_as_current=False)
    app.conf.update(
        task_send_sent_event=True,
        beat_scheduler="django_celery_beat.schedulers:DatabaseScheduler",
        timezone="UTC",
    )
    monkeypatch.setattr("monitoring.queries.schedules.watched_app", lambda: app)
    return app


def row(name: str = "nightly", seconds: int = 60, **fields: Any) -> PeriodicTask:
    interval, _new = IntervalSchedule.objects.get_or_create(every=seconds, period="seconds")
    times = {} if "crontab" in fields else {"interval": interval}
    return PeriodicTask.objects.create(name=name, **{"task": "shop.export", **times, **fields})


def watch(app: celery.Celery, since: datetime, using: str) -> None:
    """As if upkeep had watched all schedules since then."""
    for entry in entries(app):
        ScheduleWatch.objects.using(using).update_or_create(
            name=entry.name, defaults={"definition": definition_of(entry), "reference": since}
        )


def ran(using: str, seconds_ago: float, **fields: Any) -> Task:
    at = timezone.now() - timedelta(seconds=seconds_ago)
    defaults = {"name": "shop.export", "first_seen": at, "sent_at": at, "received_at": at, "finished_at": at}
    return make_task(using=using, **{**defaults, **fields})


def by(schedule_name: str) -> str:
    return json.dumps({"schedule": schedule_name})


def up_to_date() -> Presence:
    now = timezone.now()
    return Presence(now, now, None, 3)


def look(visibility: Visibility = EVERYTHING, judge: Presence | None = None) -> Schedules:
    return schedules(visibility, judge or up_to_date())


def only(found: Schedules) -> ScheduleState:
    (state,) = found.schedules
    return state


def test_a_schedule_says_when_it_is_due_and_how_its_last_run_ended(watched: str, app: celery.Celery) -> None:
    row(seconds=300)
    ran(watched, 900, state="FAILURE")
    last = ran(watched, 100, runtime=1.5)
    watch(app, timezone.now() - timedelta(seconds=200), watched)
    state = only(look())
    assert state.words == "Every 5 minutes"
    assert state.last_run is not None
    assert state.last_run.runtime == 1.5
    assert [run.state for run in state.runs] == ["SUCCESS", "FAILURE"]
    assert not state.by_name
    assert last.sent_at is not None
    assert state.next_due == last.sent_at + timedelta(seconds=300)
    assert state.standing is Standing.WELL
    assert schedule(EVERYTHING, "nightly") is not None
    assert schedule(EVERYTHING, "nothing\0") is None


def test_runs_are_found_by_the_name_of_the_schedule_where_the_plug_in_tells_it(
    watched: str, app: celery.Celery
) -> None:
    row("one"), row("other")
    mine = ran(watched, 40, workflow=by("one"))
    ran(watched, 30, workflow=by("other"))
    ran(watched, 20)  # by hand
    found = {state.name: state for state in look().schedules}
    assert found["one"].by_name
    assert [run.pk for run in found["one"].runs] == [mine.pk]
    assert len(found["other"].runs) == 1


def test_runs_are_found_by_results_that_name_the_schedule(watched: str, app: celery.Celery) -> None:
    app.conf.result_extended = True
    row("one"), row("other")
    mine = ran(watched, 40)
    ran(watched, 30)
    model = apps.get_model("django_celery_results", "TaskResult")
    model._default_manager.create(task_id=mine.pk, periodic_task_name="one")
    found = {state.name: state for state in look().schedules}
    assert found["one"].by_name
    assert [run.pk for run in found["one"].runs] == [mine.pk]
    assert found["other"].runs == ()


def test_a_missed_run_is_marked_within_a_minute(watched: str, app: celery.Celery) -> None:
    row("one"), row("other", task="shop.other")
    watch(app, timezone.now() - timedelta(seconds=200), watched)
    ran(watched, 95, workflow=by("one"))
    ran(watched, 5, name="shop.other")
    found = look()
    one, other = found.schedules
    assert one.standing is Standing.MISSED
    assert one.overdue is not None
    assert (one.overdue.count, one.missed_count) == (1, 1)
    assert other.overdue is None
    assert found.beat.is_alive, "it has sent the other one since"


def test_a_stopped_beat_is_told_from_a_missed_schedule(watched: str, app: celery.Celery) -> None:
    row("one"), row("other", task="shop.other"), row("rare", seconds=86_400, task="shop.rare")
    watch(app, timezone.now() - timedelta(seconds=200), watched)
    ran(watched, 95)
    ran(watched, 97, name="shop.other", sent_by="gen12@beat-host")
    found = look()
    assert found.beat.is_alive is False
    assert (found.beat.overdue, found.beat.judged) == (2, 3)
    assert found.beat.last_name == "one"
    assert found.beat.since is not None


@pytest.mark.parametrize(
    "judge",
    [
        lambda now: Presence(now, None, None, 3),
        lambda now: Presence(now, now - timedelta(minutes=2), None, 3),
    ],
)
def test_nothing_is_missed_while_events_are_behind(
    watched: str, app: celery.Celery, judge: Callable[[datetime], Presence]
) -> None:
    row()
    watch(app, timezone.now() - timedelta(hours=1), watched)
    found = look(judge=judge(timezone.now()))
    assert only(found).not_judged is NotJudged.BEHIND
    assert only(found).overdue is None
    assert found.beat.is_alive is None


def test_without_events_of_sendings_the_row_is_believed_as_late_as_beat_writes_it(
    watched: str, app: celery.Celery
) -> None:
    app.conf.task_send_sent_event = False
    row("recent", last_run_at=timezone.now() - timedelta(seconds=240))
    row("long ago", last_run_at=timezone.now() - timedelta(seconds=600))
    watch(app, timezone.now() - timedelta(hours=1), watched)
    by_name = {state.name: state for state in look().schedules}
    assert by_name["recent"].overdue is None, "beat may have sent it three times since"
    assert by_name["long ago"].overdue is not None


def test_entries_of_the_settings_are_told_without_django_celery_beat(
    watched: str, app: celery.Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.schedules.entries.beat_app", lambda: False)
    app.conf.beat_scheduler = "celery.beat:PersistentScheduler"
    app.conf.beat_schedule = {
        "mornings": {"task": "shop.a", "schedule": crontab(minute=30, hour=5), "options": {"queue": "slow"}},
        "often": {"task": "shop.b", "schedule": 15.0},
        "broken": {"schedule": 15.0},
    }
    row("never read")
    found = look()
    assert not found.with_database
    by_name = {state.name: state for state in found.schedules}
    assert set(by_name) == {"mornings", "often", "broken"}
    assert by_name["mornings"].words == "Every day at 05:30"
    assert by_name["mornings"].queue == "slow"
    assert by_name["mornings"].entry.source is Source.SETTINGS
    assert by_name["mornings"].next_due is not None
    assert by_name["broken"].standing is Standing.UNREADABLE
    watch(app, timezone.now() - timedelta(seconds=100), watched)
    assert {state.name for state in look().schedules if state.overdue} == {"often"}
    app.conf.task_send_sent_event = False
    assert {state.not_judged for state in look().schedules if state.enabled} == {NotJudged.UNSEEN, None}


def test_an_entry_that_stands_in_both_is_told_once(watched: str, app: celery.Celery) -> None:
    app.conf.beat_schedule = {"nightly": {"task": "shop.export", "schedule": 60.0}}
    row()
    entry = only(look()).entry
    assert (entry.source, entry.static) == (Source.DATABASE, True)


def test_rows_that_beat_does_not_read_are_not_missed(watched: str, app: celery.Celery) -> None:
    app.conf.beat_scheduler = "celery.beat:PersistentScheduler"
    row()
    watch(app, timezone.now() - timedelta(hours=1), watched)
    found = look()
    assert not found.reads_database
    assert only(found).not_judged is NotJudged.UNREAD
    PeriodicTask.objects.update(last_run_at=timezone.now())
    assert look().reads_database, "somebody sends them"


def test_what_is_off_or_over_is_not_due(watched: str, app: celery.Celery) -> None:
    row("off", enabled=False)
    row("over", one_off=True, total_run_count=1)
    row("expired", expires=timezone.now() - timedelta(days=1))
    found = {state.name: state for state in look().schedules}
    assert [found[name].standing for name in ("off", "over", "expired")] == [
        Standing.OFF, Standing.OVER, Standing.OVER,
    ]  # fmt: skip
    assert all(state.next_due is None and state.overdue is None for state in found.values())


def test_a_schedule_that_upkeep_does_not_watch_yet_is_not_judged(watched: str, app: celery.Celery) -> None:
    row(crontab=CrontabSchedule.objects.create(minute="*", hour="*"))
    assert only(look()).not_judged is NotJudged.NEW
    watch(app, timezone.now() - timedelta(hours=1), watched)
    assert only(look()).overdue is not None
    PeriodicTask.objects.update(task="shop.renamed")
    assert only(look()).not_judged is NotJudged.NEW


def test_a_start_time_that_is_to_come_is_the_next_time(watched: str, app: celery.Celery) -> None:
    start = timezone.now() + timedelta(days=2)
    row(start_time=start)
    watch(app, timezone.now() - timedelta(hours=1), watched)
    state = only(look())
    assert state.next_due == start
    assert state.overdue is None


def test_the_last_run_may_outlast_its_interval(watched: str, app: celery.Celery) -> None:
    row(seconds=60)
    ran(watched, 70, state="STARTED", finished_at=None)
    assert only(look()).standing is Standing.RUNNING


def test_what_was_missed_before_counts_for_a_day(watched: str, app: celery.Celery) -> None:
    row(seconds=3_600)
    now = timezone.now()
    ran(watched, 60)
    for hours, count, late in ((2, 3, 0.2), (5, 0, 95.0), (30, 9, 0.1)):
        due = now - timedelta(hours=hours)
        MissedRuns.objects.using(watched).create(
            name="nightly", task="shop.export", first_due=due, newest_due=due, count=count, noticed_at=now,
            came_at=due, late=late,
        )  # fmt: skip
    state = only(look())
    assert (state.missed_count, state.late, state.standing) == (3, 95.0, Standing.LATE)


def test_only_schedules_of_tasks_that_may_be_seen_are_there(watched: str, app: celery.Celery) -> None:
    row("mine"), row("bank", task="bank.audit"), row("slow", queue="slow")
    assert [s.name for s in look(Visibility(names=("shop.*",))).schedules] == ["mine", "slow"]
    assert [s.name for s in look(Visibility(queues=("slow",))).schedules] == ["slow"]
    assert [s.name for s in look(Visibility(queues=("celery",))).schedules] == ["bank", "mine"]


def test_an_app_that_cannot_be_read_says_so(watched: str, app: celery.Celery) -> None:
    broken = celery.Celery("broken", set_as_current=False)
    broken.config_from_object("no_such_module_at_all")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("monitoring.queries.schedules.watched_app", lambda: broken)
        assert look().problem in ("ModuleNotFoundError", "ImportError")


def test_many_schedules_cost_no_more_statements(
    watched: str, app: celery.Celery, django_assert_max_num_queries: Any
) -> None:
    for number in range(40):
        row(f"s{number}", task=f"shop.t{number}")
    with (
        django_assert_max_num_queries(3, using="default")
        if watched == "postgresql"
        else django_assert_max_num_queries(6)
    ):
        assert len(look().schedules) == 40
