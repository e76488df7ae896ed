"""All that workers last answered, as they answered it, for programs that know Celery's own shapes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..inspection.kinds import KINDS
from ..models import WorkerSnapshot
from .visibility import Visibility
from .worker_parts import typed
from .worker_parts.registered import registered_tasks
from .worker_tasks import visible_ids
from .workers import workers

#: Answers that are lists of tasks.
_HELD = ("active", "reserved", "scheduled")
#: Fields of a task in an answer that need the permission to view payloads.
_PAYLOAD = ("args", "kwargs", "argsrepr", "kwargsrepr")


@dataclass
class WorkerRecord:
    """`answers`: redacted JSON by kind (``inspection/kinds.py``), without those that were never given; ``registered``
    as names of tasks, each with its rate limit where it has one, which is how Celery lists them unless asked for more.
    `answered_at`: the newest of them."""

    hostname: str
    online: bool
    answers: dict[str, Any] = field(default_factory=dict)
    answered_at: datetime | None = None


def worker_records(
    visibility: Visibility, kinds: Collection[str], *, with_payload: bool, hostname: str | None = None
) -> dict[str, WorkerRecord]:
    """Every worker by name, or one. Cost: the workers, those answers, and for a limited user their tasks by key.

    A limited user gets of queues and tasks those that they may see, and no answers that tell of everything.
    """
    found = {
        worker.hostname: WorkerRecord(worker.hostname, bool(worker.online))
        for worker in workers(visibility)
        if hostname in (None, worker.hostname)
    }
    rows = WorkerSnapshot.objects.filter(kind__in=list(kinds)).exclude(answered_at=None)
    if hostname is not None:
        rows = rows.filter(hostname__in=list(found))
    for row in rows:
        record = found.get(row.hostname)
        if record is None or row.answered_at is None:
            continue
        content = _as_seen(visibility, row.kind, row.content, with_payload)
        if content is not None:
            record.answers[row.kind] = content
            record.answered_at = max(row.answered_at, record.answered_at or row.answered_at)
    return found


def _as_seen(visibility: Visibility, kind: str, content: Any, with_payload: bool) -> Any:
    if kind in _HELD:
        return _held(visibility, content, with_payload)
    if kind == "registered":
        return [
            f"{task.name} [rate_limit={task.rate_limit}]" if task.rate_limit else task.name
            for task in registered_tasks(visibility, content)
        ]
    if kind == "active_queues":
        queues = typed.records(content)
        return [queue for queue in queues if visibility.allows_queue(typed.text(queue.get("name")))]
    if kind == "revoked":
        ids = [item for item in typed.items(content) if isinstance(item, str)]
        allowed = _allowed(visibility, ids)
        return [task_id for task_id in ids if allowed is None or task_id in allowed]
    return None if KINDS[kind].is_of_everything and not visibility.is_everything else content


def _held(visibility: Visibility, content: Any, with_payload: bool) -> list[dict[str, Any]]:
    tasks = typed.records(content)
    allowed = _allowed(visibility, [str(_request(task).get("id")) for task in tasks])
    tasks = [task for task in tasks if allowed is None or _request(task).get("id") in allowed]
    return tasks if with_payload else [_without_payload(task) for task in tasks]


def _request(task: dict[str, Any]) -> dict[str, Any]:
    """Of a scheduled task the request is inside."""
    return typed.record(task.get("request")) or task


def _without_payload(task: dict[str, Any]) -> dict[str, Any]:
    kept = {name: None if name in _PAYLOAD else value for name, value in task.items()}
    if isinstance(task.get("request"), dict):
        kept["request"] = _without_payload(task["request"])
    return kept


def _allowed(visibility: Visibility, task_ids: list[str]) -> set[str] | None:
    """Those that may be seen; None: all."""
    return None if visibility.is_everything else visible_ids(visibility, task_ids)
