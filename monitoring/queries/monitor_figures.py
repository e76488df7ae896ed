"""How the monitor itself does: what its own metrics say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, DurationField, ExpressionWrapper, F, Sum
from django.utils import timezone

from ..models import Consumer, DeadLetter, Gap, UpkeepJob
from .visibility import Visibility
from .worker_presence import RECENT, is_running


@dataclass(frozen=True)
class MonitorFigures:
    """`consumers` are those that run, dead letters and gaps those that are kept; `gap_seconds` is of all together."""

    consumers: Sequence[Consumer]
    dead_letters: int
    gaps: int
    gap_seconds: float
    jobs: Sequence[UpkeepJob]


def monitor_figures(visibility: Visibility) -> MonitorFigures | None:
    """None for a user of limited visibility. Cost: four small tables, of two of them only how many rows they have."""
    if not visibility.is_everything:
        return None
    now = timezone.now()
    recent = Consumer.objects.filter(reported_at__gt=now - timedelta(seconds=RECENT)).order_by("consumer_id")
    length = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    gaps = Gap.objects.aggregate(number=Count("pk"), length=Sum(length))
    return MonitorFigures(
        consumers=[consumer for consumer in recent if is_running(consumer, now)],
        dead_letters=DeadLetter.objects.count(),
        gaps=gaps["number"],
        gap_seconds=gaps["length"].total_seconds() if gaps["length"] else 0.0,
        jobs=list(UpkeepJob.objects.order_by("name")),
    )
