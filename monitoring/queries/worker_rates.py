"""How many events each worker sends."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..models import WorkerSample
from .visibility import Visibility


def event_rates(visibility: Visibility, now: datetime) -> dict[str, float]:
    """Task events per second that were stored in the last whole minute, by host name; who has none is left out.

    Empty for a user of limited visibility. Cost: an index range of one row for each worker.
    """
    if not visibility.is_everything:
        return {}
    minute = now.replace(second=0, microsecond=0) - timedelta(minutes=1)
    rows = WorkerSample.objects.filter(minute=minute, events__gt=0).values_list("hostname", "events")
    return {hostname: events / 60 for hostname, events in rows}
