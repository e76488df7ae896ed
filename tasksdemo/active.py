"""Which tasks the workers are running now, asked of the workers themselves."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from celery import current_app

from tasksdemo.broker import broker_connection

REPLY_SECONDS = 1.0

# A page that reloads in many windows must not fill the broker with reply queues.
_at_once = threading.BoundedSemaphore(4)


def active_tasks() -> dict[str, Any]:
    """{"workers": [host name], "tasks": [{"task_id", "name", "worker", "queue", "started_at", "elapsed"}]}.

    `started_at` is ISO 8601 in UTC, `elapsed` seconds; longest running first. Arguments are left out: this answer
    needs no login, and a worker gives them in full, passwords included. Waits REPLY_SECONDS after the last reply;
    a worker that did not reply is in neither list. Raises BrokerUnavailable.
    """
    with _at_once, broker_connection() as connection:
        inspect = current_app.control.inspect(timeout=REPLY_SECONDS, connection=connection)
        replies: Mapping[str, list[Any]] = inspect.active() or {}
    now = datetime.now(UTC)
    tasks = [_row(worker, request, now) for worker, running in replies.items() for request in running]
    return {
        "workers": sorted(replies),
        "tasks": sorted(tasks, key=lambda row: row["elapsed"] or 0.0, reverse=True),
    }


def _row(worker: str, request: dict[str, Any], now: datetime) -> dict[str, Any]:
    # None between the message's arrival in the pool and the child's acceptance (celery/worker/request.py).
    started = request.get("time_start")
    started_at = datetime.fromtimestamp(started, UTC) if started else None
    return {
        "task_id": request["id"],
        "name": request["name"],
        "worker": worker,
        "queue": request.get("delivery_info", {}).get("routing_key"),
        "started_at": started_at.isoformat() if started_at else None,
        "elapsed": round((now - started_at).total_seconds(), 3) if started_at else None,
    }
