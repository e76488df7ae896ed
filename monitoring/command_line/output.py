"""What the words of ``manage.py monitoring`` write with: values as text, and JSON that is safe to look at."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from .. import formatting
from ..export_formats import iso


def json_text(row: Mapping[str, Any], *, indent: int | None = None) -> str:
    """One JSON object in ASCII: a terminal finds nothing in it to obey. Times are ISO 8601 in UTC."""
    return json.dumps({name: _value(value) for name, value in row.items()}, indent=indent, default=str)


def moment(value: datetime | None) -> str:
    """To the second, in Django's time zone: ``2026-11-29 14:02:11+01:00``."""
    return "" if value is None else timezone.localtime(value).isoformat(" ", "seconds")


def duration(seconds: float | None) -> str:
    return "" if seconds is None else formatting.duration(seconds).replace(formatting.NBSP, " ")


def text(value: Any) -> str:
    """A value of a column."""
    if isinstance(value, datetime):
        return moment(value)
    return "" if value is None else str(value)


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(name): _value(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_value(item) for item in value]
    return value
