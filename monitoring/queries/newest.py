"""The head of the task list, as live pages follow it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from functools import partial

from django.db.models import QuerySet
from django.db.models.functions import Left

from ..models import Task
from .reading import OutOfTime, Reading
from .task_list import ROW_COLUMNS, ROW_TEXT, ROW_TEXTS, Asked

#: Newest tasks that are looked through each time; opening the page looks further.
LOOK_BACK = 5_000
EVER = datetime(1970, 1, 1, tzinfo=UTC)


def newest_tasks(asked: Asked, *, size: int, since: datetime | None = None) -> list[Task]:
    """The `size` newest matching tasks (by `first_seen`), of all or of those `since` then (:func:`horizon`).

    Cost: by an index, or every row since then; what takes longer than a :class:`Reading` allows is answered for the
    LOOK_BACK newest tasks.
    """
    tasks = as_rows(asked, asked.tasks()).order_by("-first_seen", "-task_id")
    with Reading() as reading:
        for start in (since, horizon(LOOK_BACK)) if since is None else (since,):
            try:
                found = tasks if start is None else tasks.filter(first_seen__gte=start)
                return reading.ask(partial(list, found[:size]))
            except OutOfTime:
                continue
    return []


def tasks_among(asked: Asked, task_ids: Collection[str]) -> list[Task]:
    """Those of `task_ids` that match. Cost: a primary key each."""
    return list(as_rows(asked, asked.tasks().filter(pk__in=task_ids))) if task_ids else []


def as_rows(asked: Asked, tasks: QuerySet[Task]) -> QuerySet[Task]:
    """With the columns of a row, and the beginnings of long texts for who may see them (``args_start`` and so on)."""
    rows = tasks.only(*ROW_COLUMNS)
    if asked.with_payload:
        rows = rows.annotate(**{f"{column}_start": Left(column, ROW_TEXT) for column in ROW_TEXTS})
    return rows


def horizon(count: int) -> datetime:
    """When the first of the newest `count` tasks was first seen. Cost: an index scan over so many."""
    newest = Task.objects.order_by("-first_seen", "-task_id").values_list("first_seen", flat=True)
    found: datetime | None = newest[count : count + 1].first()
    return found or EVER
