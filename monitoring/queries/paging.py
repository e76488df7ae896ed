"""Keyset pages: newest first, by a time and a unique column. The last page costs what the first does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)

PAGE_SIZE = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Cursor:
    """A place between two rows: the time and the key of the row beside it, and the side to read on."""

    time: datetime
    key: str
    newer: bool = False

    def __str__(self) -> str:
        return f"{(self.time - _EPOCH) // timedelta(microseconds=1)},{self.key}"

    @classmethod
    def parse(cls, before: str | None, after: str | None) -> Cursor | None:
        """From ``before=`` or ``after=`` of a URL; None for the first page, and for what is no cursor."""
        text = before or after
        if not text:
            return None
        microseconds, comma, key = text.partition(",")
        try:
            time = _EPOCH + timedelta(microseconds=int(microseconds))
        except (ValueError, OverflowError):
            return None
        return cls(time, key, newer=not before) if comma else None


@dataclass(frozen=True)
class Page(Generic[M]):
    """Rows, newest first, and the cursors of the pages beside it (None: there is none)."""

    rows: Sequence[M]
    newer: Cursor | None
    older: Cursor | None


def page(queryset: QuerySet[M], time: str, cursor: Cursor | None, size: int = PAGE_SIZE) -> Page[M]:
    """One page of `queryset` by ``-<time>, -pk``. Reads `size` + 1 rows beside the cursor, with one query.

    Cost: an index on (time, pk), alone or behind a column that is filtered by one value, makes it proportional to
    `size`, wherever the page stands.
    """
    rows: list[M]
    if cursor is not None and cursor.newer:
        rows = list(_beside(queryset, time, cursor).order_by(time, "pk")[: size + 1])
        more, rows = len(rows) > size, rows[:size][::-1]
        if not rows:
            return page(queryset, time, None, size)
        return Page(rows, _cursor(rows[0], time, newer=True) if more else None, _cursor(rows[-1], time))
    if cursor is not None:
        queryset = _beside(queryset, time, cursor)
    rows = list(queryset.order_by(f"-{time}", "-pk")[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    return Page(
        rows,
        _cursor(rows[0], time, newer=True) if cursor is not None and rows else None,
        _cursor(rows[-1], time) if more else None,
    )


def _beside(queryset: QuerySet[M], time: str, cursor: Cursor) -> QuerySet[M]:
    # The first condition lets the database use the index for a range; the second settles rows of the same instant.
    way = "gt" if cursor.newer else "lt"
    try:
        key = queryset.model._meta.pk.to_python(cursor.key)
    except ValidationError:
        return queryset
    return queryset.filter(
        Q(**{f"{time}__{way}e": cursor.time}),
        Q(**{f"{time}__{way}": cursor.time}) | Q(**{time: cursor.time, f"pk__{way}": key}),
    )


def _cursor(row: Any, time: str, newer: bool = False) -> Cursor:
    return Cursor(getattr(row, time), str(row.pk), newer)
