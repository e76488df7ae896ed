"""When tasks run, by hour and weekday, and how their durations are spread."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ..log_histogram import BOUNDS
from ..time_steps import FIVE_MINUTES, HOUR, start_of
from .statistics_range import Range, cover
from .statistics_rows import Selection, add_up, rows
from .statistics_sums import METRICS, Sums
from .statistics_totals import summary
from .visibility import Visibility

#: Bars of a histogram at most.
BARS = 48


@dataclass(frozen=True)
class Cell:
    """What one hour of the week adds up to, and how many hours of the range that were."""

    sums: Sums
    hours: float


def heat_map(
    visibility: Visibility, period: Range, selection: Selection | None = None, metric: str = "finished"
) -> dict[tuple[int, int], Cell]:
    """Sums by weekday (0: Monday) and hour of the range's time zone; with the histogram that `metric` needs.

    Each stored hour counts in the local hour that it is; the hour that clocks repeat is two hours, and the one that
    they leave out none. A zone whose offset is no whole hour is put together from five minutes.

    Cost: a statement, or two for a percentile, of 24 rows a day, or 288; times the number of names where names matter.
    """
    step = HOUR if _whole_hours(period) else FIVE_MINUTES
    wanted = METRICS[metric].histogram
    stretches = cover((period.start, period.end), step)
    found = add_up(
        rows(visibility, selection or Selection(), stretches), ["start"], [wanted] if wanted else []
    )
    sums: dict[tuple[int, int], Sums] = defaultdict(Sums)
    hours: dict[tuple[int, int], float] = defaultdict(float)
    for (start,), each in found.items():
        assert isinstance(start, datetime)
        sums[_cell(start, period)].add(each)
    moment = period.start
    while moment < period.end:
        following = min(start_of(moment, step) + timedelta(seconds=step), period.end)
        hours[_cell(moment, period)] += (following - moment).total_seconds() / HOUR
        moment = following
    return {cell: Cell(sums[cell], length) for cell, length in sorted(hours.items())}


def histogram(
    visibility: Visibility,
    period: Range,
    what: Literal["runtimes", "waits"] = "runtimes",
    selection: Selection | None = None,
) -> list[tuple[float, float, int]]:
    """How durations are spread: bars of lower and upper bound in seconds (each grows by one factor) and count.

    At most :data:`BARS`, from the shortest that occurred to the longest. Cost: :func:`.statistics_totals.summary`.
    """
    return bars_of(summary(visibility, period, selection).histograms[what])


def bars_of(histogram: Mapping[int, int]) -> list[tuple[float, float, int]]:
    """The bars of one histogram, as :func:`histogram` has them."""
    counts = {bucket: count for bucket, count in histogram.items() if count}
    if not counts:
        return []
    first, last = min(counts), max(counts)
    width = -(-(last - first + 1) // BARS)
    bars = []
    for low in range(first, last + 1, width):
        high = min(low + width - 1, len(BOUNDS))
        bars.append((_lower(low), _upper(high), sum(counts.get(each, 0) for each in range(low, high + 1))))
    return bars


def _lower(bucket: int) -> float:
    return BOUNDS[bucket - 1] if bucket else 0.0


def _upper(bucket: int) -> float:
    return BOUNDS[min(bucket, len(BOUNDS) - 1)]


def _cell(moment: datetime, period: Range) -> tuple[int, int]:
    local = moment.astimezone(period.zone)
    return local.weekday(), local.hour


def _whole_hours(period: Range) -> bool:
    """Whether every hour of the range's zone is an hour of UTC, as seen from both of its ends and its middle."""
    moments = (period.start + period.length * part for part in (0, 0.25, 0.5, 0.75, 1))
    offsets = (moment.astimezone(period.zone).utcoffset() for moment in moments)
    return all(offset is None or not offset % timedelta(hours=1) for offset in offsets)
