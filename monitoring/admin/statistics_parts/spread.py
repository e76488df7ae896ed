"""How run times are spread, as bars."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from django.utils.translation import gettext as _

from ... import formatting
from ...queries.statistics_shapes import bars_of
from ...queries.statistics_sums import RUNTIMES, Sums

#: Height of the axis in units of the box; a bar is one unit wide, with a gap.
HEIGHT = 100
_GAP = 0.16
_LABELS = 4
#: At most so many steps of the axis of numbers, each of which is 1, 2 or 5 of a power of ten.
_STEPS = 4


@dataclass(frozen=True)
class Bar:
    """Durations from `low` to `high` (seconds) and how many; `x` to `height` in units of the box."""

    low: float
    high: float
    count: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Spread:
    """`labels` stand below the bars, from the first bound to the last; empty: no run time is known. `ticks` are those
    of the axis of numbers, at even distances from its top down to 0."""

    bars: list[Bar]
    labels: list[str]
    total: int
    ticks: list[int]

    @property
    def width(self) -> int:
        return len(self.bars)

    @property
    def table(self) -> str:
        """Its numbers for the script that copies them, as JSON: a head, then a line for each bar."""
        head = [_("Run time from (s)"), _("Run time to (s)"), _("Tasks")]
        lines = [[*(float(f"{bound:.4g}") for bound in (bar.low, bar.high)), bar.count] for bar in self.bars]
        return json.dumps([head, *lines], separators=(",", ":"))

    @property
    def lines(self) -> list[float]:
        """Where the ticks are but for 0, in units of the box."""
        return [number * HEIGHT / (len(self.ticks) - 1) for number in range(len(self.ticks) - 1)]


def spread(sums: Sums) -> Spread:
    """Of the run times of `sums`. The bounds grow by one factor, so the axis is logarithmic."""
    found = bars_of(sums.histograms[RUNTIMES])
    ticks = axis_ticks(max((count for _low, _high, count in found), default=0))
    bars = []
    for number, (low, high, count) in enumerate(found):
        height = round(count / ticks[0] * HEIGHT, 1)
        bars.append(Bar(low, high, count, number + _GAP / 2, HEIGHT - height, 1 - _GAP, height))
    labels = []
    if bars:
        bounds = [bars[0].low, *(bar.high for bar in bars)]
        places = sorted({round(part * (len(bounds) - 1) / (_LABELS - 1)) for part in range(_LABELS)})
        labels = [formatting.duration(bounds[place]) for place in places]
    return Spread(bars, labels, sum(bar.count for bar in bars), ticks)


def axis_ticks(most: int) -> list[int]:
    """Whole numbers from one that is `most` or more, down to 0."""
    power = 10 ** max(0, math.floor(math.log10(max(most, 1) / _STEPS)))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power * _STEPS >= most)
    return [step * number for number in range(max(1, math.ceil(most / step)), -1, -1)]
