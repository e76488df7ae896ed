"""Upkeep notices what was not sent, once, and only where it could have been seen."""

from datetime import UTC, datetime, timedelta

import celery
import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from monitoring.models import Gap, MissedRuns, ScheduleWatch
from monitoring.upkeep.jobs import schedules, trim
from tests.factories import make_task
from tests.upkeep.jobs.test_workers import report

MINUTE = timedelta(minutes=1)


@pytest.fixture
def now():
    return datetime.now(UTC)


@pytest.fixture(autouse=True)
def _beat(monkeypatch, using, now):
    app = celery.Celery("shop", set_as_current=False)
    app.conf.update(
        task_send_sent_event=True, beat_scheduler="django_celery_beat.schedulers:DatabaseScheduler"
    )
    monkeypatch.setattr("monitoring.queries.schedules.watched_app", lambda: app)
    every = IntervalSchedule.objects.create(every=60, period="seconds")
    PeriodicTask.objects.create(name="payouts", task="shop.sync", interval=every)
    report(using, now + timedelta(hours=1))


def watched_since(using, moment):
    ScheduleWatch.objects.using(using).update(reference=moment)


def sent(using, moment):
    make_task(using=using, name="shop.sync", first_seen=moment, sent_at=moment, received_at=moment)


def missed(using):
    rows = MissedRuns.objects.using(using).order_by("first_due")
    return [(row.count, row.came_at, row.late and round(row.late)) for row in rows]


def test_a_schedule_is_watched_from_when_upkeep_first_saw_it(using, lease, now):
    assert schedules.run(lease) == "Judged: 0 of 1 schedules that are on."
    watch = ScheduleWatch.objects.using(using).get()
    assert watch.reference >= now
    assert schedules.run(lease) == "Judged: 1 of 1 schedules that are on."
    assert missed(using) == []


def test_missed_runs_are_stored_once_and_end_when_the_next_is_sent(using, lease, now):
    schedules.run(lease)
    watched_since(using, now - 10 * MINUTE)
    sent(using, now - 4 * MINUTE)
    assert schedules.run(lease) == "Judged: 1 of 1 schedules that are on; beat sends nothing: 1 are overdue."
    assert missed(using) == [(5, now - 4 * MINUTE, 0), (3, None, None)]
    assert schedules.run(lease).endswith("1 are overdue.")
    assert len(missed(using)) == 2
    sent(using, now - timedelta(seconds=5))
    assert schedules.run(lease) == "Judged: 1 of 1 schedules that are on."
    assert missed(using)[1] == (2, now - timedelta(seconds=5), 55)
    assert ScheduleWatch.objects.using(using).get().reference >= now - timedelta(seconds=5)


def test_a_missed_run_is_noticed_within_a_minute_of_its_time(using, lease, now):
    schedules.run(lease)
    # The run is due a minute after it was last sent, and the job runs every ten seconds.
    watched_since(using, now - timedelta(seconds=60 + 50))
    schedules.run(lease)
    assert missed(using) == [(1, None, None)]


def test_nothing_is_noticed_while_events_are_behind(using, lease, now):
    schedules.run(lease)
    watched_since(using, now - 10 * MINUTE)
    report(using, now - 5 * MINUTE)
    assert schedules.run(lease) == "Judged: 0 of 1 schedules that are on."
    assert missed(using) == []


def test_what_was_due_in_a_gap_is_nobodys_to_judge(using, lease, now):
    schedules.run(lease)
    watched_since(using, now - 5 * MINUTE)
    Gap.objects.using(using).create(started_at=now - 6 * MINUTE, ended_at=now, reason="away")
    schedules.run(lease)
    assert missed(using) == []


def test_a_schedule_that_was_changed_or_switched_off_is_watched_anew(using, lease, now):
    schedules.run(lease)
    watched_since(using, now - 10 * MINUTE)
    PeriodicTask.objects.update(interval=IntervalSchedule.objects.create(every=30, period="seconds"))
    schedules.run(lease)
    assert missed(using) == []
    assert ScheduleWatch.objects.using(using).get().reference >= now
    PeriodicTask.objects.update(enabled=False)
    assert schedules.run(lease) == "Judged: 0 of 0 schedules that are on."
    assert not ScheduleWatch.objects.using(using).exists()


def test_missed_runs_are_kept_for_a_month(using, lease, now):
    for days in (29, 31):
        due = now - timedelta(days=days)
        MissedRuns.objects.using(using).create(
            name="payouts", task="shop.sync", first_due=due, newest_due=due, count=1, noticed_at=due
        )
    trim.run(lease)
    assert MissedRuns.objects.using(using).get().first_due == now - timedelta(days=29)


def test_a_configuration_that_cannot_be_loaded_is_told(lease, monkeypatch):
    app = celery.Celery("broken", set_as_current=False)
    app.config_from_object("no_such_module_at_all")
    monkeypatch.setattr("monitoring.queries.schedules.watched_app", lambda: app)
    assert schedules.run(lease).startswith("The schedules could not be read: ")
