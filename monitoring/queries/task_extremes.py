"""The last failures and the slowest runs of one task name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from django.db.models import F, QuerySet
from django.db.models.functions import Left

from ..models import Task
from .one_after_the_other import one_after_the_other
from .reading import OutOfTime, Reading
from .statistics_range import Range
from .statistics_rows import Selection
from .task_list import ROW_COLUMNS, ROW_TEXT
from .visibility import Visibility

#: Rows of each.
SHOWN = 6
#: What a row of them needs.
_TEXTS = ("args", "kwargs")


@dataclass(frozen=True)
class Extremes:
    """Tasks that ended in a range: failed ones, the last first, and the slowest. None: no time for it."""

    failures: Sequence[Task] | None
    slowest: Sequence[Task] | None


def extremes(visibility: Visibility, period: Range, selection: Selection, *, with_payload: bool) -> Extremes:
    """At most SHOWN of each, of one name. Rows have `args_start` and `kwargs_start` for those who may see payload.

    Cost: one question, the tasks of the name that ended in the range, by the index on the name or on when tasks ended;
    where that takes longer than a :class:`Reading` allows there is no answer.
    """
    tasks = Task.objects.filter(
        name=selection.name, finished_at__gte=period.start, finished_at__lt=period.end
    )
    if selection.queue is not None:
        tasks = tasks.filter(queue=selection.queue)
    ended = _rows(visibility.limit(tasks).order_by(), with_payload)
    parts = [
        ended.filter(state="FAILURE").order_by("-finished_at", "-task_id")[:SHOWN],
        ended.filter(runtime__isnull=False).order_by(F("runtime").desc(), "-task_id")[:SHOWN],
    ]
    try:
        with Reading() as reading:
            found = reading.ask(partial(one_after_the_other, parts, 2 * SHOWN))
    except OutOfTime:
        return Extremes(None, None)
    of_part: list[list[Task]] = [[], []]
    for task in found:
        of_part[int(task.part)].append(task)  # type: ignore[attr-defined]  # which of the parts a row is of
    return Extremes(*of_part)


def _rows(tasks: QuerySet[Task], with_payload: bool) -> QuerySet[Task]:
    rows = tasks.only(*ROW_COLUMNS)
    return (
        rows.annotate(**{f"{column}_start": Left(column, ROW_TEXT) for column in _TEXTS})
        if with_payload
        else rows
    )
