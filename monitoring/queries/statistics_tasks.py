"""The tasks that run most, take longest, or fail most: what the dashboard's tables show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import Sum

from ..models import StatisticFailure
from .statistics_range import Range, cover
from .statistics_rows import Selection, add_up, only_visible, rows, within
from .statistics_sums import RUNTIMES, WAITS, Sums
from .visibility import Visibility

#: Rows of a table.
TOP = 10


@dataclass(frozen=True)
class TaskFigures:
    """One task name in a range. `exception` is what it failed with most often, `exceptions` how often that was."""

    name: str
    sums: Sums
    exception: str = ""
    exceptions: int = 0


def busiest(
    visibility: Visibility, period: Range, selection: Selection | None = None, top: int = TOP
) -> list[TaskFigures]:
    """The names of which most tasks ended, with percentiles.

    Cost: one statement over the rows of all names in the longest steps that fill the range, grouped by the database;
    then the histograms of the names that are shown. A selected worker has no names: nothing.
    """
    names = _ranked(visibility, period, selection, lambda sums: sums.finished, top)
    return _figures(visibility, period, selection, names)


def slowest(
    visibility: Visibility, period: Range, selection: Selection | None = None, top: int = TOP
) -> list[TaskFigures]:
    """The names with the greatest 95th percentile of run time.

    Cost: as :func:`busiest`, but the histograms of all names are read: some ten thousand for 200 names in 30 days.
    """
    stretches = cover((period.start, period.end))
    found = add_up(rows(visibility, selection or Selection(), stretches, "name"), ["name"], [RUNTIMES])
    p95 = {str(name): sums.percentiles(RUNTIMES, [0.95])[0] for (name,), sums in found.items()}
    timed = [(value, name) for name, value in p95.items() if value is not None]
    names = [name for _, name in sorted(timed, key=lambda each: (-each[0], each[1]))[:top]]
    return _figures(visibility, period, selection, names)


def most_failing(
    visibility: Visibility, period: Range, selection: Selection | None = None, top: int = TOP
) -> list[TaskFigures]:
    """The names of which most tasks failed, with the exception that each failed with most often.

    Cost: as :func:`busiest`, and one statement more over the failures of these names.
    """
    names = _ranked(visibility, period, selection, lambda sums: sums.counts["failed"], top)
    return _figures(visibility, period, selection, names, with_exceptions=True)


def exceptions(
    visibility: Visibility,
    period: Range,
    selection: Selection | None = None,
    names: Sequence[str] | None = None,
) -> list[tuple[str, str, int]]:
    """Task name, exception type and how many tasks failed with it, most first; of some names, or of all.

    Cost: one statement over the rows of failures in the longest steps that fill the range. Nothing of a worker.
    """
    selection = selection or Selection()
    if selection.worker is not None:
        return []
    failures = within(StatisticFailure.objects.order_by(), cover((period.start, period.end)))
    failures = only_visible(visibility, failures)
    if selection.name is not None:
        failures = failures.filter(name=selection.name)
    if selection.queue is not None:
        failures = failures.filter(queue=selection.queue)
    if names is not None:
        failures = failures.filter(name__in=names)
    counted = failures.values_list("name", "exception_type").annotate(total=Sum("count"))
    return sorted(counted, key=lambda row: (-row[2], row[0], row[1]))


def _ranked(
    visibility: Visibility,
    period: Range,
    selection: Selection | None,
    by: Callable[[Sums], int],
    top: int,
) -> list[str]:
    """The names with the greatest counts, of those that have any."""
    stretches = cover((period.start, period.end))
    found = add_up(rows(visibility, selection or Selection(), stretches, "name"), ["name"])
    counted = [(-by(sums), str(name)) for (name,), sums in found.items() if by(sums)]
    return [name for _, name in sorted(counted)[:top]]


def _figures(
    visibility: Visibility,
    period: Range,
    selection: Selection | None,
    names: Sequence[str],
    *,
    with_exceptions: bool = False,
) -> list[TaskFigures]:
    stretches = cover((period.start, period.end))
    chosen = rows(visibility, selection or Selection(), stretches, "name").filter(name__in=names)
    found = add_up(chosen, ["name"], (RUNTIMES, WAITS))
    most: dict[str, tuple[str, int]] = {}
    if with_exceptions:
        for name, exception, count in exceptions(visibility, period, selection, names):
            most.setdefault(name, (exception, count))
    return [TaskFigures(name, found[name,], *most.get(name, ("", 0))) for name in names]
