"""Count the hours of workers from their minutes, and add up days. Exact whenever it is killed.

Each hour is counted once when it has been over for a while, in the order of time; after that whenever something of it
comes late, which whoever writes it marks. For the last time it is counted by ``trim``, in the transaction that deletes
its minutes.

Cost: one look for the next hour and one for marks, each by an index; for each hour what ``count_hour`` says.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db.models import Max, Min

from monitoring.models import WorkerRollup, WorkerRollupMark, WorkerSample
from monitoring.models.worker_rollup import SETTLED
from monitoring.time_steps import HOUR, start_of
from monitoring.upkeep.clock import read_clock
from monitoring.upkeep.lease import LeaseHolder
from monitoring.upkeep.worker_rollups import count_hour

#: Seconds after which a run leaves the rest to the next.
LONGEST = 5.0
_HOUR = timedelta(seconds=HOUR)


def run(lease: LeaseHolder) -> str:
    """Count the hours that are over, oldest first, then those that are marked. A transaction for each hour."""
    ends = time.monotonic() + LONGEST
    newest = WorkerRollupMark.objects.using(lease.using).aggregate(newest=Max("pk"))["newest"] or 0
    counted = 0
    while _count_next(lease) or _count_marked(lease, newest):
        counted += 1
        if time.monotonic() > ends:
            return f"Hours counted: {counted}; more are left to the next run."
    return f"Hours counted: {counted}."


def _count_next(lease: LeaseHolder) -> bool:
    """Count the first hour after those that are counted; False: there is none that is over."""
    with lease.transaction():
        samples = WorkerSample.objects.using(lease.using)
        counted = _newest_hour(lease.using)
        if counted is not None:
            samples = samples.filter(minute__gte=counted + _HOUR)
        oldest = samples.aggregate(oldest=Min("minute"))["oldest"]
        if oldest is None or start_of(oldest, HOUR) + _HOUR > read_clock(lease.using) - SETTLED:
            return False
        count_hour(lease.using, start_of(oldest, HOUR))
    return True


def _count_marked(lease: LeaseHolder, newest: int) -> bool:
    """Count an hour that is marked, the newest, and delete its marks; False: none is, by marks up to the id `newest`.

    A mark is committed with what came late, so whatever is read after this deletion sees that.
    """
    with lease.transaction():
        counted = _newest_hour(lease.using)
        if counted is None:
            return False
        # The mark of a later hour waits: the hours are counted in their order.
        marks = WorkerRollupMark.objects.using(lease.using).filter(pk__lte=newest, hour__lte=counted)
        hour = marks.order_by("-hour").values_list("hour", flat=True).first()
        if hour is None:
            return False
        marks.filter(hour=hour).delete()
        count_hour(lease.using, hour)
    return True


def _newest_hour(using: str) -> datetime | None:
    newest: datetime | None = (
        WorkerRollup.objects.using(using).filter(step=HOUR).aggregate(newest=Max("start"))["newest"]
    )
    return newest
