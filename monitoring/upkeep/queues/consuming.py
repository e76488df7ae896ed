"""Whether anything consumes a queue, where that is certain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

import celery

from monitoring.brokers import QueueReading
from monitoring.control.connecting import ControlUnavailable, control_connection, faults
from monitoring.models import Queue, Worker
from monitoring.queries.worker_presence import Presence

#: Seconds for which workers that nobody knows of are waited for.
PATIENCE = 1.0


class Consumed(Enum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def consumers_of(workers: Iterable[Worker]) -> Mapping[str, list[str]]:
    """Names of the workers that consume each queue, in order; `workers` are those that are online."""
    found: dict[str, list[str]] = defaultdict(list)
    for worker in sorted(workers, key=lambda worker: worker.hostname):
        for name in worker.queues or ():
            found[name].append(worker.hostname)
    return found


def judge(
    reading: QueueReading,
    known: Queue | None,
    hosts: Sequence[str],
    online: Sequence[Worker],
    presence: Presence,
) -> Consumed:
    """Whether a queue is consumed, by the broker's own count, else by what workers said of themselves.

    Silence is believed only up to the horizon, and only where every online worker has said what it consumes.
    """
    if reading.consumers is not None:
        return Consumed.YES if reading.consumers else Consumed.NO
    if hosts:
        return Consumed.YES
    if known is not None and known.ready and reading.ready is not None and reading.ready < known.ready:
        return Consumed.YES  # somebody takes messages, whoever it is
    if not reading.ready:
        return (
            Consumed.UNKNOWN
        )  # nobody need be asked, and by the time there is a message somebody may consume it
    if presence.horizon is None or (presence.now - presence.horizon).total_seconds() > 10:
        return Consumed.UNKNOWN
    return Consumed.NO if all(worker.queues is not None for worker in online) else Consumed.UNKNOWN


def asked(app: celery.Celery) -> set[str] | None:
    """Queues that some worker says it consumes, heartbeats or not; None where nobody could be asked.

    Cost: PATIENCE seconds, since nobody knows how many will answer.
    """
    try:
        with control_connection(app, PATIENCE) as connection:
            try:
                replies = app.control.broadcast(
                    "active_queues", reply=True, timeout=PATIENCE, connection=connection
                )
            except faults(connection):
                return None
    except ControlUnavailable:
        return None
    return {
        str(queue.get("name"))
        for reply in replies or ()
        for queues in reply.values()
        if isinstance(queues, list)
        for queue in queues
        if isinstance(queue, dict)
    }
