"""Which series there are: labels of bounded number, and no workers that are gone for good. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..queries.event_counts import EventCounts, KnownValues
from ..queries.workers import WorkerFigures

#: What a label says where its value is not known, and where there are too many.
UNKNOWN, OTHER = "unknown", "other"
#: The label ``exception`` where the text of the exception names no class, as celery-exporter has it.
UNKNOWN_EXCEPTION = "UnknownException"
#: How long the series of a sender stay that is no worker, after its last event.
SENDER_EXPIRY = timedelta(days=1)


def host_of(worker: str) -> str:
    """The host of a worker or sender, as celery-exporter names it: what follows the first ``@``."""
    return worker.partition("@")[2] or worker


@dataclass(frozen=True)
class Shown:
    """`workers` and `hosts` are those whose series there are; None: no series names one, and all are added up.

    A host's counts are those of all its workers and senders together, so they come and go together: a counter that lost
    a part would seem to have been set back.
    """

    known: KnownValues
    default_queue: str
    with_queue: bool
    with_exception: bool
    workers: frozenset[str] | None
    hosts: frozenset[str] | None

    @classmethod
    def of(
        cls,
        known: KnownValues,
        workers: Sequence[WorkerFigures],
        now: datetime,
        *,
        labels: Collection[str],
        expiry: float,
        default_queue: str,
    ) -> Shown:
        """`expiry` is how many seconds a worker is kept that is not heard any more."""
        alive = frozenset(worker.hostname for worker in workers if worker.unheard <= expiry)
        beating = {worker.hostname for worker in workers}
        hosts_of_workers = {host_of(hostname) for hostname in beating}
        senders, hosts = set(alive), set(map(host_of, alive))
        for sender, newest in known.senders.items():
            if sender in beating:
                continue
            if now - newest <= SENDER_EXPIRY:
                senders.add(sender)
            is_only_sending = host_of(sender) not in hosts_of_workers
            if now - newest <= (SENDER_EXPIRY if is_only_sending else timedelta(seconds=expiry)):
                hosts.add(host_of(sender))
        with_worker = "worker" in labels
        return cls(
            known=known,
            default_queue=default_queue,
            with_queue="queue" in labels,
            with_exception="exception" in labels,
            workers=frozenset(senders) if with_worker else None,
            hosts=frozenset(hosts) if with_worker else None,
        )

    def name(self, name: str) -> str:
        return _bounded(name, self.known.names, UNKNOWN)

    def type(self, counts: EventCounts) -> str:
        return _bounded(counts.type, self.known.types, UNKNOWN)

    def queue(self, counts: EventCounts) -> str | None:
        return _bounded(counts.queue, self.known.queues, self.default_queue) if self.with_queue else None

    def exception(self, counts: EventCounts) -> str | None:
        if not self.with_exception:
            return None
        return _bounded(counts.exception_type, self.known.exception_types, UNKNOWN_EXCEPTION)


def _bounded(value: str, known: Collection[str], unknown: str) -> str:
    return (value or unknown) if value in known else OTHER
