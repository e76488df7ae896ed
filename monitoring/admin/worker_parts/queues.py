"""The queues that a worker consumes, and the question that leads to stopping with one."""

from __future__ import annotations

from urllib.parse import urlencode

from ...queries.worker_parts.queues import ConsumedQueue, queues
from .view import WorkerView


def queue_rows(view: WorkerView) -> list[tuple[ConsumedQueue, str | None]]:
    """By name, each with the address of that question; None where the user may not."""
    cancel = view.question("cancel_consumer")
    return [
        (queue, cancel and f"{cancel}&{urlencode({'queue': queue.name})}")
        for queue in queues(view.visibility, view.snapshot("active_queues").content)
    ]
