"""A task as Flower shows it: the 31 fields of ``celery.events.state.Task``, and a few of ours behind them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ...models import Task
from ...queries.task_records import Record

#: Orders that Flower knows, and the column that each goes by.
ORDERS = {"name": "name", "state": "state", "received": "received_at", "started": "started_at"}


def task_as_flower(record: Record, *, with_payload: bool) -> dict[str, Any]:
    """Times are seconds since the epoch, of the newest event of their kind; texts as the worker sent them, redacted.

    What needs the permission to view payloads is null without it.
    """
    task = record.task
    return {
        "uuid": task.task_id,
        "name": task.name,
        "state": task.state,
        "received": _seconds(task.received_ts),
        "sent": _seconds(task.sent_ts),
        "started": _seconds(task.start_ts),
        "rejected": _seconds(task.reject_ts),
        "succeeded": _seconds(task.success_ts),
        "failed": _seconds(task.failure_ts),
        "retried": _seconds(task.retry_ts),
        "revoked": _seconds(task.revoke_ts),
        "args": task.args if with_payload else None,
        "kwargs": task.kwargs if with_payload else None,
        "eta": _iso(task.eta),
        "expires": _iso(task.expires),
        "retries": task.retries,
        "worker": task.worker,
        "result": task.result if with_payload else None,
        # Celery keeps these from an attempt that failed, also when a later one succeeds.
        "exception": _exception(task) if with_payload else None,
        "timestamp": task.updated_at.timestamp(),
        "runtime": task.success_runtime,
        "traceback": _traceback(task) if with_payload else None,
        "exchange": task.exchange,
        "routing_key": task.routing_key,
        "clock": record.clock,
        "client": task.sent_by,
        "root": task.root_id,
        "root_id": task.root_id,
        "parent": task.parent_id,
        "parent_id": task.parent_id,
        "children": list(record.children),
        "queue": task.queue,
        "exception_type": task.exception_type,
        "first_seen": task.first_seen.timestamp(),
    }


def _exception(task: Task) -> str | None:
    return task.exception or task.failure_exception or task.retry_exception


def _traceback(task: Task) -> str | None:
    return task.traceback or task.failure_traceback or task.retry_traceback


def _seconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1_000_000


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
