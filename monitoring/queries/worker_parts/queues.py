"""The queues that a worker consumes from, as ``active_queues`` lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..visibility import Visibility
from . import typed


@dataclass(frozen=True)
class ConsumedQueue:
    """None: not said. `exchange` "" is the broker's default one; `kind` is ``x-queue-type`` or None."""

    name: str
    exchange: str | None
    exchange_type: str | None
    routing_key: str | None
    durable: bool | None
    auto_delete: bool | None
    exclusive: bool | None
    kind: str | None


def queues(visibility: Visibility, active_queues: Any) -> list[ConsumedQueue]:
    """By name; those of other people's tasks are left out."""
    found = [_queue(described) for described in typed.records(active_queues)]
    allowed = [queue for queue in found if queue is not None and visibility.allows_queue(queue.name)]
    return sorted(allowed, key=lambda queue: queue.name)


def _queue(described: dict[str, Any]) -> ConsumedQueue | None:
    name = typed.text(described.get("name"))
    if name is None:
        return None
    exchange = typed.record(described.get("exchange"))
    called = exchange.get("name")
    return ConsumedQueue(
        name=name,
        exchange=called if isinstance(called, str) else None,
        exchange_type=typed.text(exchange.get("type")),
        routing_key=typed.text(described.get("routing_key")),
        durable=typed.flag(described.get("durable")),
        auto_delete=typed.flag(described.get("auto_delete")),
        exclusive=typed.flag(described.get("exclusive")),
        kind=typed.text(typed.record(described.get("queue_arguments")).get("x-queue-type")),
    )
