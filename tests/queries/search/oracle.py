"""What a tree means for one task, said as plainly as can be: what the database has to agree with."""

from __future__ import annotations

import string
from datetime import datetime, tzinfo
from typing import Any

from monitoring.models import Task
from monitoring.queries.search.fields import FIELDS, Kind
from monitoring.queries.search.tree import Missing, Node, Not, Or, Pattern, Range, Term, Value
from monitoring.queries.search.values import count_of, seconds_of, stretch_of

FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
SEARCHED = 1_100
HEX = set(string.hexdigits)


def means(node: Node, task: Task, now: datetime, zone: tzinfo, *, with_payload: bool = True) -> bool:
    if isinstance(node, Not):
        return not means(node.child, task, now, zone, with_payload=with_payload)
    if isinstance(node, Term):
        return any(_term(node.field, value, task, now, zone, with_payload) for value in node.values)
    each = (means(child, task, now, zone, with_payload=with_payload) for child in node.children)
    return any(each) if isinstance(node, Or) else all(each)


def _term(name: str, value: Value, task: Task, now: datetime, zone: tzinfo, with_payload: bool) -> bool:
    if name == "":
        assert isinstance(value, Pattern)
        columns = [
            "name",
            "exception_type",
            *(["exception", "args", "kwargs", "result"] if with_payload else []),
        ]
        return _is_id(value, task.task_id) or any(_holds(value, getattr(task, column)) for column in columns)
    field = FIELDS[name]
    columns = list(field.columns if with_payload else field.public)
    if field.kind is Kind.TEXT:
        if isinstance(value, Missing):
            return all(not getattr(task, column) for column in columns)
        assert isinstance(value, Pattern)
        limit = None if name == "traceback" else SEARCHED
        return any(_holds(value, getattr(task, column), limit) for column in columns)
    [column] = columns
    present = getattr(task, column)
    if isinstance(value, Missing):
        return present is None or present == ""
    if present is None:
        return False
    if isinstance(value, Range):
        return _is_within(field.kind, value, present, now, zone)
    if name == "root":
        whole = len(value.pieces) > 1
        own = _is_id(value, task.task_id) or task.parent_id is not None or whole
        return _is_id(value, present) and own
    return _is_id(value, present) if field.kind is Kind.ID else _matches(value.pieces, present)


def _is_id(pattern: Pattern, text: str) -> bool:
    if len(pattern.pieces) > 1:
        return _matches(pattern.pieces, text)
    [begin] = pattern.pieces
    is_uuid = 8 <= len(begin) <= 36 and set(begin[:8]) <= HEX and set(begin) <= HEX | {"-"}
    return text.startswith((begin, begin.lower(), begin.upper()) if is_uuid else begin)


def _matches(pieces: tuple[str, ...], text: str) -> bool:
    """By trying every place of every star."""
    if len(pieces) == 1:
        return text == pieces[0]
    return text.startswith(pieces[0]) and any(
        _matches(pieces[1:], text[place:]) for place in range(len(pieces[0]), len(text) + 1)
    )


def _holds(pattern: Pattern, text: str | None, limit: int | None = SEARCHED) -> bool:
    if text is None:
        return False
    return _matches(
        ("", *(piece.translate(FOLD) for piece in pattern.pieces), ""), text[:limit].translate(FOLD)
    )


def _is_within(kind: Kind, value: Range, present: Any, now: datetime, zone: tzinfo) -> bool:
    if kind is not Kind.TIME:
        number = seconds_of if kind is Kind.DURATION else count_of
        low = number(value.low.text) if value.low else None
        high = number(value.high.text) if value.high else None
        return (low is None or present > low or (present == low and value.low.inclusive)) and (  # type: ignore[union-attr]
            high is None or present < high or (present == high and value.high.inclusive)  # type: ignore[union-attr]
        )
    if value.low is not None:
        start, end = stretch_of(value.low.text, now, zone) or (now, now)
        if not (
            present >= start if value.low.inclusive else present >= end and (present > end or end > start)
        ):
            return False
    if value.high is not None:
        start, end = stretch_of(value.high.text, now, zone) or (now, now)
        if not (present < end or (present == end == start) if value.high.inclusive else present < start):
            return False
    return True
