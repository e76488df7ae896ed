"""Events and ended tasks per second over the last five minutes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .feed import per_second

#: Seconds of one value of the sparkline, and how many values it has.
STEP, STEPS = 5, 60
#: Seconds over which "now" is measured: entries come up to four times a second, and heartbeats in bursts.
WINDOW = 10
_KEPT = STEP * (STEPS + 1)


@dataclass(frozen=True)
class Figures:
    """`series` is events per second, oldest first, up to `until`; None before the first entry that is known."""

    events_per_second: float
    tasks_per_second: float
    finished_last_minute: int
    failures_last_minute: int
    series: list[float | None]
    until: datetime


class Throughput:
    """Adds up entries by second, oldest first; what is older than the sparkline is forgotten."""

    def __init__(self) -> None:
        #: Second since the epoch, events, ended tasks, failures.
        self._seconds: deque[list[int]] = deque()

    def add(self, at: datetime, events: int, ended: int, failed: int) -> None:
        second = int(at.timestamp())
        if not self._seconds or self._seconds[-1][0] < second:
            self._seconds.append([second, 0, 0, 0])
        for index, count in enumerate((events, ended, failed), 1):
            self._seconds[-1][index] += count
        while self._seconds[0][0] < second - _KEPT:
            self._seconds.popleft()

    def figures(self, now: datetime) -> Figures:
        end = int(now.timestamp())
        return Figures(
            events_per_second=self._sum(1, end - WINDOW) / WINDOW,
            tasks_per_second=self._sum(2, end - WINDOW) / WINDOW,
            finished_last_minute=self._sum(2, end - 60),
            failures_last_minute=self._sum(3, end - 60),
            series=self._series(end - end % STEP),
            until=datetime.fromtimestamp(end - end % STEP, UTC),
        )

    def _sum(self, index: int, after: int) -> int:
        return sum(second[index] for second in self._seconds if second[0] > after)

    def _series(self, end: int) -> list[float | None]:
        """Whole steps only: the step under way would look like a fall."""
        begin = end - STEP * STEPS
        sums = [0] * STEPS
        for second, events, *_ in self._seconds:
            if begin <= second < end:
                sums[(second - begin) // STEP] += events
        first = (self._seconds[0][0] - begin) // STEP if self._seconds else STEPS
        return [value / STEP if index >= first else None for index, value in enumerate(sums)]


def throughput(now: datetime) -> Throughput:
    """What the feed knows of the last five minutes. Cost: those entries, a few rows a second.

    Tells of everybody's tasks: not for a user whose visibility is limited.
    """
    known = Throughput()
    for row in per_second(now - timedelta(seconds=_KEPT)):
        known.add(*row)
    return known
