"""Which rows of statistics answer a question, and reading them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from django.db.models import Q, QuerySet, Sum

from ..models import Grain, Statistic
from .statistics_range import Stretch
from .statistics_sums import COUNTS, Sums
from .visibility import Visibility

#: The columns that a question may be answered by.
Column = Literal["name", "queue", "worker"]


@dataclass(frozen=True)
class Selection:
    """Tasks of one name, of one queue, or both; or those of one worker. None: whatever it is; "": unknown.

    Raises ValueError where a worker is combined with another: statistics do not know both of a task.
    """

    name: str | None = None
    queue: str | None = None
    worker: str | None = None

    def __post_init__(self) -> None:
        if self.worker is not None and (self.name is not None or self.queue is not None):
            raise ValueError("statistics of a worker cannot be filtered by task name or queue")


def rows(
    visibility: Visibility, selection: Selection, stretches: Iterable[Stretch], by: Column | None = None
) -> QuerySet[Statistic]:
    """The rows that, added up, answer for a selection, told apart by one column.

    The coarsest grain that can tell is read: one row a bucket for all tasks, for a queue or for a worker; one for each
    name and queue where names matter, as they do for a user who may see some names only. Such a user sees nothing of
    workers, nor what has no name.
    """
    found = Statistic.objects.filter(_within(stretches))
    if by == "worker" or selection.worker is not None:
        if (
            not visibility.is_everything
            or by not in (None, "worker")
            or (selection.name, selection.queue) != (None, None)
        ):
            return found.none()
        found = found.filter(grain=Grain.WORKER)
        return found.filter(worker=selection.worker) if selection.worker is not None else found
    if by == "name" or selection.name is not None or visibility.names is not None:
        found = found.filter(grain=Grain.TASK)
    elif by == "queue" or selection.queue is not None or visibility.queues is not None:
        found = found.filter(grain=Grain.QUEUE)
    else:
        return found.filter(grain=Grain.ALL)
    for column in ("name", "queue"):
        value = getattr(selection, column)
        if value is not None:
            found = found.filter(**{column: value})
    return only_visible(visibility, found)


def only_visible(visibility: Visibility, found: QuerySet[Any]) -> QuerySet[Any]:
    """Only rows of names and queues that may be seen; what is unknown matches no pattern, as with tasks."""
    if visibility.names is not None:
        found = found.exclude(name="")
    if visibility.queues is not None:
        found = found.exclude(queue="")
    return cast(QuerySet[Any], visibility.limit(found))


def within(found: QuerySet[Any], stretches: Iterable[Stretch]) -> QuerySet[Any]:
    return found.filter(_within(stretches))


def add_up(
    found: QuerySet[Statistic],
    keys: Sequence[str],
    histograms: Iterable[str] = (),
    counts: Sequence[str] = COUNTS,
) -> dict[tuple[Hashable, ...], Sums]:
    """The sums of rows by their values of `keys` (``start``, ``name``, ...), with these histograms and counts.

    What is not asked for is 0, or empty, in the sums.

    Cost: one statement, which the database groups where no histogram is asked for; else all rows are read.
    """
    sums: dict[tuple[Hashable, ...], Sums] = defaultdict(Sums)
    wanted = list(histograms)
    if wanted:
        first, last = len(keys), len(keys) + len(counts)
        for row in found.order_by().values_list(*keys, *counts, *wanted):
            each = sums[row[:first]]
            each.add_counts(counts, row[first:last])
            for column, packed in zip(wanted, row[last:], strict=True):
                each.add_histogram(column, packed)
        return sums
    totals = [Sum(column) for column in counts]
    if keys:
        for row in found.order_by().values_list(*keys).annotate(*totals):
            sums[row[: len(keys)]].add_counts(counts, row[len(keys) :])
    else:
        values = [each or 0 for each in found.aggregate(*totals).values()]
        sums[()].add_counts(counts, values)
    return sums


def _within(stretches: Iterable[Stretch]) -> Q:
    condition = Q(pk__in=[])
    for stretch in stretches:
        condition |= Q(step=stretch.step, start__gte=stretch.start, start__lt=stretch.end)
    return condition
