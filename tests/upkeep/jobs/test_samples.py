"""What the history of workers says of the present."""

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.ingest.stores import store_for
from monitoring.ingest.stores.contract import Batch
from monitoring.ingest.worker_samples import DELAY
from monitoring.models import Consumer, Worker, WorkerEvent
from monitoring.upkeep.jobs import samples, workers
from tests.ingest.worker_streams import decoded_worker_events, worker_event

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def minute():
    """The beginning of this minute."""
    return datetime.now(UTC).replace(second=0, microsecond=0)


def say(using, moment, host="celery@a", kind="heartbeat", delay=None, **fields):
    """A worker says something, which comes out of the broker and is committed."""
    figures = {"freq": 2.0, "active": 0, "processed": 0, "loadavg": [0, 0, 0]}
    raw = worker_event(kind, round(moment.timestamp()) * 1_000_000, host, **(figures | fields))
    events = decoded_worker_events([raw])
    if delay is not None:
        events[0].values[DELAY] = delay
    store_for(using).write(Batch(workers=events))


def worker(using, host="celery@a"):
    return Worker.objects.using(using).get(pk=host)


@pytest.mark.parametrize(
    "ahead", [timedelta(0), HOUR, -HOUR, 300 * HOUR], ids=["right", "ahead", "behind", "far"]
)
def test_clock_skew_is_that_of_the_newest_minute_by_the_workers_own_clock(using, lease, minute, ahead):
    skew = 0.2 - ahead.total_seconds()
    say(using, minute + ahead - MINUTE, delay=skew + 7)
    say(using, minute + ahead, delay=skew)
    say(using, minute + ahead + 2 * SECOND, delay=skew + 0.3)
    samples.run(lease)
    assert worker(using).clock_skew == pytest.approx(skew)


def test_clock_skew_is_kept_while_nothing_tells_of_it_and_does_not_flicker(using, lease, minute):
    say(using, minute - 9 * MINUTE, delay=0.2)
    samples.run(lease)
    say(using, minute)
    assert samples.run(lease) == "1 workers looked at; 0 changed."
    say(using, minute + 2 * SECOND, delay=0.4)
    samples.run(lease)
    assert worker(using).clock_skew == pytest.approx(0.2)
    say(using, minute + MINUTE, delay=30)
    samples.run(lease)
    assert worker(using).clock_skew == pytest.approx(30)


def test_two_workers_of_one_name_are_noticed_by_their_process_ids(using, lease, minute):
    for second in (1, 3, 61, 63):
        say(using, minute - 2 * MINUTE + second * SECOND, pid=10 if second % 4 == 1 else 20)
    for second in (1, 3):
        say(using, minute - 2 * MINUTE + second * SECOND, "celery@b", pid=5)
    for number, second in enumerate((0, 2, 60, 62)):
        say(using, minute - 2 * MINUTE + second * SECOND, pid=(10, 20)[number % 2])
    samples.run(lease)
    assert worker(using).duplicate_pids == [10, 20]
    assert worker(using, "celery@b").duplicate_pids is None
    # The present minute has begun with one of them; the other is still there.
    say(using, minute, pid=10)
    samples.run(lease)
    assert worker(using).duplicate_pids == [10, 20]
    # One of them is gone.
    for later in (1, 2):
        say(using, minute + later * MINUTE, pid=10)
    samples.run(lease)
    assert worker(using).duplicate_pids is None


def test_worker_that_is_restarted_again_and_again_is_one_worker(using, lease, minute):
    for number in range(6):
        say(using, minute - 3 * MINUTE + number * 30 * SECOND, pid=100 + number, kind="online")
    samples.run(lease)
    assert worker(using).duplicate_pids is None


def test_restarts_are_the_processes_that_began_in_a_day_beside_the_first(using, lease, minute):
    say(using, minute - 5 * HOUR, kind="online", pid=1)
    samples.run(lease)
    assert worker(using).restarts == 0
    say(using, minute - 4 * HOUR, kind="online", pid=2)
    say(using, minute - 3 * HOUR, kind="online", pid=2)  # a container gives the same id again
    say(using, minute - 2 * HOUR, kind="online", pid=2, processed=70)  # only its broker was away
    say(using, minute - 2 * HOUR, "celery@b", kind="online")
    samples.run(lease)
    assert worker(using).restarts == 2
    assert worker(using, "celery@b").restarts == 0


def test_restart_of_a_worker_that_was_known_before_counts(using, lease, minute):
    say(using, minute - 40 * HOUR, processed=9)
    say(using, minute - 3 * HOUR, kind="online")
    samples.run(lease)
    assert worker(using).restarts == 1


def test_restarts_are_forgotten_after_a_day_even_of_workers_that_are_gone(using, lease, minute):
    say(using, minute - 60 * HOUR, kind="online")
    say(using, minute - 30 * HOUR, kind="online")
    say(using, minute - 29 * HOUR, kind="offline")
    Worker.objects.using(using).update(restarts=7)
    samples.run(lease)
    assert worker(using).restarts == 0


def test_names_that_come_once_and_are_gone_are_left_to_the_database(
    using, lease, minute, django_assert_num_queries
):
    """Of workers whose names have an id of their container in them there are new ones every time."""
    once = [f"celery@{number}" for number in range(2_000)]
    seen = {"first_seen": minute - HOUR, "last_heartbeat": minute - HOUR, "online": False}
    Worker.objects.using(using).bulk_create(Worker(hostname=name, **seen) for name in once)
    WorkerEvent.objects.using(using).bulk_create(
        WorkerEvent(hostname=name, timestamp=minute - HOUR, type="worker-online", tie=1) for name in once
    )
    say(using, minute - HOUR, kind="online")
    say(using, minute, kind="online")
    with django_assert_num_queries(1, using=using):
        assert samples._restarts(using, minute - 2 * HOUR) == {"celery@a": 1}


def test_restarts_are_told_of_so_many_workers_only_and_of_those_with_the_most(
    using, lease, minute, monkeypatch
):
    monkeypatch.setattr(samples, "MOST_RESTARTED", 2)
    for host, times in (("celery@a", 2), ("celery@b", 4), ("celery@c", 3)):
        for number in range(times):
            say(using, minute - number * HOUR, host, kind="online")
    samples.run(lease)
    restarts = dict(Worker.objects.using(using).values_list("hostname", "restarts"))
    assert restarts == {"celery@a": 0, "celery@b": 3, "celery@c": 2}


def test_redelivered_starts_count_once(using, lease, minute):
    for _ in range(3):
        say(using, minute - 40 * HOUR, kind="online")
        say(using, minute - 3 * HOUR, kind="online")
    samples.run(lease)
    assert worker(using).restarts == 1


def test_worker_whose_clock_is_far_behind_does_not_stay_offline(using, lease, minute):
    now = datetime.now(UTC)
    Consumer.objects.using(using).create(
        consumer_id="consumer", hostname="monitor-1", pid=1, started_at=now, reported_at=now + HOUR,
        connected=True, horizon=now + HOUR,
    )  # fmt: skip
    frequency = {"freq": 600.0}  # the test may take its time
    say(using, now - 2 * HOUR, delay=7200.0, **frequency)
    workers.run(lease)
    assert not worker(using).online, "nothing is known of its clock yet"
    samples.run(lease)
    assert worker(using).clock_skew == pytest.approx(7200.0)
    say(using, now - 2 * HOUR + 2 * SECOND, delay=7200.0, **frequency)
    workers.run(lease)
    assert worker(using).online


def test_name_of_workers_that_are_all_gone_is_not_shared_any_more(using, lease, minute):
    for offset in (1, 3, 61, 63):
        say(using, minute - 2 * MINUTE + offset * SECOND, pid=10 if offset in (1, 61) else 20)
    samples.run(lease)
    assert worker(using).duplicate_pids == [10, 20]
    say(using, minute, kind="offline", pid=20)
    samples.run(lease)
    assert worker(using).duplicate_pids is None
    assert samples.run(lease) == "0 workers looked at; 0 changed."
