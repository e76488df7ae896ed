"""Which workers are offline, judged by what has been committed and never by what has not arrived yet."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from monitoring.ingest.stores import store_for
from monitoring.ingest.stores.contract import Batch
from monitoring.models import Consumer, Gap, Worker
from monitoring.upkeep.jobs import workers
from monitoring.upkeep.lease import LeaseHolder, LeaseLost
from tests.ingest.worker_streams import decoded_worker_events, worker_event

# Heartbeats every two minutes: no machine is so slow that six minutes pass between two lines of a test.
FREQUENCY = 120.0
MINUTE = timedelta(minutes=1)


@pytest.fixture
def now():
    return datetime.now(UTC)


def beat(using, moment, host="celery@a", kind="heartbeat", **fields):
    """A heartbeat comes out of the broker and is committed."""
    figures = {"freq": FREQUENCY, "active": 0, "processed": 0, "loadavg": [0, 0, 0]}
    event = worker_event(kind, round(moment.timestamp()) * 1_000_000, host, **(figures | fields))
    store_for(using).write(Batch(workers=decoded_worker_events([event])))


def report(using, horizon, name="consumer", **fields):
    """A consumer reports how far it is."""
    now = datetime.now(UTC)
    Consumer.objects.using(using).update_or_create(
        consumer_id=name,
        defaults={
            "hostname": "monitor-1",
            "pid": 1,
            "started_at": now - timedelta(hours=1),
            # Of the future: the report stays recent however slow the test is.
            "reported_at": now + timedelta(hours=1),
            "connected": True,
            "horizon": horizon,
            **fields,
        },
    )


def online(using):
    return set(Worker.objects.using(using).filter(online=True).values_list("pk", flat=True))


def test_a_killed_worker_goes_offline_and_the_others_stay(using, lease, now):
    beat(using, now - 8 * MINUTE, "celery@killed")
    beat(using, now - 1 * MINUTE, "celery@alive")
    report(using, now)
    outcome = workers.run(lease)
    assert online(using) == {"celery@alive"}
    assert "2 online workers judged" in outcome
    assert "offline now: celery@killed" in outcome


def test_a_worker_may_miss_as_many_heartbeats_as_the_setting_says(using, lease, now, settings):
    beat(using, now - 8 * MINUTE)
    report(using, now)
    settings.MONITORING = {**settings.MONITORING, "HEARTBEAT_GRACE": 5}
    workers.run(lease)
    assert online(using) == {"celery@a"}
    settings.MONITORING = {**settings.MONITORING, "HEARTBEAT_GRACE": 3}
    workers.run(lease)
    assert online(using) == set()


def test_an_interval_that_is_no_time_keeps_nobody_from_being_judged(using, lease, now):
    beat(using, now - 8 * MINUTE, "celery@killed", freq=1e12)
    beat(using, now - 8 * MINUTE, "celery@negative", freq=-1e308)
    Worker.objects.using(using).update(clock_skew=0.1)
    report(using, now)
    workers.run(lease)
    assert online(using) == set()


def test_a_new_heartbeat_brings_a_silent_worker_back(using, lease, now):
    beat(using, now - 8 * MINUTE)
    report(using, now)
    workers.run(lease)
    beat(using, now - 9 * MINUTE)
    assert online(using) == set(), "an older one says nothing new"
    beat(using, now - 7 * MINUTE)
    assert online(using) == {"celery@a"}
    workers.run(lease)
    assert online(using) == set(), "and is judged anew"


def test_a_heartbeat_that_comes_while_it_is_judged_wins(using, lease, now):
    beat(using, now - 8 * MINUTE)
    report(using, now)
    stale = Worker.objects.using(using).get()
    beat(using, now)
    assert not workers._silence(using, stale)
    assert online(using) == {"celery@a"}


def test_a_backlog_after_an_outage_turns_no_worker_offline(using, lease, now):
    beat(using, now - 90 * MINUTE, "celery@a")
    beat(using, now - 80 * MINUTE, "celery@b")
    # An hour of events waits in the broker: the horizon is at their beginning.
    report(using, now - 60 * MINUTE)
    assert "0 online workers judged" in workers.run(lease)
    assert online(using) == {"celery@a", "celery@b"}
    # Most of it is read, and celery@a's heartbeats were in it.
    beat(using, now - 7 * MINUTE, "celery@a")
    report(using, now - 7 * MINUTE)
    workers.run(lease)
    assert online(using) == {"celery@a", "celery@b"}
    # All of it is read, and celery@b is really gone.
    beat(using, now - 1 * MINUTE, "celery@a")
    report(using, now)
    workers.run(lease)
    assert online(using) == {"celery@a"}


def test_silence_is_measured_up_to_the_horizon_and_not_up_to_the_present(using, lease, now):
    beat(using, now - 8 * MINUTE)
    report(using, now - 3 * MINUTE)
    assert "1 online workers judged" in workers.run(lease)
    assert online(using) == {"celery@a"}


def test_the_slowest_consumer_decides(using, lease, now):
    beat(using, now - 8 * MINUTE)
    report(using, now, "fast")
    report(using, now - 60 * MINUTE, "slow")
    workers.run(lease)
    assert online(using) == {"celery@a"}


@pytest.mark.parametrize(
    "fields",
    [
        {"connected": False},
        {"reported_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"stopped_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"horizon": None},
    ],
    ids=["disconnected", "died", "stopped", "just started"],
)
def test_nothing_is_judged_without_a_consumer_that_is_connected(using, lease, now, fields):
    beat(using, now - 60 * MINUTE)
    assert workers.run(lease).startswith("Not judged")
    report(using, now)
    report(using, **{"horizon": now, **fields})
    assert workers.run(lease).startswith("Not judged")
    assert online(using) == {"celery@a"}


def test_a_consumer_that_died_does_not_hold_up_the_judgement_of_the_others(using, lease, now):
    beat(using, now - 8 * MINUTE)
    report(using, now - 60 * MINUTE, "dead", reported_at=now - 10 * MINUTE)
    report(using, now, "alive")
    workers.run(lease)
    assert online(using) == set()


def test_heartbeats_lost_in_a_gap_are_not_missed(using, lease, now):
    beat(using, now - 60 * MINUTE)
    Gap.objects.using(using).create(
        started_at=now - 50 * MINUTE, ended_at=now - 2 * MINUTE, reason="no consumer was connected"
    )
    report(using, now)
    workers.run(lease)
    assert online(using) == {"celery@a"}
    Gap.objects.using(using).update(ended_at=now - 7 * MINUTE)
    workers.run(lease)
    assert online(using) == set()


def test_a_sender_whose_clock_is_ahead_does_not_turn_the_others_offline(using, lease, now):
    beat(using, now - 1 * MINUTE)
    report(using, now + 60 * MINUTE)
    workers.run(lease)
    assert online(using) == {"celery@a"}


def test_nothing_is_committed_once_the_lease_is_lost(using, lease, now):
    beat(using, now - 8 * MINUTE)
    report(using, now)
    lease_of_another = LeaseHolder(using, lease.name, "another")
    lease.release()
    assert lease_of_another.try_acquire()
    lease._held_until = float("inf")  # frozen since before it expired
    with pytest.raises(LeaseLost):
        workers.run(lease)
    assert online(using) == {"celery@a"}
    connections[using].close()
