"""What a minute of a worker's heartbeats comes to. Pure.

A sample is a join, like a task's row: the figures of the minute's first heartbeat, and extremes over all of them. So
heartbeats that come late, twice or in another order give the same sample. First and not newest, because then all the
others of a minute change nothing in the database, unless they are extremes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .events import Event

#: A minute in microseconds.
MINUTE = 60_000_000
#: How far the horizon may be behind for delays to tell of clocks: seconds that an event may have waited in the broker.
LIVE = timedelta(seconds=5)
#: The value of an event that :func:`note_delays` sets.
DELAY = "delay"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = frozenset({"worker-online", "worker-heartbeat"})
_NO_LOAD = (None, None, None)


@dataclass(slots=True)
class Sample:
    """Columns of `WorkerSample`, in their order; `minute` in microseconds since the epoch."""

    hostname: str
    minute: int
    first_ts: int | None = None
    first_tie: int | None = None
    active: int | None = None
    processed: int | None = None
    load_1: float | None = None
    load_5: float | None = None
    load_15: float | None = None
    most_active: int | None = None
    least_pid: int | None = None
    greatest_pid: int | None = None
    clock_skew: float | None = None

    @property
    def columns(self) -> tuple[Any, ...]:
        return astuple(self)


def note_delays(events: Iterable[Event], horizon: datetime | None, received_at: datetime) -> None:
    """Set how long after its own time each event was received, in seconds, where that tells of its sender's clock.

    An event that waited in the broker, for a consumer that was away or behind, tells nothing: so only while everything
    up to a moment ago has been read (`horizon`).
    """
    if horizon is None or received_at - horizon > LIVE:
        return
    now = (received_at - _EPOCH) / timedelta(microseconds=1)
    for event in events:
        event.values[DELAY] = (now - event.ts) / 1_000_000


def fold_samples(events: Iterable[Event]) -> list[Sample]:
    """The samples of all heartbeats in `events`, in the order of their key."""
    samples: dict[tuple[str, int], Sample] = {}
    for event in events:
        if event.type in _KINDS:
            key = event.subject, event.ts - event.ts % MINUTE
            if (sample := samples.get(key)) is None:
                sample = samples[key] = Sample(*key)
            _add(sample, event)
    return [samples[key] for key in sorted(samples)]


def _add(sample: Sample, event: Event) -> None:
    values = event.values
    if values["active"] is not None and (
        sample.first_ts is None or (event.ts, event.tie) < (sample.first_ts, sample.first_tie)
    ):
        sample.first_ts, sample.first_tie = event.ts, event.tie
        sample.active, sample.processed = values["active"], values["processed"]
        sample.load_1, sample.load_5, sample.load_15 = _load(values["loadavg"])
    sample.most_active = _largest(sample.most_active, values["active"])
    sample.least_pid = _least(sample.least_pid, values["pid"])
    sample.greatest_pid = _largest(sample.greatest_pid, values["pid"])
    sample.clock_skew = _least(sample.clock_skew, values.get(DELAY))


def _load(said: list[float | None] | None) -> tuple[float | None, ...]:
    return (*(said or ()), *_NO_LOAD)[:3]


def _least(one: Any, other: Any) -> Any:
    return min((value for value in (one, other) if value is not None), default=None)


def _largest(one: Any, other: Any) -> Any:
    return max((value for value in (one, other) if value is not None), default=None)
