"""How run times are spread, as bars."""

from __future__ import annotations

from dataclasses import dataclass

from ... import formatting
from ...queries.statistics_shapes import bars_of
from ...queries.statistics_sums import RUNTIMES, Sums

#: Height of the tallest bar in units of the box; a bar is one unit wide, with a gap.
HEIGHT = 100
_GAP = 0.16
_LABELS = 4


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
    """`labels` stand below the bars, from the first bound to the last; empty: no run time is known."""

    bars: list[Bar]
    labels: list[str]
    total: int

    @property
    def width(self) -> int:
        return len(self.bars)


def spread(sums: Sums) -> Spread:
    """Of the run times of `sums`. The bounds grow by one factor, so the axis is logarithmic."""
    found = bars_of(sums.histograms[RUNTIMES])
    top = max((count for _low, _high, count in found), default=0) or 1
    bars = []
    for number, (low, high, count) in enumerate(found):
        height = round(count / top * HEIGHT, 1)
        bars.append(Bar(low, high, count, number + _GAP / 2, HEIGHT - height, 1 - _GAP, height))
    labels = []
    if bars:
        bounds = [bars[0].low, *(bar.high for bar in bars)]
        places = sorted({round(part * (len(bounds) - 1) / (_LABELS - 1)) for part in range(_LABELS)})
        labels = [formatting.duration(bounds[place]) for place in places]
    return Spread(bars, labels, sum(bar.count for bar in bars))
