"""All workers over time: how many there were, and what they ran."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

from django.db.models import Count, F, Sum
from django.db.models.functions import TruncHour

from ..models import WorkerSample
from ..time_steps import HOUR
from .statistics_range import Range
from .visibility import Visibility


@dataclass(frozen=True)
class Fleet:
    """Means over the minutes of each bucket of a range, oldest first, and over the range before it; None: not known.

    `online` is how many workers sent heartbeats, `running` how many tasks they ran.
    """

    online: list[float | None]
    running: list[float | None]
    online_before: float | None
    running_before: float | None


def fleet(visibility: Visibility, period: Range, worker: str | None = None) -> Fleet | None:
    """Of all workers, or of one; None for a user of limited visibility, who sees no figures of workers.

    Samples are kept for a week, by the clocks of the workers. Cost: one statement over the samples of both ranges, one
    a minute and worker, which the database groups by minutes or hours.
    """
    if not visibility.is_everything or "\0" in (worker or ""):
        return None
    before = period.previous()
    samples = WorkerSample.objects.filter(minute__gte=before.start, minute__lt=period.end)
    if worker is not None:
        samples = samples.filter(hostname=worker)
    at = TruncHour("minute", tzinfo=UTC) if period.step >= HOUR else F("minute")
    rows = (
        samples.order_by()
        .annotate(at=at)
        .values_list("at")
        .annotate(minutes=Count("minute", distinct=True), workers=Count("hostname"), active=Sum("active"))
    )
    buckets = [_Minutes() for _ in period.edges[1:]]
    earlier = _Minutes()
    for moment, *figures in rows:
        # An hour of UTC that a range begins within counts to where it begins.
        bucket = earlier if moment < period.start else buckets[period.index(moment)]
        bucket.add(*figures)
    return Fleet(
        [each.mean(each.workers) for each in buckets],
        [each.mean(each.active) for each in buckets],
        earlier.mean(earlier.workers),
        earlier.mean(earlier.active),
    )


class _Minutes:
    """Sums over minutes; those of which there is no sample are not known."""

    def __init__(self) -> None:
        self.minutes = self.workers = self.active = 0

    def add(self, minutes: int, workers: int, active: int | None) -> None:
        self.minutes += minutes
        self.workers += workers
        self.active += active or 0

    def mean(self, total: int) -> float | None:
        return total / self.minutes if self.minutes else None
