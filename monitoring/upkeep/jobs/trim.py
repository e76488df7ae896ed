"""What nobody reads any more: old feed entries, old history of workers, and health rows of consumers that are gone.

Cost: a DELETE by an index on the feed, which has at most a few thousand rows, one on a table of a few rows, and one by
an index on who came and went. Once an hour the oldest hour of samples, 60 rows for each worker, is counted for the last
time and deleted; once a day the oldest day of hours, and of days, by an index.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Min
from django.db.models.functions import Least

from monitoring.models import Consumer, FeedEntry, MissedRuns, WorkerEvent, WorkerRollup, WorkerSample
from monitoring.time_steps import DAY, HOUR, start_of
from monitoring.upkeep.clock import database_now, read_clock
from monitoring.upkeep.lease import LeaseHolder
from monitoring.upkeep.statistics.groups import forget_workers
from monitoring.upkeep.worker_rollups import count_hour

#: How long a consumer that reports no more is still shown.
KEPT = timedelta(days=1)
#: How long a live page may have been away and still be told what it missed; twice what its sparkline shows.
FEED_KEPT = timedelta(minutes=10)
#: How long samples of workers are kept, and how long the log of who came and went.
SAMPLES_KEPT, COMINGS_KEPT = timedelta(days=7), timedelta(days=30)
#: How long the hours that samples add up to are kept, and how long the days.
HOURS_KEPT, DAYS_KEPT = timedelta(days=90), timedelta(days=730)
#: How long missed runs of schedules are kept.
MISSED_KEPT = timedelta(days=30)
#: How long it is known on which workers tasks failed: a little longer than the failures page looks back.
SIGHTINGS_KEPT = timedelta(days=31)
#: Hours of samples, and days of hours, that one run deletes at most: it is short when it has much to make up for, too.
SAMPLES_AT_ONCE, HOURS_AT_ONCE = 6, 6
#: Samples further ahead than this are of a clock that nobody can mean.
AHEAD = timedelta(days=1)


def run(lease: LeaseHolder) -> str:
    """Delete feed entries after ten minutes, samples of workers after a week, the hours that they add up to after 90
    days and the days after two years, what workers said of coming and going after a month, missed runs of schedules and
    on which workers tasks failed as long, and health rows of consumers that have not reported for a day.
    """
    now = database_now(lease.using)
    with lease.transaction():
        entries, _ = FeedEntry.objects.using(lease.using).filter(at__lt=now - FEED_KEPT).delete()
        old = Consumer.objects.using(lease.using).filter(reported_at__lt=now - KEPT)
        gone, _ = old.exclude(pk__in=_last_subscribers(lease.using)).delete()
        WorkerEvent.objects.using(lease.using).filter(timestamp__lt=now - COMINGS_KEPT).delete()
        forget_workers(lease.using, read_clock(lease.using) - SIGHTINGS_KEPT)
        MissedRuns.objects.using(lease.using).filter(newest_due__lt=now - MISSED_KEPT).delete()
        samples, _ = WorkerSample.objects.using(lease.using).filter(minute__gt=now + AHEAD).delete()
    samples += _trim_samples(lease)
    _trim_rollups(lease)
    return f"Consumers forgotten: {gone}; feed entries: {entries}; samples of workers: {samples}."


def _trim_samples(lease: LeaseHolder) -> int:
    """Delete whole hours, the oldest first, each in the transaction that counts it for good; how many samples."""
    samples = WorkerSample.objects.using(lease.using)
    trimmed = 0
    for _ in range(SAMPLES_AT_ONCE):
        with lease.transaction():
            oldest = samples.aggregate(oldest=Min("minute"))["oldest"]
            if oldest is None or oldest >= start_of(read_clock(lease.using) - SAMPLES_KEPT, HOUR):
                break
            hour = start_of(oldest, HOUR)
            count_hour(lease.using, hour, final=True)
            trimmed += samples.filter(minute__lt=hour + timedelta(seconds=HOUR)).delete()[0]
    return trimmed


def _trim_rollups(lease: LeaseHolder) -> None:
    """Delete the hours of whole days, the oldest first, and freeze those days; delete days that are too old."""
    rollups = WorkerRollup.objects.using(lease.using)
    hours, days = rollups.filter(step=HOUR), rollups.filter(step=DAY)
    for _ in range(HOURS_AT_ONCE):
        with lease.transaction():
            oldest = hours.aggregate(oldest=Min("start"))["oldest"]
            if oldest is None or oldest >= start_of(read_clock(lease.using) - HOURS_KEPT, DAY):
                break
            day = start_of(oldest, DAY)
            days.filter(start=day).update(frozen=True)
            hours.filter(start__lt=day + timedelta(seconds=DAY)).delete()
    with lease.transaction():
        days.filter(start__lt=read_clock(lease.using) - DAYS_KEPT).delete()


def _last_subscribers(using: str) -> list[str]:
    """Whoever subscribed last: its row says since when events have been missed, however long ago that is."""
    consumers = Consumer.objects.using(using).filter(listening_until__isnull=False, horizon__isnull=False)
    return list(
        consumers.order_by(Least("listening_until", "horizon").desc()).values_list("pk", flat=True)[:1]
    )
