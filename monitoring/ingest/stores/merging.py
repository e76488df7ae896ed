"""Join events into the rows of one table through Django's ORM, on any database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from django.db import connections

from monitoring.ingest.events import Event
from monitoring.ingest.folding import Row

from .columns import TableColumns

T = TypeVar("T")

#: Ids of one IN list: old SQLite takes 999 parameters.
_IDS = 900


class Merged(NamedTuple):
    """Every row that events are about, as it is now, and those that were there as they were before."""

    rows: dict[str, Row]
    before: dict[str, Row]


def merge(using: str, table: TableColumns, events: list[Event]) -> Merged:
    """Join `events` into their rows. Must run in a transaction.

    Rows that are missing are inserted in key order, then all are locked in key order, so that two consumers wait for
    each other and never deadlock: a lock that is taken before the last insert could close a circle.
    """
    if not events:
        return Merged({}, {})
    fold, key = table.fold, table.rule_columns[0]
    incoming = fold.fold(events)
    ids = sorted(incoming)
    if connections[using].features.has_select_for_update:
        # Another consumer may insert the same row at this moment: whoever comes second joins into the first one's.
        present = _present(using, table, ids)
        missing = [incoming[subject] for subject in ids if subject not in present]
        _insert(using, table, missing, ignore_conflicts=True)
    stored = _locked(using, table, ids)
    joined = {
        subject: fold.join(stored[subject], row) if subject in stored else row
        for subject, row in incoming.items()
    }
    changed = [joined[subject] for subject in ids if joined[subject] != stored.get(subject)]
    columns = [column for column in table.columns if column != key]
    _insert(using, table, changed, update_conflicts=True, unique_fields=[key], update_fields=columns)
    return Merged(joined, stored)


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _present(using: str, table: TableColumns, ids: Sequence[str]) -> set[Any]:
    manager = table.model._default_manager.using(using)
    return {
        pk for chunk in chunks(ids, _IDS) for pk in manager.filter(pk__in=chunk).values_list("pk", flat=True)
    }


def _locked(using: str, table: TableColumns, ids: Sequence[str]) -> dict[str, Row]:
    rows = {}
    for chunk in chunks(ids, _IDS):
        query = table.model._default_manager.using(using).filter(pk__in=chunk).order_by("pk")
        for values in query.select_for_update().values_list(*table.rule_columns):
            row = table.row(values)
            rows[row.subject] = row
    return rows


def _insert(using: str, table: TableColumns, rows: list[Row], **conflicts: Any) -> None:
    if rows:
        table.model._default_manager.using(using).bulk_create(
            [table.model(**dict(zip(table.columns, table.values(row), strict=True))) for row in rows],
            **conflicts,
        )
