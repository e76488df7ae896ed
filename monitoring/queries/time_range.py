"""The time range that a question chooses."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from .search.fields import FIELDS, Kind
from .search.tree import Range, Term, conjuncts
from .search.values import stretch_of
from .task_list import Asked


def chosen_range(asked: Asked) -> tuple[str, datetime, datetime] | None:
    """The first time range of the question: field, start and end."""
    zone = timezone.get_current_timezone()
    for node in conjuncts(asked.question.tree):
        if not isinstance(node, Term) or not node.field or FIELDS[node.field].kind is not Kind.TIME:
            continue
        [value, *others] = node.values
        if others or not isinstance(value, Range) or value.low is None:
            continue
        low = stretch_of(value.low.text, asked.now, zone)
        high = stretch_of(value.high.text, asked.now, zone) if value.high is not None else None
        if low is not None:
            end = high[1] if high is not None else max(asked.now, low[0])
            return node.field, low[0], max(end, low[0])
    return None
