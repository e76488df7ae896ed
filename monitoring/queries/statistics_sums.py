"""Figures of statistics, added up, and what is derived from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..log_histogram import add_packed, percentiles
from ..models.statistic import OUTCOMES

#: Outcomes of tasks that ended; a retry is no end.
ENDS = tuple(column for column in OUTCOMES.values() if column != "retried")
#: Columns that are added up by the database.
COUNTS = (*ENDS, "retried", "runtime_count", "runtime_sum", "wait_count", "wait_sum")
RUNTIMES, WAITS = "runtimes", "waits"


@dataclass(slots=True)
class Sums:
    """The figures of some rows of statistics. Histograms are there only where they were asked for."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    histograms: dict[str, dict[int, int]] = field(default_factory=lambda: {RUNTIMES: {}, WAITS: {}})

    def add_counts(self, columns: Iterable[str], values: Iterable[int]) -> None:
        """Add values of some of :data:`COUNTS`."""
        for column, value in zip(columns, values, strict=True):
            self.counts[column] += value

    def add_histogram(self, column: str, packed: bytes | memoryview) -> None:
        add_packed(self.histograms[column], packed)

    def add(self, other: Sums, sign: int = 1) -> None:
        """Add other sums; with a `sign` of -1 take out what is part of these."""
        for column, value in other.counts.items():
            if value:
                self.counts[column] += sign * value
        for column, histogram in other.histograms.items():
            mine = self.histograms[column]
            known = mine.get
            for bucket, count in histogram.items():
                mine[bucket] = known(bucket, 0) + sign * count

    @property
    def finished(self) -> int:
        """How many tasks ended."""
        return sum(self.counts[column] for column in ENDS)

    def share(self, column: str) -> float | None:
        """Which share of the ended tasks had an outcome; None where none ended."""
        finished = self.finished
        return self.counts[column] / finished if finished else None

    def mean(self, what: str) -> float | None:
        """The mean ``runtime`` or ``wait`` in seconds."""
        count = self.counts[f"{what}_count"]
        return self.counts[f"{what}_sum"] / count / 1e6 if count else None

    def percentiles(self, column: str, shares: Sequence[float]) -> list[float | None]:
        """Percentiles of :data:`RUNTIMES` or :data:`WAITS` in seconds, within 5 %."""
        return percentiles(self.histograms[column], shares)


@dataclass(frozen=True)
class Metric:
    """What a series or a tile shows: its value, and the counts and the histogram that it needs."""

    value: Callable[[Sums], Any]
    counts: tuple[str, ...] = ()
    histogram: str | None = None


def _count(column: str) -> Metric:
    return Metric(lambda sums: sums.counts[column], (column,))


def _share(column: str) -> Metric:
    return Metric(lambda sums: sums.share(column), ENDS)


def _mean(what: str) -> Metric:
    return Metric(lambda sums: sums.mean(what), (f"{what}_count", f"{what}_sum"))


def _percentile(column: str, share: float) -> Metric:
    return Metric(lambda sums: sums.percentiles(column, [share])[0], histogram=column)


#: Counts are of tasks, rates shares from 0 to 1, durations seconds; None where there is nothing to tell.
METRICS: dict[str, Metric] = {
    "finished": Metric(lambda sums: sums.finished, ENDS),
    **{column: _count(column) for column in (*ENDS, "retried")},
    "success_rate": _share("succeeded"),
    "failure_rate": _share("failed"),
    "runtime_mean": _mean("runtime"),
    "runtime_p50": _percentile(RUNTIMES, 0.5),
    "runtime_p95": _percentile(RUNTIMES, 0.95),
    "runtime_p99": _percentile(RUNTIMES, 0.99),
    "wait_mean": _mean("wait"),
    "wait_p50": _percentile(WAITS, 0.5),
    "wait_p95": _percentile(WAITS, 0.95),
}
