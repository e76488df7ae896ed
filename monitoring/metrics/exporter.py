"""celery-exporter's metrics, under its names and labels (src/exporter.py), so that the celery-mixin works unchanged."""

from __future__ import annotations

from collections.abc import Iterable

from ..ingest.buckets import RUNTIME_BOUNDS, WAIT_BOUNDS
from ..queries.event_counts import EventCounts
from ..queries.queues import Length
from ..queries.workers import WorkerFigures
from .exposition import Exposition, label
from .shown import Shown, host_of
from .sums import Sum

_WORDS = {
    "task-sent": "Sent when a task message is published.",
    "task-received": "Sent when the worker receives a task.",
    "task-started": "Sent just before the worker executes the task.",
    "task-succeeded": "Sent if the task executed successfully.",
    "task-failed": "Sent if the execution of the task failed.",
    "task-rejected": "The task was rejected by the worker, possibly to be re-queued or moved to a dead letter queue.",
    "task-revoked": "Sent if the task has been revoked.",
    "task-retried": "Sent if the task failed, but will be retried in the future.",
}
#: As soon as there is any event of a task these are there too, at zero, so that ``rate()`` sees their first event.
_ZEROS = [kind for kind in _WORDS if kind not in ("task-sent", "task-failed")]


class ExporterMetrics:
    """The families of celery-exporter on a page."""

    def __init__(self, page: Exposition, shown: Shown) -> None:
        self._shown = shown
        self._counters = {
            kind: page.counter(f"celery_{kind.replace('-', '_')}", words) for kind, words in _WORDS.items()
        }
        self._runtime = page.histogram(
            "celery_task_runtime", "Histogram of task runtime measurements.", RUNTIME_BOUNDS
        )
        self._wait = page.histogram(
            "celery_task_queue_wait_time",
            "Histogram of the time tasks spend waiting in the queue before being executed, excluding deliberate "
            "ETA/countdown delay.",
            WAIT_BOUNDS,
        )
        self._up = page.gauge("celery_worker_up", "Indicates if a worker has recently sent a heartbeat.")
        self._active = page.gauge(
            "celery_worker_tasks_active", "The number of tasks the worker is currently processing"
        )
        self._length = page.gauge("celery_queue_length", "The number of message in broker queue.")
        self._consumers = page.gauge(
            "celery_active_consumer_count", "The number of active consumer in broker queue."
        )
        self._workers = page.gauge(
            "celery_active_worker_count", "The number of active workers in broker queue."
        )
        self._processes = page.gauge(
            "celery_active_process_count", "The number of active processes in broker queue."
        )

    def add_task(self, name: str, counts: Iterable[EventCounts]) -> None:
        """All counts of one task name."""
        hosts = self._shown.hosts
        sums: dict[tuple[str | None, str | None], dict[tuple[str, str | None], Sum]] = {}
        for each in counts:
            host = host_of(each.worker) if hosts is not None else None
            if hosts is not None and host not in hosts:
                continue
            by_kind = sums.setdefault((host, self._shown.queue(each)), {})
            exception = self._shown.exception(each) if each.type == "task-failed" else None
            by_kind.setdefault((each.type, exception), Sum()).add(each)
        for (host, queue), by_kind in sums.items():
            labels = label("name", name)
            if host is not None:
                labels += f",{label('hostname', host)}"
            if queue is not None:
                labels += f",{label('queue_name', queue)}"
            self._add(labels, by_kind)

    def _add(self, labels: str, by_kind: dict[tuple[str, str | None], Sum]) -> None:
        created = min(each.created for each in by_kind.values())
        for (kind, exception), total in by_kind.items():
            counter = self._counters.get(kind)
            if counter is not None:
                named = labels if exception is None else f"{labels},{label('exception', exception)}"
                counter.add(named, total.count, total.created)
        for kind in _ZEROS:
            if (kind, None) not in by_kind:
                self._counters[kind].add(labels, 0, created)
        if self._shown.with_exception:
            self._counters["task-failed"].add(f'{labels},exception=""', 0, created)
        elif ("task-failed", None) not in by_kind:
            self._counters["task-failed"].add(labels, 0, created)
        succeeded, started = by_kind.get(("task-succeeded", None)), by_kind.get(("task-started", None))
        if succeeded is not None and succeeded.runtime_buckets is not None:
            self._runtime.add(labels, succeeded.runtime_buckets, succeeded.runtime_sum, succeeded.created)
        if started is not None and started.wait_buckets is not None:
            self._wait.add(labels, started.wait_buckets, started.wait_sum, started.created)

    def add_workers(self, workers: Iterable[WorkerFigures]) -> None:
        """The workers whose series there are; those of one host are one series, and those of one queue."""
        up: dict[str, int] = {}
        active: dict[str, int] = {}
        consuming: dict[str, list[WorkerFigures]] = {}
        for worker in workers:
            for queue in worker.queues:
                consuming.setdefault(queue, []).append(worker)
            host = host_of(worker.hostname)
            up[host] = max(up.get(host, 0), int(worker.online))
            active[host] = active.get(host, 0) + ((worker.active or 0) if worker.online else 0)
        for host, is_up in up.items():
            self._up.add(label("hostname", host), is_up)
            self._active.add(label("hostname", host), active[host])
        for queue, those in consuming.items():
            online = [worker for worker in those if worker.online]
            self._workers.add(label("queue_name", queue), len(online))
            self._processes.add(label("queue_name", queue), sum(worker.concurrency or 0 for worker in online))

    def add_queues(self, queues: Iterable[Length]) -> None:
        """The queues that were read of late."""
        for queue in queues:
            labels = label("queue_name", queue.name)
            if queue.ready is not None:
                self._length.add(labels, queue.ready)
            if queue.consumers is not None:
                self._consumers.add(labels, queue.consumers)
