"""What the charts of a worker are drawn from."""

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.models import WorkerEvent, WorkerSample
from monitoring.queries.visibility import Visibility
from monitoring.queries.worker_history import MAX_MARKS, history
from monitoring.queries.worker_rates import event_rates

EVERYTHING = Visibility.everything()
BEGIN = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def sample(using, minute, hostname="celery@a", **fields):
    WorkerSample.objects.using(using).create(hostname=hostname, minute=BEGIN + minute * MINUTE, **fields)


def test_series_have_a_value_for_each_minute_and_none_where_nothing_is_known(using, watched):
    sample(using, 0, active=2, most_active=4, load_1=0.5, load_5=1, load_15=2, processed=100, events=240)
    sample(using, 1, active=3, most_active=3, processed=160, clock_skew=-1.5)
    sample(using, 3, active=5, processed=200)
    sample(using, 1, "celery@b", active=9, processed=9)
    found = history(EVERYTHING, "celery@a", BEGIN, BEGIN + 5 * MINUTE)
    assert found.step == 60
    assert found.times == [BEGIN + n * MINUTE for n in range(5)]
    assert found.active == [2, 3, None, 5, None]
    assert found.most_active == [4, 3, None, None, None]
    assert (found.load_1[0], found.load_5[0], found.load_15[0]) == (0.5, 1, 2)
    assert found.processed_per_second == [1, None, None, None, None]
    assert found.events_per_second == [4, 0, None, 0, None]
    assert found.clock_skew == [None, -1.5, None, None, None]


def test_long_ranges_have_steps_of_several_minutes(using, watched):
    for minute in range(20):
        sample(using, minute, active=minute, most_active=minute, processed=60 * minute, events=60)
    found = history(EVERYTHING, "celery@a", BEGIN, BEGIN + 20 * MINUTE, points=2)
    assert found.step == 600
    assert found.times == [BEGIN, BEGIN + 10 * MINUTE]
    assert found.active == [4.5, 14.5]
    assert found.most_active == [9, 19]
    assert found.events_per_second == [1, 1]
    assert found.processed_per_second == [1, 1]


def test_process_that_began_anew_counts_from_nothing(using, watched):
    sample(using, 0, processed=1_000)
    sample(using, 1, processed=30)
    sample(using, 2, processed=90)
    found = history(EVERYTHING, "celery@a", BEGIN, BEGIN + 3 * MINUTE)
    assert found.processed_per_second == [0.5, 1, None]


def test_marks_tell_starts_from_reconnections(using, watched):
    said = [("worker-online", 0), ("worker-online", 7), ("worker-offline", 9), ("worker-online", None)]
    for number, (kind, processed) in enumerate(said):
        WorkerEvent.objects.using(using).create(
            hostname="celery@a",
            timestamp=BEGIN + number * MINUTE,
            type=kind,
            tie=number,
            pid=number,
            processed=processed,
        )
    found = history(EVERYTHING, "celery@a", BEGIN, BEGIN + 5 * MINUTE).marks
    assert [(mark.type, mark.pid, mark.is_start) for mark in found] == [
        ("worker-online", 0, True),
        ("worker-online", 1, False),
        ("worker-offline", 2, False),
        ("worker-online", 3, True),
    ]
    assert history(EVERYTHING, "celery@b", BEGIN, BEGIN + 5 * MINUTE).marks == []


def test_of_many_marks_the_newest_are_kept(using, watched):
    WorkerEvent.objects.using(using).bulk_create(
        WorkerEvent(
            hostname="celery@a",
            timestamp=BEGIN + timedelta(seconds=n),
            type="worker-online",
            tie=n,
            processed=0,
        )
        for n in range(MAX_MARKS + 10)
    )
    found = history(EVERYTHING, "celery@a", BEGIN, BEGIN + 9 * MINUTE).marks
    assert len(found) == MAX_MARKS
    assert found[-1].at == BEGIN + timedelta(seconds=MAX_MARKS + 9)


def test_limited_user_sees_no_history_and_no_rates(using, watched):
    sample(using, 0, events=60)
    limited = Visibility(names=("shop.*",))
    assert history(limited, "celery@a", BEGIN, BEGIN + MINUTE) is None
    assert event_rates(limited, BEGIN + MINUTE) == {}


@pytest.mark.parametrize("hostname", ["nobody", "with\0nul", "ü@🐇/" + "x" * 300])
def test_worker_that_nothing_is_known_of_has_an_empty_history(using, watched, hostname):
    found = history(EVERYTHING, hostname, BEGIN, BEGIN + 2 * MINUTE)
    assert found.active == [None, None]
    assert found.marks == []


def test_range_of_no_time_has_no_values(using, watched):
    assert history(EVERYTHING, "celery@a", BEGIN, BEGIN).times == []
    assert history(EVERYTHING, "celery@a", BEGIN, BEGIN - MINUTE).times == []


def test_event_rates_are_those_of_the_last_whole_minute(using, watched):
    sample(using, 0, events=120)
    sample(using, 1, events=600)
    sample(using, 0, "celery@quiet", events=0)
    assert event_rates(EVERYTHING, BEGIN + 1.5 * MINUTE) == {"celery@a": 2}
    assert event_rates(EVERYTHING, BEGIN + 2 * MINUTE) == {"celery@a": 10}
