"""Figures of several workers together. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..models import Worker


@dataclass(frozen=True)
class WorkerTotals:
    """Sums over workers. `active` and `concurrency` are of those online; None where no worker says a figure."""

    count: int
    online: int
    active: int | None
    concurrency: int | None
    processed: int | None
    failed: int | None

    @classmethod
    def of(cls, workers: Iterable[Worker]) -> WorkerTotals:
        workers = list(workers)
        online = [worker for worker in workers if worker.online]
        return cls(
            len(workers),
            len(online),
            _sum(worker.active for worker in online),
            _sum(worker.concurrency for worker in online),
            _sum(worker.processed for worker in workers),
            _sum(worker.failed for worker in workers),
        )


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
