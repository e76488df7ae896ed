"""All tasks of a selection, a stretch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..models import Task
from .paging import Cursor
from .selection import Selection, behind, selected_tasks
from .task_columns import TASK_COLUMNS
from .visibility import Visibility

#: Rows of the first query, which answers at once, and of the others; of the others where each may have long texts.
FIRST_ROWS, ROWS, LONG_ROWS = 50, 2_000, 100
#: Ids in one statement: old SQLite takes 999 parameters.
_IDS = 500

Rows = list[tuple[Any, ...]]


def export_rows(
    selection: Selection, visibility: Visibility, columns: Sequence[str], *, with_payload: bool
) -> Iterator[Rows]:
    """Rows of `columns` (names of TASK_COLUMNS), newest first, given ids in their order.

    Cost: each stretch is a query of its own by (first_seen, task_id): memory holds one stretch, and no cursor, no
    transaction and no lock outlives it. A task that changes in the meantime is exported as it is then, or not at all
    where it no longer matches; none comes twice.
    """
    if selection.task_ids is not None:
        yield from _by_id(selection.task_ids, visibility, columns)
        return
    long = any(TASK_COLUMNS[name].payload for name in columns)
    tasks = selected_tasks(selection, visibility, with_payload=with_payload)
    place, size = "", FIRST_ROWS
    while True:
        newest = behind(tasks, place).order_by("-first_seen", "-task_id")
        rows: Rows = list(newest.values_list("first_seen", "task_id", *columns)[:size])
        if rows:
            place = str(Cursor(*rows[-1][:2]))
            yield [row[2:] for row in rows]
        if len(rows) < size:
            return
        size = LONG_ROWS if long else ROWS


def _by_id(ids: Sequence[str], visibility: Visibility, columns: Sequence[str]) -> Iterator[Rows]:
    clean = [task_id for task_id in dict.fromkeys(ids) if "\0" not in task_id]
    for start in range(0, len(clean), _IDS):
        part = clean[start : start + _IDS]
        tasks = visibility.limit(Task.objects.filter(pk__in=part)).order_by()
        found = {row[0]: row[1:] for row in tasks.values_list("task_id", *columns)}
        yield [found[task_id] for task_id in part if task_id in found]
