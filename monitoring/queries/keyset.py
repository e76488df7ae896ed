"""Pages by the values of the row beside them, not by counting rows: the last page costs what the first does.

A page is read in legs, one after the other until it is full: what has the same value as the row beside the page, what
has later values, and what has none. Each leg is a range of one index.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from ..models import Task
from .search.grammar import storable
from .sorting import NEWEST_FIRST, Sort

#: Key of what orders rows that have no value.
_WITHOUT_VALUE = NEWEST_FIRST.keys
_LONGEST = 2_000


@dataclass(frozen=True)
class Place:
    """Beside a row: its values of the sort's keys (of a row without a value those of the newest-first order), and on
    which side to read."""

    sort: Sort
    values: tuple[Any, ...]
    has_value: bool = True
    backwards: bool = False

    @classmethod
    def of(cls, row: Task, sort: Sort, *, backwards: bool = False) -> Place:
        has_value = getattr(row, sort.column.column) is not None
        keys = sort.keys if has_value else _WITHOUT_VALUE
        return cls(sort, tuple(getattr(row, column) for column, _ in keys), has_value, backwards)

    def __str__(self) -> str:
        """Opaque, and fit for a URL."""
        values = [value.isoformat() if isinstance(value, datetime) else value for value in self.values]
        text = json.dumps([str(self.sort), int(self.has_value), int(self.backwards), *values])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str | None, sort: Sort) -> Place | None:
        """From ``place=`` of a URL. None, which is the first page, for what is no place in this order."""
        if not text or len(text) > _LONGEST:
            return None
        try:
            written = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
            [order, has_value, backwards, *values] = json.loads(written)
        except (ValueError, TypeError, binascii.Error, RecursionError):
            return None
        keys = sort.keys if has_value else _WITHOUT_VALUE
        if order != str(sort) or len(values) != len(keys):
            return None
        # A tuple, since what stands here need not be hashable.
        if has_value not in (0, 1) or backwards not in (0, 1):
            return None
        read = tuple(_value(column, value) for (column, _), value in zip(keys, values, strict=True))
        return None if None in read else cls(sort, read, bool(has_value), bool(backwards))


@dataclass(frozen=True)
class Leg:
    """Rows that fulfil `condition`, in the order of `keys`."""

    condition: Q
    keys: tuple[tuple[str, bool], ...]

    @property
    def order(self) -> list[str]:
        return [f"-{column}" if descending else column for column, descending in self.keys]


def legs(sort: Sort, place: Place | None) -> Iterator[Leg]:
    """What a page is read from, in order; backwards of a place the rows come in the reverse order of the list."""
    column = sort.column.column
    with_value = Q(**{f"{column}__isnull": False}) if sort.column.nullable else Q()
    without_value = Q(**{f"{column}__isnull": True})
    backwards = place is not None and place.backwards
    keys, other_keys = (
        (_turned(sort.keys), _turned(_WITHOUT_VALUE)) if backwards else (sort.keys, _WITHOUT_VALUE)
    )
    if place is None:
        yield Leg(with_value, keys)
    elif place.has_value:
        yield from _beside(keys, place.values)
    else:
        for leg in _beside(other_keys, place.values):
            yield Leg(without_value & leg.condition, leg.keys)
        if backwards:
            yield Leg(with_value, keys)
    if sort.column.nullable and not backwards and (place is None or place.has_value):
        yield Leg(without_value, other_keys)


def _beside(keys: tuple[tuple[str, bool], ...], values: tuple[Any, ...]) -> Iterator[Leg]:
    (first, descending), *rest = keys
    further = "lt" if descending else "gt"
    if len(keys) == 2:
        # The first condition lets the database use the index for a range; the second settles rows of one value.
        condition = Q(**{f"{first}__{further}e": values[0]}) & (
            Q(**{f"{first}__{further}": values[0]})
            | Q(**{first: values[0]}) & _after(tuple(rest), values[1:])
        )
        yield Leg(condition, keys)
        return
    for leg in _beside(tuple(rest), values[1:]):
        yield Leg(Q(**{first: values[0]}) & leg.condition, keys)
    yield Leg(Q(**{f"{first}__{further}": values[0]}), keys)


def _after(keys: tuple[tuple[str, bool], ...], values: tuple[Any, ...]) -> Q:
    [(column, descending)] = keys
    return Q(**{f"{column}__{'lt' if descending else 'gt'}": values[0]})


def _turned(keys: tuple[tuple[str, bool], ...]) -> tuple[tuple[str, bool], ...]:
    return tuple((column, not descending) for column, descending in keys)


def _value(column: str, value: Any) -> Any:
    """The value of a column out of a URL, or None where it can be none."""
    if column.endswith(("_at", "_seen")):
        try:
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo is not None else None
        except (TypeError, ValueError, OverflowError):
            return None
    if column == "runtime":
        return float(value) if isinstance(value, int | float) and abs(value) < 1e12 else None
    return value if isinstance(value, str) and storable(value) == value else None
