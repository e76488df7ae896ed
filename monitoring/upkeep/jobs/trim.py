"""What nobody reads any more: old feed entries, old history of workers, and health rows of consumers that are gone.

Cost: a DELETE by an index on the feed, which has at most a few thousand rows, one on a table of a few rows, and two by
an index on what workers said: a row a minute for each of them.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Min, Q
from django.db.models.functions import Least

from monitoring.models import Consumer, FeedEntry, MissedRuns, WorkerEvent, WorkerSample
from monitoring.upkeep.clock import database_now, read_clock
from monitoring.upkeep.lease import LeaseHolder
from monitoring.upkeep.statistics.groups import forget_workers

#: How long a consumer that reports no more is still shown.
KEPT = timedelta(days=1)
#: How long a live page may have been away and still be told what it missed; twice what its sparkline shows.
FEED_KEPT = timedelta(minutes=10)
#: How long samples of workers are kept, and how long the log of who came and went.
SAMPLES_KEPT, COMINGS_KEPT = timedelta(days=7), timedelta(days=30)
#: How long missed runs of schedules are kept.
MISSED_KEPT = timedelta(days=30)
#: How long it is known on which workers tasks failed: a little longer than the failures page looks back.
SIGHTINGS_KEPT = timedelta(days=31)
#: What one run deletes of samples at most, so that it is short when it has much to make up for.
SAMPLES_AT_ONCE = timedelta(hours=6)
#: Samples further ahead than this are of a clock that nobody can mean.
AHEAD = timedelta(days=1)


def run(lease: LeaseHolder) -> str:
    """Delete feed entries after ten minutes, samples of workers after a week, what they said of coming and going after
    a month, missed runs of schedules and on which workers tasks failed as long, and health rows of consumers that have
    not reported for a day.
    """
    now = database_now(lease.using)
    with lease.transaction():
        entries, _ = FeedEntry.objects.using(lease.using).filter(at__lt=now - FEED_KEPT).delete()
        old = Consumer.objects.using(lease.using).filter(reported_at__lt=now - KEPT)
        gone, _ = old.exclude(pk__in=_last_subscribers(lease.using)).delete()
        samples = _trim_samples(lease.using)
        WorkerEvent.objects.using(lease.using).filter(timestamp__lt=now - COMINGS_KEPT).delete()
        forget_workers(lease.using, read_clock(lease.using) - SIGHTINGS_KEPT)
        MissedRuns.objects.using(lease.using).filter(newest_due__lt=now - MISSED_KEPT).delete()
    return f"Consumers forgotten: {gone}; feed entries: {entries}; samples of workers: {samples}."


def _trim_samples(using: str) -> int:
    now = read_clock(using)
    samples = WorkerSample.objects.using(using)
    oldest = samples.aggregate(oldest=Min("minute"))["oldest"]
    if oldest is None:
        return 0
    until = min(now - SAMPLES_KEPT, oldest + SAMPLES_AT_ONCE)
    deleted, _ = samples.filter(Q(minute__lt=until) | Q(minute__gt=now + AHEAD)).delete()
    return deleted


def _last_subscribers(using: str) -> list[str]:
    """Whoever subscribed last: its row says since when events have been missed, however long ago that is."""
    consumers = Consumer.objects.using(using).filter(listening_until__isnull=False, horizon__isnull=False)
    return list(
        consumers.order_by(Least("listening_until", "horizon").desc()).values_list("pk", flat=True)[:1]
    )
