"""Who is online at this moment: one rule for pages, API, metrics and upkeep."""

from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring.models import Consumer, Gap, Worker
from monitoring.queries.arrivals import signs_of_life
from monitoring.queries.status import status
from monitoring.queries.visibility import Visibility
from monitoring.queries.worker_presence import presence
from monitoring.queries.workers import online_hostnames, totals, worker, workers
from tests.factories import make_worker

pytestmark = pytest.mark.django_db

EVERYTHING = Visibility.everything()
#: Heartbeats every minute: no machine is so slow that three pass between two lines of a test.
FREQUENCY = 60.0


@pytest.fixture
def now():
    return timezone.now()


def report(horizon, **fields):
    """A consumer says how far it is; its report stays recent however slow the test is."""
    now = timezone.now()
    Consumer.objects.update_or_create(
        consumer_id="consumer",
        defaults={
            "hostname": "monitor-1",
            "pid": 1,
            "started_at": now,
            "reported_at": now + timedelta(hours=1),
            "connected": True,
            "horizon": horizon,
            **fields,
        },
    )


def silent_for(minutes, hostname="celery@a", **fields):
    """A worker that upkeep has not judged yet."""
    heartbeat = timezone.now() - timedelta(minutes=minutes)
    return make_worker(hostname, last_heartbeat=heartbeat, frequency=FREQUENCY, **fields)


def test_killed_worker_is_offline_everywhere_before_upkeep_has_run(now):
    silent_for(5, "celery@killed")
    silent_for(1, "celery@alive")
    report(now)
    assert [(w.hostname, w.online) for w in workers(EVERYTHING)] == [
        ("celery@killed", False),
        ("celery@alive", True),
    ]
    assert worker(EVERYTHING, "celery@killed").online is False
    assert worker(EVERYTHING, "celery@alive").online is True
    assert online_hostnames() == ["celery@alive"]
    assert (totals(EVERYTHING).online, totals(EVERYTHING).offline) == (1, 1)
    assert (status(EVERYTHING).workers_online, status(EVERYTHING).workers_known) == (1, 2)
    assert signs_of_life().workers_online == 1
    assert Worker.objects.get(pk="celery@killed").online is True, "only upkeep writes it down"


@pytest.mark.parametrize("fields", [{"connected": False}, {"horizon": None}])
def test_nobody_is_judged_without_a_consumer_that_is_up_to_date(now, fields):
    silent_for(60)
    report(**{"horizon": now, **fields})
    assert online_hostnames() == ["celery@a"]


def test_nobody_is_judged_in_a_backlog(now):
    silent_for(60)
    report(now - timedelta(minutes=4))
    assert online_hostnames() == ["celery@a"]


def test_heartbeats_that_passed_in_a_gap_are_not_missed(now):
    silent_for(60)
    Gap.objects.create(
        started_at=now - timedelta(hours=1), ended_at=now - timedelta(minutes=1), reason="away"
    )
    report(now)
    assert online_hostnames() == ["celery@a"]


def test_worker_that_said_goodbye_stays_offline(now):
    silent_for(0, online=False)
    report(now)
    assert online_hostnames() == []


def test_worker_whose_clock_is_behind_is_online_while_it_is_heard(now):
    silent_for(61, "celery@behind", clock_skew=3600.0)
    silent_for(65, "celery@behind-and-gone", clock_skew=3600.0)
    report(now)
    assert online_hostnames() == ["celery@behind"]


def test_worker_whose_clock_is_ahead_is_offline_when_it_is_no_longer_heard(now):
    silent_for(-59, "celery@ahead", clock_skew=-3600.0)
    silent_for(-55, "celery@ahead-and-gone", clock_skew=-3600.0)
    report(now)
    assert online_hostnames() == ["celery@ahead"]


def test_worker_whose_clock_was_put_right_stays_online(now):
    silent_for(0, "celery@was-ahead", clock_skew=-3600.0)
    silent_for(0, "celery@was-behind", clock_skew=3600.0)
    report(now)
    assert online_hostnames() == ["celery@was-ahead", "celery@was-behind"]


def test_grace_is_the_setting_times_the_workers_own_interval(now, settings):
    settings.MONITORING = {**settings.MONITORING, "HEARTBEAT_GRACE": 4}
    assert presence().grace(Worker(frequency=10.0)) == 40
    assert presence().grace(Worker(frequency=None)) == 8
    assert presence().grace(Worker(frequency=-1.0)) == 8


def test_totals_add_up_those_that_are_online(now):
    silent_for(1, "celery@a", active=2, concurrency=4, processed=10)
    silent_for(1, "celery@b", active=None, concurrency=None, processed=None)
    silent_for(9, "celery@killed", active=7, concurrency=8, processed=9)
    report(now)
    found = totals(EVERYTHING)
    assert (found.active, found.concurrency, found.processed) == (2, 4, 10)
    assert found.frequencies == (FREQUENCY, FREQUENCY)
    limited = totals(Visibility(names=("a.*",)))
    assert (limited.known, limited.online) == (3, 2)
    assert (limited.active, limited.concurrency, limited.processed) == (None, None, None)
