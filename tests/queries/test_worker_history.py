"""What the charts of a worker are drawn from."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from monitoring.models import WorkerEvent, WorkerRollup, WorkerSample
from monitoring.queries.visibility import Visibility
from monitoring.queries.worker_history import MAX_MARKS, history
from monitoring.queries.worker_rates import event_rates
from monitoring.time_steps import HOUR, start_of
from monitoring.upkeep.worker_rollups import count_hour

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


def test_range_at_the_end_of_all_time_has_no_figures(using, watched):
    first = datetime(1, 1, 1, tzinfo=UTC)
    last = datetime(9999, 12, 31, 23, 50, tzinfo=UTC)
    for since in (first, last - 5 * MINUTE):
        assert history(EVERYTHING, "celery@a", since, since + 5 * MINUTE).active == [None] * 5


def test_event_rates_are_those_of_the_last_whole_minute(using, watched):
    sample(using, 0, events=120)
    sample(using, 1, events=600)
    sample(using, 0, "celery@quiet", events=0)
    assert event_rates(EVERYTHING, BEGIN + 1.5 * MINUTE) == {"celery@a": 2}
    assert event_rates(EVERYTHING, BEGIN + 2 * MINUTE) == {"celery@a": 10}


@pytest.fixture
def counted_days(using, watched):
    """Two workers from 12:00 on for 60 hours, with holes and restarts, of which all but the last hour is counted."""
    chance = random.Random(7)
    rows, processed = [], 0
    for minute in range(60 * 60):
        processed = 0 if chance.random() < 0.01 else processed + chance.randrange(300)
        if chance.random() < 0.1 or 900 < minute < 1000:
            continue
        load = [chance.choice([None, chance.expovariate(1)]) for _ in range(3)]
        rows += [
            WorkerSample(
                hostname=hostname, minute=BEGIN + minute * MINUTE,
                active=chance.choice([None, chance.randrange(9)]),
                most_active=chance.choice([None, chance.randrange(20)]),
                processed=chance.choice([None, processed, processed, processed]), load_1=load[0], load_5=load[1],
                load_15=load[2], clock_skew=chance.gauss(0, 3), events=chance.randrange(1_000),
            )
            for hostname in ("celery@a", "celery@b")
        ]  # fmt: skip
    WorkerSample.objects.using(using).bulk_create(rows)
    for number in range(59):
        count_hour(using, BEGIN + number * 60 * MINUTE)


@pytest.mark.parametrize(
    ("since", "until", "points", "step"),
    [
        (0, 60, 60, 1),
        (-5, 61, 30, 3),
        (2.5, 40.2, 10, 4),
        (7, 59, 13, 4),
        (0, 60, 1, 72),
        (-100, 100, 4, 72),
        (-10, 70, 3, 48),
        (12, 36, 1, 24),
        (20, 21, 1, 1),
        (58, 60, 2, 1),
    ],
)
def test_hours_and_days_tell_exactly_what_their_minutes_tell(using, counted_days, since, until, points, step):
    asked = (EVERYTHING, "celery@a", BEGIN + since * 60 * MINUTE, BEGIN + until * 60 * MINUTE, points)
    from_hours = history(*asked)
    assert from_hours.step == step * HOUR
    assert any(value is not None for value in from_hours.processed_per_second)
    # Only the hour that is not counted yet still needs its minutes.
    kept = list(WorkerSample.objects.using(using).all())
    WorkerSample.objects.using(using).filter(minute__lt=BEGIN + 59 * 60 * MINUTE).delete()
    assert history(*asked) == from_hours
    WorkerSample.objects.using(using).all().delete()
    WorkerSample.objects.using(using).bulk_create(kept)
    WorkerRollup.objects.using(using).all().delete()
    assert history(*asked) == from_hours


def test_days_come_from_days(using, counted_days):
    asked = (EVERYTHING, "celery@a", BEGIN - 12 * 60 * MINUTE, BEGIN + 36 * 60 * MINUTE, 2)
    found = history(*asked)
    assert found.step == 24 * HOUR
    WorkerRollup.objects.using(using).filter(step=HOUR, start__lt=BEGIN + 36 * 60 * MINUTE).delete()
    WorkerSample.objects.using(using).filter(minute__lt=BEGIN + 59 * 60 * MINUTE).delete()
    assert history(*asked) == found


def test_short_range_has_minutes_while_there_are_any_and_hours_where_they_are_gone(using, counted_days):
    four_hours = 4 * 60 * MINUTE
    assert history(EVERYTHING, "celery@a", BEGIN, BEGIN + four_hours).step == 60
    WorkerRollup.objects.using(using).filter(step=HOUR, start__lt=BEGIN + 10 * 60 * MINUTE).update(
        frozen=True
    )
    WorkerSample.objects.using(using).filter(minute__lt=BEGIN + 10 * 60 * MINUTE).delete()
    gone = history(EVERYTHING, "celery@a", BEGIN + 17 * MINUTE, BEGIN + four_hours)
    assert gone.step == HOUR
    assert gone.times == [BEGIN + number * 60 * MINUTE for number in range(4)]
    assert None not in gone.active
    over_both = history(EVERYTHING, "celery@a", BEGIN + 9 * 60 * MINUTE, BEGIN + 12 * 60 * MINUTE)
    assert (over_both.step, len(over_both.times)) == (HOUR, 3)
    assert history(EVERYTHING, "celery@a", BEGIN + 10 * 60 * MINUTE, BEGIN + 12 * 60 * MINUTE).step == 60


def test_range_whose_hours_are_gone_has_days(using, counted_days):
    WorkerRollup.objects.using(using).update(frozen=True)
    WorkerRollup.objects.using(using).filter(step=HOUR).delete()
    WorkerSample.objects.using(using).all().delete()
    midnight = start_of(BEGIN, 24 * HOUR)
    found = history(EVERYTHING, "celery@a", BEGIN, BEGIN + 60 * 60 * MINUTE)
    assert found.times == [midnight + number * 24 * 60 * MINUTE for number in range(3)]
    assert None not in found.active
    assert history(EVERYTHING, "celery@b", BEGIN, BEGIN + MINUTE).step == 24 * HOUR


def test_what_is_done_in_the_last_minute_of_a_range_is_told_by_the_minute_after_it(using, watched):
    for minute in range(3):
        sample(using, minute, processed=60 * minute)
    assert history(EVERYTHING, "celery@a", BEGIN, BEGIN + 2 * MINUTE).processed_per_second == [1, 1]


def test_history_asks_three_statements_at_most(using, counted_days, django_assert_max_num_queries):
    with django_assert_max_num_queries(3, using=using):
        history(EVERYTHING, "celery@a", BEGIN - 12 * 60 * MINUTE, BEGIN + 60 * 60 * MINUTE, 2)
