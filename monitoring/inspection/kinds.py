"""THE table of what workers are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

_MINUTE = 60.0
_HOUR = 3_600.0

#: What is asked of each registered task, by the names of a task's attributes (docs: "Tasks", section List of Options).
TASK_ATTRIBUTES = (
    "rate_limit",
    "soft_time_limit",
    "time_limit",
    "max_retries",
    "default_retry_delay",
    "acks_late",
    "ignore_result",
    "priority",
)


@dataclass(frozen=True)
class Kind:
    """One inspect command, by its name (docs: "Workers Guide", section Inspecting workers).

    Upkeep asks again when the answer is older than `interval` seconds; a page may ask sooner.
    """

    name: str
    interval: float
    arguments: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    #: It tells of everybody's tasks: as it is, not for a user of limited visibility.
    is_of_everything: bool = False


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind("stats", _MINUTE, is_of_everything=True),
            Kind("active_queues", _MINUTE),
            # An answer holds every task with its arguments: seldom, unless a page is open that shows them.
            Kind("active", 5 * _MINUTE, is_of_everything=True),
            Kind("reserved", 5 * _MINUTE, is_of_everything=True),
            Kind("scheduled", 5 * _MINUTE, is_of_everything=True),
            Kind("revoked", 5 * _MINUTE, is_of_everything=True),
            Kind("memsample", 5 * _MINUTE),
            # These change when the worker starts again, and are asked for again then.
            Kind("registered", _HOUR, {"taskinfoitems": TASK_ATTRIBUTES}),
            Kind("conf", _HOUR, {"with_defaults": True}, is_of_everything=True),
            Kind("report", _HOUR, is_of_everything=True),
        )
    }
)
