"""How many tasks run, and how many wait, at this moment; and what was deployed when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet

from ..models import DeployMark, Task
from .marks import marks_of, marks_sql
from .statistics_range import Range
from .statistics_rows import Selection
from .visibility import Visibility

#: Up to here they are counted.
MOST = 10_000


@dataclass(frozen=True)
class Present:
    """MOST + 1 stands for more than MOST. `waiting` is None with a worker: who will run a task is not known."""

    running: int
    waiting: int | None
    marks: list[DeployMark]


def present(visibility: Visibility, period: Range, selection: Selection | None = None) -> Present:
    """Tasks of state STARTED and PENDING that are selected, and the marks of a range, as :func:`.marks.marks` has them.

    Waiting ones are known where ``task-sent`` events are on. Cost: one statement, at most MOST + 1 tasks of each state
    by the index of states, more where most of a state are not selected, and an index for the marks.
    """
    selection = selection or Selection()
    chosen = {
        column: value
        for column in ("name", "queue", "worker")
        if (value := getattr(selection, column)) is not None
    }
    tasks = visibility.limit(Task.objects.filter(**chosen)).order_by()
    if any("\0" in value for value in chosen.values()):  # no text has one, and PostgreSQL refuses to look
        tasks = tasks.none()
    running, params = _counted(tasks.filter(state="STARTED"))
    waiting, more = ("NULL", []) if selection.worker is not None else _counted(tasks.filter(state="PENDING"))
    drawn, range_of_time = marks_sql(period.start, period.end)
    with connections[Task.objects.db].cursor() as cursor:
        cursor.execute(
            f"SELECT {running}, {waiting}, NULL, NULL, NULL UNION ALL "  # noqa: S608  subqueries of Django
            f"SELECT NULL, NULL, id, at, label FROM ({drawn}) marks",
            [*params, *more, *range_of_time],
        )
        rows = cursor.fetchall()
    [(number, waits)] = [row[:2] for row in rows if row[2] is None]
    return Present(number, waits, marks_of(row[2:] for row in rows if row[2] is not None))


def _counted(tasks: QuerySet[Task]) -> tuple[str, list[Any]]:
    """A subquery that counts them, up to MOST + 1."""
    try:
        sql, params = tasks.values("state")[: MOST + 1].query.get_compiler(using=Task.objects.db).as_sql()
    except EmptyResultSet:
        return "0", []
    return f"(SELECT count(*) FROM ({sql}) counted)", list(params)  # noqa: S608


def is_any_task(visibility: Visibility) -> bool:
    """Whether a task has ever arrived that may be seen, and is still there. Cost: one row where all are seen."""
    return visibility.limit(Task.objects.all()).order_by().exists()
