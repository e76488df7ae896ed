"""Tasks that somebody chose to act on or to export: by their ids, or all that match a filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.http import QueryDict

from ..models import Task
from .estimates import Estimate, estimate
from .paging import Cursor
from .search.question import Question
from .task_list import Asked
from .visibility import Visibility

#: What a verb that judges by state needs of a task.
TARGET_COLUMNS = ("task_id", "state", "name", "worker", "queue", "first_seen", "updated_at")


@dataclass(frozen=True)
class Selection:
    """`task_ids`, or the tasks that match `query`, a query string of the list (empty: all tasks).

    It is a snapshot as far as one can be had without copying ids: only tasks first seen up to `asked_at` belong to it,
    time ranges that count from now ("last hour") count from then, and a task that no longer matches is left alone.
    """

    asked_at: datetime
    task_ids: tuple[str, ...] | None = None
    query: str = ""


@dataclass(frozen=True)
class Stretch:
    """The next ids of a selection, and the place after them: None when it has come to its end."""

    ids: list[str]
    place: str | None


def asked(selection: Selection, visibility: Visibility, *, with_payload: bool) -> Asked:
    """The question that a selection by filter is, as of the moment when it was asked."""
    parameters = [(name, value) for name, values in QueryDict(selection.query).lists() for value in values]
    return Asked(visibility, Question.read(parameters), with_payload, selection.asked_at)


def mistake_words(selection: Selection, visibility: Visibility, *, with_payload: bool) -> str:
    """Why nothing can be selected by a filter, or nothing. Such a selection has no tasks."""
    if selection.task_ids is not None:
        return ""
    mistakes = asked(selection, visibility, with_payload=with_payload).mistakes
    return " ".join(mistake.message for mistake in mistakes)


def selected_tasks(selection: Selection, visibility: Visibility, *, with_payload: bool) -> QuerySet[Task]:
    """All tasks of a selection, in no order. With ids, at most as many as one statement takes: see `stretch`."""
    if selection.task_ids is not None:
        return visibility.limit(Task.objects.filter(pk__in=selection.task_ids)).order_by()
    tasks = asked(selection, visibility, with_payload=with_payload).tasks()
    return tasks.filter(first_seen__lte=selection.asked_at)


def stretch(
    selection: Selection, visibility: Visibility, place: str, size: int, *, with_payload: bool
) -> Stretch:
    """At most `size` ids behind `place` (empty: from the start), newest first; of given ids all, in their order.

    Cost: proportional to `size` where an index serves the filter; else the rows between two matches are read once in
    the course of the whole selection. No cursor and no transaction stays open between two stretches.
    """
    if selection.task_ids is not None:
        start = int(place or 0)
        ids = list(selection.task_ids[start : start + size])
        return Stretch(ids, str(start + size) if start + size < len(selection.task_ids) else None)
    tasks = behind(selected_tasks(selection, visibility, with_payload=with_payload), place)
    rows = list(tasks.order_by("-first_seen", "-task_id").values_list("first_seen", "task_id")[:size])
    after = str(Cursor(*rows[-1])) if len(rows) == size else None
    return Stretch([task_id for _, task_id in rows], after)


def behind(tasks: QuerySet[Task], place: str) -> QuerySet[Task]:
    """Those of `tasks` that are older than the row that `place` names; all where it is empty."""
    cursor = Cursor.parse(place, None)
    if cursor is None:
        return tasks
    # The range is for the index, the exclusion for rows of the same instant.
    older = tasks.filter(first_seen__lte=cursor.time)
    return older.exclude(first_seen=cursor.time, task_id__gte=cursor.key)


def selected_count(selection: Selection, visibility: Visibility, *, with_payload: bool) -> Estimate:
    """How many tasks a selection has. Cost: :func:`.estimates.estimate`."""
    if selection.task_ids is not None:
        return Estimate(len(selection.task_ids))
    return estimate(selected_tasks(selection, visibility, with_payload=with_payload))


def tasks_by_id(visibility: Visibility, ids: Sequence[str]) -> Mapping[str, Task]:
    """Those of `ids` that exist and may be seen, with TARGET_COLUMNS. Cost: the primary key of each."""
    wanted = [
        task_id for task_id in ids if "\0" not in task_id
    ]  # no id has one, and PostgreSQL refuses to look
    tasks = visibility.limit(Task.objects.filter(pk__in=wanted)).order_by().only(*TARGET_COLUMNS)
    return {task.pk: task for task in tasks}
