"""Since when the oldest message of each queue waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import Q

from monitoring.brokers import QueueReading
from monitoring.ingest.stores.merging import chunks
from monitoring.models import Task

#: Oldest waiting tasks that are looked through.
LOOKED_THROUGH = 2_000


def oldest_sent(using: str, readings: Iterable[QueueReading], now: datetime) -> Mapping[str, datetime]:
    """When the oldest waiting message of a queue was sent, by its ``task-sent`` event; left out where unknown.

    Where the broker shows which message comes next it is that one's; else that of the oldest task that no worker has
    received, whose message may have been deleted since.

    Cost: a primary key for each queue, or the LOOKED_THROUGH oldest waiting tasks by the index of states.
    """
    waiting = [reading for reading in readings if reading.ready]
    by_task = {reading.next_task_id: reading.name for reading in waiting if reading.next_task_id}
    found: dict[str, datetime] = {}
    for ids in chunks(sorted(by_task), 900):
        rows = Task.objects.using(using).filter(pk__in=ids).exclude(sent_at=None)
        found |= {
            by_task[task_id]: sent_at for task_id, sent_at in rows.values_list("pk", "sent_at") if sent_at
        }
    others = {reading.name for reading in waiting if not reading.next_task_id}
    if others:
        not_postponed = Q(eta=None) | Q(eta__lte=now)
        pending = Task.objects.using(using).filter(not_postponed, state="PENDING").order_by("first_seen")
        for name, sent_at in pending.values_list("queue", "sent_at")[:LOOKED_THROUGH]:
            if name in others and sent_at is not None:
                found[name] = min(sent_at, found.get(name, sent_at))
    return found
