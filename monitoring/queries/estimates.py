"""How many rows there are, without counting millions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from django.db import connections
from django.db.models import QuerySet

from .reading import OutOfTime, Reading

T = TypeVar("T")
#: Up to here rows are counted.
EXACT = 10_000
#: Up to here by PostgreSQL's own measure of cost, which is one for a page read in order: some hundredths of a second.
CHEAP = 6_000
#: The same within a reading, which has it think that pages cost less.
CHEAP_WITHIN_READING = 600


#: How many rows a table has by the statistics: -1 before they were first gathered, which counts as none here.
TABLE_ROWS = "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = %s::regclass"


@dataclass(frozen=True)
class Estimate:
    """A number of rows. Not exact: it is an estimate; with `at_least` it is a lower bound."""

    number: int
    exact: bool = True
    at_least: bool = False


def estimate(queryset: QuerySet[Any], reading: Reading | None = None) -> Estimate:
    """How many rows `queryset` has.

    Cost: on PostgreSQL the statistics of the table where nothing is filtered, else the planner's estimate; only where
    that is small, and cheap to prove, are rows counted, at most EXACT + 1. SQLite has no statistics: rows are counted,
    and where there are more the answer is "at least EXACT". What is not counted within the limit of `reading` is
    estimated. Without a reading there is no limit: a filter that no index serves reads the rows that it rejects too.
    """
    if queryset.query.is_empty():
        return Estimate(0)
    ask = reading.ask if reading is not None else _ask
    cheap = CHEAP if reading is None else CHEAP_WITHIN_READING
    planned, cost = None, 0.0
    try:
        if connections[queryset.db].vendor == "postgresql":
            planned, cost = ask(partial(planned_rows, queryset))
            if planned > 2 * EXACT or cost > cheap:
                return Estimate(planned, exact=False)
        counted = ask(queryset.order_by().values("pk")[: EXACT + 1].count)
    except OutOfTime:
        # Even planning may wait: for a lock, or for an index that is being made.
        return Estimate(planned or 0, exact=False, at_least=planned is None)
    if counted <= EXACT:
        return Estimate(counted)
    if planned is None:
        return Estimate(EXACT, exact=False, at_least=True)
    return Estimate(max(EXACT, planned), exact=False)


def table_rows(queryset: QuerySet[Any]) -> int:
    """How many rows its table has by PostgreSQL's statistics; 0 before they were first gathered."""
    with connections[queryset.db].cursor() as cursor:
        table = queryset.model._meta.db_table
        cursor.execute(TABLE_ROWS, [f'"{table}"'])
        return int(cursor.fetchone()[0])


def planned_rows(queryset: QuerySet[Any]) -> tuple[int, float]:
    """What PostgreSQL knows without reading rows: how many there are, and what it would cost to read them all."""
    if not queryset.query.where:
        return table_rows(queryset), 0.0
    plan = json.loads(queryset.order_by().values("pk").explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"]), float(plan[0]["Plan"]["Total Cost"])


def _ask(question: Callable[[], T]) -> T:
    return question()
