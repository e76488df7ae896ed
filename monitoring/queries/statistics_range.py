"""A range of time, and the buckets that a chart of it has. Pure but for Django's current time zone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from itertools import pairwise

from django.utils import timezone

from ..time_steps import DAY, FIVE_MINUTES, HOUR, MINUTE, SIX_HOURS, STEPS, start_of

WEEK = 7 * DAY
#: Buckets of a chart at most. The finest step that keeps to it has at least 60, but for ranges below an hour, which
#: have one for each minute.
MOST_POINTS = 400
#: Buckets that a chart has at least, but for ranges that have fewer minutes.
LEAST_POINTS = 60
#: Seconds that a bucket of a chart may have.
CHART_STEPS = (MINUTE, FIVE_MINUTES, 3 * FIVE_MINUTES, HOUR, SIX_HOURS, DAY, WEEK)


@dataclass(frozen=True)
class Stretch:
    """Adjacent stored buckets of `step` seconds, from `start` to `end` (excluded)."""

    step: int
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Range:
    """From `start` to `end` (excluded), both whole minutes in UTC, in buckets of `step` seconds.

    Every question of a page is asked of the same range, so that their figures agree. Buckets of days and weeks are
    those of `zone`: from one midnight to the next, so that the day on which clocks change has 23 or 25 hours.
    """

    start: datetime
    end: datetime
    step: int
    zone: tzinfo

    @classmethod
    def between(
        cls,
        start: datetime,
        end: datetime,
        zone: tzinfo | None = None,
        step: int | None = None,
        *,
        coarse: bool = False,
    ) -> Range:
        """The range that holds two moments: it begins with a whole bucket and ends with the minute of `end`.

        `step`: one of CHART_STEPS, however many buckets it makes; without it the finest that keeps to MOST_POINTS, or
        where `coarse` the longest that still makes LEAST_POINTS, which is what a chart of many lines needs.

        Raises ValueError where `end` is not later than `start`.
        """
        if end <= start:
            raise ValueError(f"a range ends after it begins: {start} to {end}")
        zone = zone or timezone.get_current_timezone()
        last = start_of(end - timedelta(microseconds=1), MINUTE) + timedelta(seconds=MINUTE)
        candidates = [(each, _bucket_start(start, each, zone)) for each in CHART_STEPS]
        if step is not None:
            candidates = [(step, _bucket_start(start, step, zone))]
        elif coarse:
            enough = [
                (each, first) for each, first in candidates if _points(first, last, each) >= LEAST_POINTS
            ]
            candidates = enough[-1:] or candidates[:1]
        fitting = [each for each in candidates if _points(each[1], last, each[0]) <= MOST_POINTS]
        chosen, first = (fitting or candidates[-1:])[0]
        return cls(first, last, chosen, zone)

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    @cached_property
    def edges(self) -> tuple[datetime, ...]:
        """The beginnings of all buckets, and the end of the last."""
        edges, edge = [], self.start
        while edge < self.end:
            edges.append(edge)
            edge = _next_bucket(edge, self.step, self.zone)
        return (*edges, self.end)

    def previous(self) -> Range:
        """The range of the same length before this one."""
        return Range(self.start - self.length, self.start, self.step, self.zone)

    def index(self, moment: datetime) -> int:
        """Which bucket a moment of the range is in."""
        return bisect_right(self.edges, moment) - 1


def _points(first: datetime, last: datetime, step: int) -> float:
    return (last - first).total_seconds() / step


def cover(edges: Sequence[datetime], coarsest: int = DAY) -> list[Stretch]:
    """The fewest stored buckets, none longer than `coarsest` seconds, that fill the time between each two edges.

    Edges are whole minutes in rising order; no bucket lies across one. Adjacent buckets of one step are one stretch.
    """
    steps = [step for step in STEPS if step <= coarsest]
    found: list[Stretch] = []
    for begin, end in pairwise(edges):
        for stretch in _fill(begin, end, steps):
            last = found[-1] if found else None
            if last is not None and last.step == stretch.step and last.end == stretch.start:
                found[-1] = Stretch(last.step, last.start, stretch.end)
            else:
                found.append(stretch)
    return found


def _fill(begin: datetime, end: datetime, steps: Sequence[int]) -> Iterator[Stretch]:
    if begin >= end or not steps:
        return
    *finer, step = steps
    first = start_of(begin, step)
    if first < begin:
        first += timedelta(seconds=step)
    last = start_of(end, step)
    if first >= last:
        yield from _fill(begin, end, finer)
        return
    yield from _fill(begin, first, finer)
    yield Stretch(step, first, last)
    yield from _fill(last, end, finer)


def _bucket_start(moment: datetime, step: int, zone: tzinfo) -> datetime:
    if step < DAY:
        return start_of(moment, step)
    local = moment.astimezone(zone)
    day = local.date() - timedelta(days=local.weekday() if step == WEEK else 0)
    return start_of(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC), MINUTE)


def _next_bucket(edge: datetime, step: int, zone: tzinfo) -> datetime:
    if step < DAY:
        return edge + timedelta(seconds=step)
    # From the middle of the first day that many days ahead, whatever clocks do in between.
    return _bucket_start(edge + timedelta(seconds=DAY / 2 + step), step, zone)
