"""Rows of the task list, for the page and for the frames that keep it live."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import template

from ..admin.list_parts.columns import list_columns

register = template.Library()


@register.simple_tag
def listed_columns(columns: Iterable[str] | str, with_payload: bool) -> list[str]:
    """The columns of a row; `columns` may hold anything that an address can."""
    return list_columns(columns if not isinstance(columns, str) else (), with_payload=bool(with_payload))


@register.filter
def attribute(task: Any, name: str) -> str | datetime | None:
    """A field of a task, by the name of its column."""
    value: str | datetime | None = getattr(task, name)
    return value
