"""What gone senders counted is kept, in fewer rows, and nothing that is shown changes."""

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.metrics.shown import Shown
from monitoring.models import EventTotal
from monitoring.queries.event_counts import known_values
from monitoring.queries.visibility import Visibility
from monitoring.upkeep.jobs import gone_senders
from tests.metrics.scrape import make_total

OLD = timedelta(days=31)


@pytest.fixture
def total(using, settings):
    """Make a total that grew last so long ago."""
    settings.MONITORING = {**settings.MONITORING, "DATABASE": using}

    def make(kind, worker, count, age=OLD, **fields):
        at = datetime.now(UTC) - age
        return make_total(kind, count, using, worker=worker, created_at=at, updated_at=at, **fields)

    return make


def rows(using):
    return {
        (row.type, row.name, row.worker, row.queue, row.exception_type): row.count
        for row in EventTotal.objects.using(using).all()
    }


def test_totals_of_gone_senders_are_added_up_and_those_of_others_are_left(using, lease, total):
    total("received", "celery@pod-1", 1)
    total("received", "celery@pod-2", 2)
    total("succeeded", "celery@pod-1", 4, runtimes=[1.0, 2.0])
    total("succeeded", "celery@pod-2", 8, runtimes=[4.0])
    total("received", "celery@pod-1", 16, queue="other")
    total("received", "celery@here", 32, age=timedelta(days=29))
    total("revoked", "celery@here", 64)
    assert gone_senders.run(lease) == "Totals of gone senders added up: 5."
    total("received", "celery@pod-3", 128)
    assert gone_senders.run(lease) == "Totals of gone senders added up: 1."
    assert gone_senders.run(lease) == "Totals of gone senders added up: 0."
    assert rows(using) == {
        ("task-received", "shop.pay", "", "default", ""): 131,
        ("task-succeeded", "shop.pay", "", "default", ""): 12,
        ("task-received", "shop.pay", "", "other", ""): 16,
        ("task-received", "shop.pay", "celery@here", "default", ""): 32,
        ("task-revoked", "shop.pay", "celery@here", "default", ""): 64,
    }
    succeeded = EventTotal.objects.using(using).get(type="task-succeeded")
    assert (succeeded.runtime_sum, sum(succeeded.runtime_buckets)) == (7.0, 3)


def test_no_name_changes_between_a_series_of_its_own_and_the_shared_one(using, lease, total):
    for name, worker in (("a", "celery@1"), ("b", "celery@2"), ("a", "celery@3"), ("c", "celery@1")):
        total("received", worker, 1, name=name)
    # Of the first name the younger row goes first, and the older one, by which it has its series, later.
    EventTotal.objects.using(using).filter(worker="celery@1").update(updated_at=datetime.now(UTC))
    for _ in range(2):
        gone_senders.run(lease)
        assert known_values(Visibility.everything(), 2).names == {"a", "b"}
        EventTotal.objects.using(using).update(updated_at=datetime.now(UTC) - OLD)
    assert rows(using)["task-received", "a", "", "default", ""] == 2


def test_what_has_no_sender_any_more_is_counted_and_has_no_series(using, lease, total):
    total("received", "celery@gone", 3)
    gone_senders.run(lease)
    known = known_values(Visibility.everything(), 10)
    shown = Shown.of(known, [], datetime.now(UTC), labels=("worker",), expiry=600.0, default_queue="celery")
    assert known.names == {"shop.pay"}
    assert shown.workers == shown.hosts == frozenset()
