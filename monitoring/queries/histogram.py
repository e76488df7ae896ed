"""When the tasks that match happened: how many of each state in each stretch of time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet

from ..models import Task
from .estimates import planned_rows
from .facets import MOST, Facets
from .reading import OutOfTime, Reading
from .search.editing import remove_field
from .search.fields import FIELDS
from .task_list import Asked
from .time_range import chosen_range

MOST_BUCKETS = 80
#: Up to here matching tasks are counted, each of them; more are estimated from a sample of the table.
EXACT = MOST
#: Rows that a sample reads.
SAMPLE = 30_000
#: As many rows of a short range are all read where that costs no more than this by the plan (page costs of a reading):
#: they lie side by side by an index of their time. Of a sample of the whole table hardly any would be in the range.
CHEAP = 2_000
#: Lengths of a bucket in seconds. Each is at most twice the one before, so that there are never less than 40 buckets.
STEPS = (1, 2, 4, 5, 10, 15, 30, 60, 120, 180, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600,
         43_200, 86_400, 2 * 86_400, 4 * 86_400, 7 * 86_400, 14 * 86_400, 28 * 86_400, 56 * 86_400)  # fmt: skip
#: A chosen range is shown with as much of its past, in lengths of its own, and half as much of its future.
_PAST, _FUTURE = 1.5, 0.5
#: Parts of the range that are counted where there is no time for more.
_PARTS = (1.0, 1 / 8, 1 / 64)
_SHORTEST = timedelta(minutes=1)
#: What is shown where there was no time to look for the oldest task.
_UNKNOWN = timedelta(days=1)


@dataclass(frozen=True)
class Bucket:
    """The number of tasks by state from `start` on, for the histogram's `step`."""

    start: datetime
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class Histogram:
    """Buckets, oldest first, of the time `field` (a field of the search). `selected`: the range that the question
    chooses, which the buckets do not heed. Where not `exact`, counts are estimated from a sample. `cut`: there was no
    time for the whole range, and it begins later than it should."""

    field: str
    step: timedelta
    buckets: tuple[Bucket, ...]
    selected: tuple[datetime, datetime] | None = None
    exact: bool = True
    cut: bool = False

    @property
    def matching(self) -> int:
        """About how many tasks are in the selected range, or in all of it where none is."""
        if self.selected is None:
            return sum(bucket.total for bucket in self.buckets)
        low, high = self.selected
        return round(
            sum(
                bucket.total
                * max(timedelta(), min(bucket.start + self.step, high) - max(bucket.start, low))
                / self.step
                for bucket in self.buckets
            )
        )


def histogram(asked: Asked, counted: Facets, reading: Reading) -> Histogram | None:
    """The histogram of a question; None where there is nothing to show, or no time to count it. `counted` has counted
    what :func:`around` says beside, as ``around``.

    Cost: one question, which reads at most about EXACT matching tasks or a sample of SAMPLE rows of the table; where
    there was no time for `counted`, or a chosen range has EXACT or more, one more: a plan.
    """
    if asked.mistakes:
        return None
    window = _window(asked)
    chosen, number = window.chosen, counted.beside.get("around") if window.chosen else counted.total
    if chosen is not None and number is not None and number >= EXACT:
        number = None
    elif chosen is None and number is not None and not counted.is_counted:
        number = EXACT  # or more
    start, end = window.start, window.end
    if chosen is None and counted.in_time:
        if counted.oldest is None:
            return None
        start = min(counted.oldest, asked.now - _SHORTEST)
    for part in _PARTS:
        begin = end - max(_SHORTEST, (end - start) * part)
        try:
            buckets, step, exact = _count(
                window.rest, window.field, begin, end, number, counted.rows, reading
            )
        except OutOfTime:
            continue
        return Histogram(window.field, step, buckets, chosen, exact, part < 1)
    return None


def around(asked: Asked) -> QuerySet[Task] | None:
    """The tasks that the histogram of a chosen range shows; None where none is chosen. Asks nothing."""
    window = _window(asked) if not asked.mistakes else None
    if window is None or window.chosen is None:
        return None
    [column] = FIELDS[window.field].columns
    return window.rest.tasks().filter(**{f"{column}__gte": window.start, f"{column}__lt": window.end})


@dataclass(frozen=True)
class _Window:
    """`rest`: the question without its range of the time `field`."""

    rest: Asked
    field: str
    start: datetime
    end: datetime
    chosen: tuple[datetime, datetime] | None


def _window(asked: Asked) -> _Window:
    chosen = chosen_range(asked)
    if chosen is None:
        return _Window(asked, "first_seen", asked.now - _UNKNOWN, asked.now, None)
    name, start, end = chosen
    tree = remove_field(asked.question.tree, name, excluded=False)
    rest = replace(asked, question=asked.question.with_tree(tree))
    # A text term that the range made possible keeps it.
    return _Window(asked if rest.mistakes else rest, name, *_around(start, end, asked.now), (start, end))


def _around(start: datetime, end: datetime, now: datetime) -> tuple[datetime, datetime]:
    """A chosen range with some of its past and of its future, as far as that has come."""
    length = max(end - start, _SHORTEST)
    try:
        return start - length * _PAST, max(min(end + length * _FUTURE, now), end)
    except OverflowError:
        return start, end


def _count(
    asked: Asked, name: str, start: datetime, end: datetime, number: int | None, rows: int, reading: Reading
) -> tuple[tuple[Bucket, ...], timedelta, bool]:
    seconds = (end - start).total_seconds()
    step = next((step for step in STEPS if seconds / step < MOST_BUCKETS), math.ceil(seconds / MOST_BUCKETS))
    first = math.floor(start.timestamp() / step) * step
    last = math.floor(end.timestamp() / step)
    starts = [first + number * step for number in range(last - first // step + 1)]
    [column] = FIELDS[name].columns
    tasks = asked.tasks().filter(
        **{
            f"{column}__gte": datetime.fromtimestamp(first, UTC),
            f"{column}__lt": datetime.fromtimestamp(starts[-1] + step, UTC),
        }
    )
    share = _share(tasks, number, rows, reading)
    counted = reading.ask(partial(_ask, tasks, column, first, step, share))
    buckets = [Bucket(datetime.fromtimestamp(moment, UTC)) for moment in starts]
    for number, state, count in counted:
        if 0 <= number < len(buckets):
            buckets[number].counts[state] = round(count / share)
    return tuple(buckets), timedelta(seconds=step), share == 1


def _share(tasks: Any, number: int | None, rows: int, reading: Reading) -> float:
    """The part of the table to read, 1 where every matching task can be counted. `number`: of these, where known."""
    if connections[tasks.db].vendor != "postgresql":
        return 1
    if number is None:
        number, cost = reading.ask(partial(planned_rows, tasks))
        if number <= SAMPLE and cost <= CHEAP:
            return 1
    return 1 if number < EXACT else min(1.0, SAMPLE / max(1, rows or number))


def _ask(tasks: Any, column: str, first: int, step: int, share: float) -> list[tuple[int, str, int]]:
    connection = connections[tasks.db]
    try:
        sql, params = tasks.values_list(column, "state").query.get_compiler(using=tasks.db).as_sql()
    except EmptyResultSet:
        return []
    if connection.vendor == "postgresql":
        seconds = "extract(epoch FROM at)"
        if share < 1:
            table = f' FROM "{Task._meta.db_table}"'
            sql = sql.replace(table, f"{table} TABLESAMPLE SYSTEM ({share * 100:.6f})", 1)
    else:
        seconds = "CAST(strftime('%%s', at) AS integer)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH found (at, state) AS ({sql}) SELECT CAST(floor(({seconds} - %s) / %s) AS integer), state, count(*)"  # noqa: S608
            " FROM found GROUP BY 1, 2",
            [*params, first, step],
        )
        return list(cursor.fetchall())
