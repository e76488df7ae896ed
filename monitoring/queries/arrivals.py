"""Whether anything reaches the monitor at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max

from ..models import Consumer, Worker
from .workers import online_hostnames


@dataclass(frozen=True)
class SignsOfLife:
    """Of the event consumers and the workers; None: never."""

    consumer_reported_at: datetime | None
    consumer_connected: bool
    consumer_error: str
    workers: int
    workers_online: int
    last_heartbeat: datetime | None


def signs_of_life() -> SignsOfLife:
    """The newest report of a consumer, and what workers said. Cost: two small tables."""
    consumer = Consumer.objects.order_by("-reported_at").first()
    workers = Worker.objects.aggregate(all=Count("pk"), last=Max("last_heartbeat"))
    return SignsOfLife(
        consumer_reported_at=consumer.reported_at if consumer else None,
        consumer_connected=bool(consumer and consumer.connected and consumer.stopped_at is None),
        consumer_error=consumer.last_error if consumer else "",
        workers=workers["all"],
        workers_online=len(online_hostnames()),
        last_heartbeat=workers["last"],
    )
