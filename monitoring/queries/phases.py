"""Where the time of an attempt went. Pure: neither Django nor Celery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .attempts import Attempt, Ending

#: In the order in which an attempt passes them: waiting for its ETA or retry, in its queue, in the worker, running.
KINDS = ("delay", "queued", "held", "running")


@dataclass(frozen=True)
class Phase:
    """A stretch of an attempt."""

    kind: str
    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


def phases_of(attempt: Attempt, now: datetime) -> list[Phase]:
    """The stretches that are known, in order; what has not ended lasts until `now`, and what vanished has no end."""
    begin = attempt.sent_at or attempt.received_at or attempt.started_at
    if begin is None:
        return []
    over = attempt.ended_at or (begin if attempt.ended_as is Ending.VANISHED else now)
    before_start = attempt.started_at or over
    due = max(begin, min(attempt.eta, before_start)) if attempt.eta is not None else begin
    received = max(due, attempt.received_at) if attempt.received_at is not None else before_start
    marks = [("delay", begin, due), ("queued", due, received), ("held", received, before_start)]
    if attempt.started_at is not None:
        marks.append(("running", attempt.started_at, over))
    return [Phase(kind, start, end) for kind, start, end in marks if end > start]


def sums(attempts: Sequence[Attempt], now: datetime) -> dict[str, float]:
    """Seconds of all attempts by kind of phase; kinds that did not occur are left out."""
    total = dict.fromkeys(KINDS, 0.0)
    for attempt in attempts:
        for phase in phases_of(attempt, now):
            total[phase.kind] += phase.seconds
    return {kind: seconds for kind, seconds in total.items() if seconds}


@dataclass(frozen=True)
class Bar:
    """A phase on a clock that all attempts share: left edge and width in thousandths of it."""

    kind: str
    x: float
    width: float


def bars(attempts: Sequence[Attempt], now: datetime) -> list[list[Bar]]:
    """For each attempt its phases on one clock, from the first time of all to the last."""
    phases = [phases_of(attempt, now) for attempt in attempts]
    starts = [phase.start for each in phases for phase in each]
    if not starts:
        return [[] for _ in attempts]
    first = min(starts)
    length = (max(phase.end for each in phases for phase in each) - first).total_seconds()
    return [
        [
            Bar(
                phase.kind,
                round((phase.start - first).total_seconds() / length * 1000, 2),
                max(2.0, round(phase.seconds / length * 1000, 2)),
            )
            for phase in each
        ]
        for each in phases
    ]
