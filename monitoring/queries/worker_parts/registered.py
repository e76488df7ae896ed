"""The tasks that a worker can run, as ``registered`` lists them with the attributes of ``inspection/kinds.py``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ..visibility import Visibility
from . import typed

_ATTRIBUTE = re.compile(r"(?:^|\s)(?P<name>[a-z_]+)=")


@dataclass(frozen=True)
class RegisteredTask:
    """None: no limit, or not said. Time limits and `retry_delay` are in seconds; `rate_limit` as Celery has it (10/m).

    Limits that were set by remote control are among them from then on, also before running processes follow them.
    """

    name: str
    rate_limit: str | None = None
    soft_time_limit: float | None = None
    time_limit: float | None = None
    max_retries: int | None = None
    retry_delay: float | None = None
    acks_late: bool | None = None
    ignore_result: bool | None = None
    priority: int | None = None
    #: Attributes that have no field here, as text.
    others: dict[str, str] = field(default_factory=dict)


def registered_tasks(visibility: Visibility, content: Any) -> list[RegisteredTask]:
    """By name; those that may not be seen are left out."""
    found = [_task(item) for item in typed.items(content) if isinstance(item, str)]
    allowed = [task for task in found if task is not None and visibility.allows_name(task.name)]
    return sorted(allowed, key=lambda task: task.name)


def _task(line: str) -> RegisteredTask | None:
    name, _space, attributes = line.partition(" [")
    if not name:
        return None
    said = _attributes(attributes.removesuffix("]"))
    take = said.pop
    return RegisteredTask(
        name=name,
        rate_limit=take("rate_limit", None),
        soft_time_limit=_seconds(take("soft_time_limit", None)),
        time_limit=_seconds(take("time_limit", None)),
        max_retries=typed.whole(take("max_retries", None)),
        retry_delay=_seconds(take("default_retry_delay", None)),
        acks_late=_flag(take("acks_late", None)),
        ignore_result=_flag(take("ignore_result", None)),
        priority=typed.whole(take("priority", None)),
        others=said,
    )


def _attributes(text: str) -> dict[str, str]:
    """``a=1 b=two words`` as a dict: a value goes to the next name."""
    names = list(_ATTRIBUTE.finditer(text))
    ends = [match.start() for match in names[1:]] + [len(text)]
    return {match["name"]: text[match.end() : end] for match, end in zip(names, ends, strict=False)}


def _seconds(text: str | None) -> float | None:
    try:
        return typed.number(float(text)) if text is not None else None
    except ValueError:
        return None


def _flag(text: str | None) -> bool | None:
    return {"True": True, "False": False}.get(text or "")
