"""A value where it has the type that is expected, else nothing."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from ...ingest.fields import moment_of, showable


def text(value: Any) -> str | None:
    """A text that says something."""
    return value if isinstance(value, str) and value else None


def whole(value: Any) -> int | None:
    """A whole number; also one that was written as text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def record(value: Any) -> dict[str, Any]:
    """A dict; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """A list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def records(value: Any) -> list[dict[str, Any]]:
    """The dicts of a list."""
    return [item for item in items(value) if isinstance(item, dict)]


def moment(value: Any) -> datetime | None:
    """A time as Celery says it: seconds since the epoch, or ISO with a zone or in UTC."""
    try:
        if isinstance(value, str):
            return moment_of(value)
        seconds = number(value)
        return None if seconds is None else showable(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return None
