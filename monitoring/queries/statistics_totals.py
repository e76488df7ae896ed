"""The figures of a whole range, and how they have changed: what tiles show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .statistics_range import Range, cover
from .statistics_rows import Selection, add_up, rows
from .statistics_sums import METRICS, RUNTIMES, WAITS, Sums
from .visibility import Visibility


@dataclass(frozen=True)
class Total:
    """A metric's value in a range and in the one of the same length before it."""

    now: Any
    before: Any

    @property
    def change(self) -> float | None:
        """By which share of what it was before it has grown (0.5: half as much again); None where nothing was."""
        if self.now is None or not self.before:
            return None
        return float(self.now / self.before - 1)


def totals(visibility: Visibility, period: Range, selection: Selection | None = None) -> dict[str, Total]:
    """Every metric of :data:`.statistics_sums.METRICS`, percentiles included.

    Cost: three statements for each of the two ranges, over the fewest and longest steps that fill it: some fifty rows
    for 30 days; times the number of names where names matter.
    """
    now, before = (summary(visibility, each, selection) for each in (period, period.previous()))
    return {name: Total(metric.value(now), metric.value(before)) for name, metric in METRICS.items()}


def summary(visibility: Visibility, period: Range, selection: Selection | None = None) -> Sums:
    """The sums of a whole range, with both histograms. Cost: half of :func:`totals`."""
    stretches = cover((period.start, period.end))
    found = add_up(rows(visibility, selection or Selection(), stretches), [], (RUNTIMES, WAITS))
    return found.get((), Sums())
