"""Marks of hours that were over, and may have been counted, when something of them came."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from monitoring.models import WorkerRollupMark
from monitoring.models.worker_rollup import LATE
from monitoring.time_steps import HOUR, MINUTE, start_of

_HOUR = timedelta(seconds=HOUR)


def mark_late_hours(using: str, minutes: Iterable[datetime]) -> None:
    """Mark the hours that a change of these minutes changes, where they are long over. Must run in its transaction.

    What was done in a minute shows in the next, so the first minute of an hour changes the hour before it, too. Cost:
    nothing where nothing is late, else an INSERT of a few rows.
    """
    hours = {
        start_of(at - before, HOUR) for at in minutes for before in (timedelta(0), timedelta(seconds=MINUTE))
    }
    over = timezone.now() - LATE - _HOUR
    late = [WorkerRollupMark(hour=hour) for hour in sorted(hours) if hour <= over]
    if late:
        WorkerRollupMark.objects.using(using).bulk_create(late)
