"""Whether the event consumers do their work: what ``/readyz`` asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Max
from django.utils import timezone

from ..conf import monitoring_settings
from ..models import Consumer, Worker
from .worker_presence import DEFAULT_FREQUENCY, RECENT, is_running


@dataclass(frozen=True)
class ConsumerTrouble:
    """How many run, how many of those are connected, and by how many seconds the slowest of these is behind.

    `behind` None: it has committed nothing yet.
    """

    running: int
    connected: int
    behind: float | None


def consumer_trouble() -> ConsumerTrouble | None:
    """What is wrong with them; None: nothing. Tells of no task, so everybody may know.

    Behind is who is further from the present than a worker may be silent, as on the strip on top of pages.

    Cost: the consumers of the last seconds, and one aggregate over the workers.
    """
    now = timezone.now()
    recent = Consumer.objects.filter(reported_at__gt=now - timedelta(seconds=RECENT))
    running = [consumer for consumer in recent if is_running(consumer, now)]
    connected = [consumer for consumer in running if consumer.connected]
    horizons = [consumer.horizon for consumer in connected]
    known = [horizon for horizon in horizons if horizon is not None]
    behind = (now - min(known)).total_seconds() if known and len(known) == len(horizons) else None
    if behind is not None and behind <= _grace():
        return None
    return ConsumerTrouble(len(running), len(connected), behind)


def _grace() -> float:
    slowest = Worker.objects.filter(online=True).aggregate(slowest=Max("frequency"))["slowest"] or 0.0
    return monitoring_settings.HEARTBEAT_GRACE * max(DEFAULT_FREQUENCY, slowest)
