"""The tasks that a worker holds, as ``active``, ``reserved``, ``scheduled`` and ``revoked`` list them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import typed


@dataclass(frozen=True)
class HeldTask:
    """One task in a worker's hands. Every text is hostile; None: not said.

    `args` and `kwargs` are redacted JSON values, None without the permission to see them. `started_at` is of running
    tasks, `eta` of scheduled ones; `pid` the pool process that runs it. `priority` is the message's.
    """

    task_id: str
    name: str | None
    args: Any
    kwargs: Any
    queue: str | None
    exchange: str | None
    priority: int | None
    redelivered: bool | None
    acknowledged: bool | None
    started_at: datetime | None
    eta: datetime | None
    pid: int | None


def held_tasks(content: Any, *, with_payload: bool) -> list[HeldTask]:
    """The tasks of an answer to ``active``, ``reserved`` or ``scheduled``, in its order.

    Not by visibility: ask ``worker_tasks.py``, which is what pages do.
    """
    return [task for item in typed.records(content) if (task := _task(item, with_payload)) is not None]


def revoked_ids(content: Any) -> list[str]:
    """The ids of an answer to ``revoked``, in its order."""
    return [item for item in typed.items(content) if isinstance(item, str) and item]


def _task(item: dict[str, Any], with_payload: bool) -> HeldTask | None:
    eta = typed.moment(item.get("eta"))
    request = typed.record(item.get("request")) or item
    task_id = typed.text(request.get("id"))
    if task_id is None:
        return None
    delivery = typed.record(request.get("delivery_info"))
    return HeldTask(
        task_id=task_id,
        name=typed.text(request.get("name")) or typed.text(request.get("type")),
        args=request.get("args") if with_payload else None,
        kwargs=request.get("kwargs") if with_payload else None,
        queue=typed.text(delivery.get("routing_key")),
        exchange=typed.text(delivery.get("exchange")),
        priority=typed.whole(delivery.get("priority")),
        redelivered=typed.flag(delivery.get("redelivered")),
        acknowledged=typed.flag(request.get("acknowledged")),
        started_at=typed.moment(request.get("time_start")),
        eta=eta,
        pid=typed.whole(request.get("worker_pid")),
    )
