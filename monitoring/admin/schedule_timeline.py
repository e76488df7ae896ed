"""What is due in the next 24 hours, as marks on a line for each schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..queries.schedules import ScheduleState
from ..schedules.due import NeverDue, due_between

SPAN = timedelta(hours=24)
#: Thousandths of the line that one mark is wide, and how many of them are drawn one by one.
WIDTH = 1000
MARK = 3
MOST = 96
#: Hours between two times below the lines.
STEP = 6


@dataclass(frozen=True)
class DueLine:
    """`marks`: left edge and width in thousandths. `count` of times in 24 h, None: too many to be drawn one by one."""

    state: ScheduleState
    marks: list[tuple[float, float]]
    count: int | None
    first: datetime
    last: datetime | None


@dataclass(frozen=True)
class Timeline:
    """`hours`: times, and where they stand."""

    lines: list[DueLine]
    hours: list[datetime]
    until: datetime


def timeline(states: Sequence[ScheduleState], now: datetime) -> Timeline:
    """Those that are due by then, the next one first."""
    until = now + SPAN
    lines = [line for state in states if (line := _line(state, now, until)) is not None]
    lines.sort(key=lambda line: (line.first, line.state.name))
    hours = [now + timedelta(hours=hour) for hour in range(0, 25, STEP)]
    return Timeline(lines, hours, until)


def _line(state: ScheduleState, now: datetime, until: datetime) -> DueLine | None:
    first = state.next_due
    if first is None or first > until or not state.enabled:
        return None
    begin = max(first, now)
    try:
        times = [begin, *due_between(state.entry.times, first if first > now else now, until, MOST)]
    except NeverDue:
        return None
    if len(times) > MOST:
        return DueLine(state, [(_place(begin, now), WIDTH - _place(begin, now))], None, begin, None)
    return DueLine(state, [(_place(time, now), MARK) for time in times], len(times), begin, times[-1])


def _place(time: datetime, now: datetime) -> float:
    return round(min((time - now) / SPAN * WIDTH, WIDTH - MARK), 2)
