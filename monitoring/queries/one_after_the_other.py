"""Rows of several querysets in one statement, one behind the other: read no further than is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


def one_after_the_other(parts: Sequence[QuerySet[M]], wanted: int) -> list[M]:
    """At most `wanted` rows of `parts`, which have the same columns (``only``) and an order; those of the first part
    first. A part may be sliced; what it has beside model fields comes as the database has it.

    Cost: one statement, whose UNION ALL begins a part only when those before it are read to their end. On PostgreSQL
    that holds within a :class:`.reading.Reading`, which keeps it from reading them side by side.
    """
    sql: list[str] = []
    params: list[Any] = []
    for number, part in enumerate(parts):
        sliced = part if part.query.is_sliced else part[:wanted]
        try:
            selected, given = sliced.query.get_compiler(using=part.db).as_sql()
        except EmptyResultSet:
            continue
        sql.append(f"SELECT {number} AS part, rows_{number}.* FROM ({selected}) rows_{number}")  # noqa: S608
        params += given
    if not sql:
        return []
    found: Any = (
        parts[0]
        .model._default_manager.using(parts[0].db)
        .raw(f"{' UNION ALL '.join(sql)} LIMIT {int(wanted)}", params)
    )
    # SQL promises no order without ORDER BY, which would read all parts to their end.
    return sorted(found, key=lambda row: int(row.part))
