"""Flower's metrics, under its names and labels (flower/events.py), so that its dashboard and alerts work unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..ingest.buckets import RUNTIME_BOUNDS
from ..queries.event_counts import EventCounts
from ..queries.workers import WorkerFigures
from .exposition import Exposition, label
from .shown import Shown
from .sums import Sum

_ENDS = ("task-succeeded", "task-failed")


class FlowerMetrics:
    """The families of Flower on a page; `prefetched` are the tasks that workers hold, by host name and task name."""

    def __init__(self, page: Exposition, shown: Shown, prefetched: Mapping[tuple[str, str], int]) -> None:
        self._shown = shown
        self._held: dict[tuple[str | None, str], int] = {}
        for (hostname, name), number in prefetched.items():
            key = (hostname if shown.workers is not None else None, shown.name(name))
            self._held[key] = self._held.get(key, 0) + number
        self._events = page.counter("flower_events", "Number of events")
        self._runtime = page.histogram("flower_task_runtime_seconds", "Task runtime", RUNTIME_BOUNDS)
        self._prefetch = page.gauge(
            "flower_task_prefetch_time_seconds",
            "The time the newest task spent waiting at the worker to be executed; 0 when it has ended.",
        )
        self._prefetched = page.gauge(
            "flower_worker_prefetched_tasks", "Number of tasks of given type prefetched at a worker"
        )
        self._online = page.gauge("flower_worker_online", "Worker online status")
        self._executing = page.gauge(
            "flower_worker_number_of_currently_executing_tasks",
            "Number of tasks currently executing at a worker",
        )

    def add_task(self, name: str, counts: Iterable[EventCounts]) -> None:
        """All counts of one task name."""
        workers, sums = self._shown.workers, dict[str | None, dict[str, Sum]]()
        for each in counts:
            if workers is not None and each.worker not in workers:
                continue
            by_type = sums.setdefault(each.worker if workers is not None else None, {})
            by_type.setdefault(self._shown.type(each), Sum()).add(each)
        task = label("task", name)
        for worker, by_type in sums.items():
            before = f"{label('worker', worker)}," if worker is not None else ""
            for kind, total in by_type.items():
                self._events.add(f"{before}{label('type', kind)},{task}", total.count, total.created)
            succeeded = by_type.get("task-succeeded")
            if succeeded is not None and succeeded.runtime_buckets is not None:
                self._runtime.add(
                    f"{before}{task}", succeeded.runtime_buckets, succeeded.runtime_sum, succeeded.created
                )
            prefetch = _prefetch(by_type)
            if prefetch is not None:
                self._prefetch.add(f"{before}{task}", prefetch)
            if "task-received" in by_type:
                self._prefetched.add(f"{before}{task}", self._held.get((worker, name), 0))

    def add_workers(self, workers: Iterable[WorkerFigures]) -> None:
        """The workers whose series there are."""
        for worker in workers:
            labels = label("worker", worker.hostname)
            self._online.add(labels, int(worker.online))
            if worker.active is not None:
                self._executing.add(labels, worker.active if worker.online else 0)


def _prefetch(by_type: Mapping[str, Sum]) -> float | None:
    """The prefetch time of the newest start, or 0 since the end that followed it; None where none is known."""
    start = by_type.get("task-started")
    if start is None or start.newest_ts is None or start.prefetch is None:
        return None
    ends = (by_type[kind].newest_ts for kind in _ENDS if kind in by_type)
    return 0.0 if any(end is not None and end >= start.newest_ts for end in ends) else start.prefetch
