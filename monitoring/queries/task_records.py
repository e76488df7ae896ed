"""Whole tasks, many at once, in orders that no index keeps: among the newest only, as Flower's routes list them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import F, Max, Q, QuerySet
from django.db.models.expressions import OrderBy

from ..models import Task, TaskEvent
from .newest import horizon
from .reading import Reading
from .search.compiler import needs_time_range
from .search.editing import add
from .search.grammar import parse_values
from .search.question import Question
from .task_list import Asked
from .visibility import Visibility

#: Of so many of the newest matching tasks an order is made: what Flower keeps in memory unless told (``max_tasks``).
NEWEST = 100_000
#: Tasks that are in memory at once, with all their texts.
CHUNK = 200
#: Children that one chunk names, all in all.
MAX_CHILDREN = 10_000


@dataclass(frozen=True)
class Wanted:
    """What to list. Empty texts do not narrow; times are those of the first receipt, which a task without one passes.

    `order` is a column of Task; tasks without a value come before those with one, both ways reversed.
    """

    question: Question = field(default_factory=Question)
    name: str = ""
    worker: str = ""
    state: str = ""
    received_from: datetime | None = None
    received_to: datetime | None = None
    order: str = "updated_at"
    descending: bool = True


@dataclass(frozen=True)
class Record:
    """A task with every column, the greatest logical clock of its events, and the ids of the tasks that it sent."""

    task: Task
    clock: int | None = None
    children: tuple[str, ...] = ()


def record_ids(
    visibility: Visibility, wanted: Wanted, start: int, stop: int, *, with_payload: bool, reading: Reading
) -> tuple[list[str], Asked]:
    """Ids of the tasks from `start` to `stop` in the order that is wanted, and what was asked: its `mistakes` say why
    there are none.

    Cost: the newest NEWEST tasks that match are read and sorted; where texts are searched, of the newest NEWEST tasks
    those that match. Raises OutOfTime.
    """
    asked = Asked(visibility, _bounded(wanted.question), with_payload)
    if asked.mistakes:
        return [], asked
    tasks = asked.tasks().filter(_narrowed(wanted))
    newest = tasks.order_by("-first_seen", "-task_id").values_list("first_seen", flat=True)
    oldest = reading.ask(newest[NEWEST : NEWEST + 1].first)
    if oldest is not None:
        tasks = tasks.filter(first_seen__gt=oldest)
    ordered = tasks.order_by(_order(wanted.order, wanted.descending), _order("task_id", wanted.descending))
    return list(reading.ask(partial(list, ordered.values_list("task_id", flat=True)[start:stop]))), asked


def records(visibility: Visibility, task_ids: Sequence[str]) -> Iterator[list[Record]]:
    """Those of the tasks that may (still) be seen, in the order of their ids, CHUNK at a time.

    Cost of each chunk: a primary key for each task, its events in the days that it lived in, and its children by the
    index of families.
    """
    for start in range(0, len(task_ids), CHUNK):
        part = [task_id for task_id in task_ids[start : start + CHUNK] if "\0" not in task_id]
        found = {task.task_id: task for task in visibility.limit(Task.objects.filter(pk__in=part)).order_by()}
        clocks, children = _clocks(found.values()), _children(visibility, found.values())
        yield [
            Record(found[task_id], clocks.get(task_id), tuple(children.get(task_id, ())))
            for task_id in part
            if task_id in found
        ]


def record(visibility: Visibility, task_id: str) -> Record | None:
    """One of them, or None where there is none that may be seen."""
    found = next(records(visibility, [task_id]), [])
    return found[0] if found else None


def _bounded(question: Question) -> Question:
    """Words are looked for in the texts of the newest tasks: without a time range, in no texts at all."""
    if question.mistakes or not needs_time_range(question.tree):
        return question
    oldest = horizon(NEWEST)
    return question.with_tree(add(question.tree, parse_values("first_seen", [f">={oldest.isoformat()}"])))


def _narrowed(wanted: Wanted) -> Q:
    exact = {"name": wanted.name, "worker": wanted.worker, "state": wanted.state}
    condition = Q(**{column: text for column, text in exact.items() if text})
    if wanted.received_from is not None:
        condition &= Q(received_at__gte=wanted.received_from) | Q(received_at=None)
    if wanted.received_to is not None:
        condition &= Q(received_at__lte=wanted.received_to) | Q(received_at=None)
    return condition


def _order(column: str, descending: bool) -> OrderBy:
    return F(column).desc(nulls_last=True) if descending else F(column).asc(nulls_first=True)


def _clocks(tasks: Any) -> dict[str, int]:
    tasks = list(tasks)
    if not tasks:
        return {}
    # `first_seen` and `updated_at` are the least and greatest time of a task's events: other days are not looked into.
    margin = timedelta(milliseconds=1)
    days = (
        min(task.first_seen for task in tasks) - margin,
        max(task.updated_at for task in tasks) + margin,
    )
    events = TaskEvent.objects.filter(task_id__in=[task.task_id for task in tasks], timestamp__range=days)
    newest = events.order_by().values("task_id").annotate(newest=Max("clock"))
    return {row["task_id"]: row["newest"] for row in newest if row["newest"] is not None}


def _children(visibility: Visibility, tasks: Any) -> dict[str, list[str]]:
    tasks = list(tasks)
    roots = {task.root_id or task.task_id for task in tasks}
    sent: QuerySet[Task] = Task.objects.filter(
        root_id__in=roots, parent_id__in=[task.task_id for task in tasks]
    )
    rows = visibility.limit(sent).order_by("first_seen", "task_id").values_list("parent_id", "task_id")
    children: dict[str, list[str]] = {}
    for parent_id, task_id in rows[:MAX_CHILDREN]:
        children.setdefault(parent_id or "", []).append(task_id)
    return children
