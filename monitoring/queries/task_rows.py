"""Any columns of tasks that a list has found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..models import Task
from .task_list import ROW_COLUMNS, Asked
from .visibility import Visibility

#: Ids of one statement: old SQLite takes 999 parameters.
_IDS = 500
#: Rows at once where some may have long texts.
LONG_ROWS = 100


def task_rows(visibility: Visibility, tasks: Sequence[Task], columns: Sequence[str]) -> list[dict[str, Any]]:
    """`columns` of tasks that :func:`.task_list.task_list` answered, in their order, as mappings.

    Cost: none for what each row of the list has; else one question by the primary keys. A task that has been deleted
    meanwhile is not there.
    """
    if set(columns) <= set(ROW_COLUMNS):
        return [{column: getattr(task, column) for column in columns} for task in tasks]
    ids = [task.task_id for task in tasks]
    rows = visibility.limit(Task.objects.filter(pk__in=ids)).order_by().values("task_id", *columns)
    found = {row["task_id"]: row for row in rows}
    return [{column: found[task_id][column] for column in columns} for task_id in ids if task_id in found]


def changed_rows(asked: Asked, task_ids: Sequence[str], columns: Sequence[str]) -> list[dict[str, Any]]:
    """`columns` of those of some tasks that match a question, as mappings. Cost: the primary key of each."""
    found: list[dict[str, Any]] = []
    for start in range(0, len(task_ids), _IDS):
        rows = asked.tasks().filter(pk__in=task_ids[start : start + _IDS]).order_by("first_seen", "pk")
        found += list(rows.values(*columns))
    return found
