"""A metric over time: what charts show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet

from ..models import Statistic
from .statistics_range import Range, cover
from .statistics_rows import Column, Selection, add_up, rows
from .statistics_sums import ENDS, METRICS, Metric, Sums
from .visibility import Visibility

Group = Literal["task", "queue", "worker", "outcome"]
_COLUMNS: dict[str, Column] = {"task": "name", "queue": "queue", "worker": "worker"}
#: Lines of a chart beside that of the rest.
TOP = 8
#: A bucket in which nothing ended; never changed.
NOTHING = Sums()


@dataclass(frozen=True)
class Line:
    """One value for each bucket. `label` is the task name, queue, worker or outcome; None for all of them, or, with
    `is_rest`, for all that have no line of their own."""

    label: str | None
    values: tuple[Any, ...]
    is_rest: bool = False


@dataclass(frozen=True)
class Series:
    """Lines over the buckets that begin at `starts` (UTC) and the last of which ends at `end`."""

    metric: str
    starts: tuple[datetime, ...]
    end: datetime
    step: int
    lines: tuple[Line, ...]


def series(
    visibility: Visibility,
    period: Range,
    metric: str,
    selection: Selection | None = None,
    group: Group | None = None,
    top: int = TOP,
) -> Series:
    """A metric of :data:`.statistics_sums.METRICS` over a range; grouped, the `top` that ended most, and the rest.

    By ``outcome`` a line counts the tasks of each. By ``worker`` nothing else is selected, and a user with a limited
    visibility sees no line. Raises KeyError for another metric.

    Cost: one statement, or two where the metric is a percentile, of at most 400 rows each for everything, a queue or a
    worker; where names matter, of the rows of those names in 400 buckets. Grouped, as much again for the lines, and one
    statement that adds up the whole range from its longest steps.
    """
    selection = selection or Selection()
    wanted = METRICS[metric]
    histograms = [wanted.histogram] if wanted.histogram else []
    stretches = cover(period.edges)
    if group == "outcome":
        found = add_up(rows(visibility, selection, stretches), ["start"], counts=ENDS)
        by_bucket = _by_bucket(period, found)[()]
        lines = [Line(end, tuple(sums.counts[end] for sums in by_bucket)) for end in ENDS]
        return _series(metric, period, lines)

    def added_up(found: QuerySet[Statistic], *keys: str) -> dict[tuple[Any, ...], list[Sums]]:
        return _by_bucket(period, add_up(found, ["start", *keys], histograms, wanted.counts))

    if group is None:
        values = _values(wanted, added_up(rows(visibility, selection, stretches))[()])
        return _series(metric, period, [Line(None, values)])
    column = _COLUMNS[group]
    labels = _top(visibility, period, selection, column, top)
    chosen = rows(visibility, selection, stretches, column).filter(**{f"{column}__in": labels})
    by_label = added_up(chosen, column)
    lines = [Line(label, _values(wanted, by_label[label,])) for label in labels]
    if len(labels) == top:
        # Of workers there is no grain without them for a user with a limited visibility, who sees no line anyway.
        rest = added_up(rows(visibility, selection, stretches))[()]
        for label in labels:
            for sums, part in zip(rest, by_label[label,], strict=True):
                # Nothing in all is nothing to take from: a bucket that was counted between the two statements.
                if part is not NOTHING and sums is not NOTHING:
                    sums.add(part, -1)
        values = _values(wanted, rest)
        nothing = wanted.value(NOTHING)
        if any(value != nothing for value in values):
            lines.append(Line(None, values, is_rest=True))
    return _series(metric, period, lines)


def _series(metric: str, period: Range, lines: list[Line]) -> Series:
    return Series(metric, period.edges[:-1], period.end, period.step, tuple(lines))


def _top(visibility: Visibility, period: Range, selection: Selection, column: Column, top: int) -> list[str]:
    """The labels of which most tasks ended, most first."""
    stretches = cover((period.start, period.end))
    sums = add_up(rows(visibility, selection, stretches, column), [column], counts=(*ENDS, "retried"))
    ranked = sorted(sums, key=lambda key: (-sums[key].finished, -sums[key].counts["retried"], key))
    return [str(label) for (label,) in ranked[:top]]


def _values(wanted: Metric, buckets: Sequence[Sums]) -> tuple[Any, ...]:
    nothing = wanted.value(NOTHING)
    return tuple(nothing if sums is NOTHING else wanted.value(sums) for sums in buckets)


def _by_bucket(period: Range, found: dict[Any, Sums]) -> dict[tuple[Any, ...], list[Sums]]:
    """Sums by start and label, as one list of all buckets for each label: NOTHING where there was none.

    The sums become the buckets' own.
    """
    empty = [NOTHING] * (len(period.edges) - 1)
    buckets: dict[tuple[Any, ...], list[Sums]] = defaultdict(empty.copy)
    for (start, *label), sums in found.items():
        line, index = buckets[tuple(label)], period.index(start)
        if line[index] is NOTHING:
            line[index] = sums
        else:
            line[index].add(sums)
    return buckets
