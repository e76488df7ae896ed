"""What one row of statistics holds, while it is counted and added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from monitoring.log_histogram import LONGEST, add_packed, bucket_of, pack
from monitoring.models import Grain
from monitoring.models.statistic import OUTCOMES

#: Columns that are added up, in the order in which they are read.
SUMS = (*OUTCOMES.values(), "runtime_count", "runtime_sum", "wait_count", "wait_sum")
HISTOGRAMS = ("runtimes", "waits")
_MOST = 2**63 - 1


class Key(NamedTuple):
    """Which row of a bucket; see models/statistic.py."""

    grain: int
    name: str = ""
    queue: str = ""
    worker: str = ""


@dataclass(slots=True)
class Durations:
    """How many there were, their sum in microseconds, and their histogram."""

    count: int = 0
    sum: int = 0
    buckets: dict[int, int] = field(default_factory=dict)

    def add(self, bucket: int, count: int, microseconds: int) -> None:
        self.count += count
        self.sum += microseconds
        self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    def add_seconds(self, seconds: float | None) -> None:
        if seconds is not None:
            self.add(bucket_of(seconds), 1, round(min(max(seconds, 0.0), LONGEST) * 1e6))


@dataclass(slots=True)
class Figures:
    """The figures of one row."""

    outcomes: Counter[str] = field(default_factory=Counter)
    runtimes: Durations = field(default_factory=Durations)
    waits: Durations = field(default_factory=Durations)

    def add_row(self, values: tuple[Any, ...]) -> None:
        """Add a stored row: its values of :data:`SUMS` and :data:`HISTOGRAMS`."""
        for column, value in zip(OUTCOMES.values(), values, strict=False):
            if value:
                self.outcomes[column] += value
        runtime_count, runtime_sum, wait_count, wait_sum, runtimes, waits = values[len(OUTCOMES) :]
        for durations, count, total, packed in (
            (self.runtimes, runtime_count, runtime_sum, runtimes),
            (self.waits, wait_count, wait_sum, waits),
        ):
            if count:
                durations.count += count
                durations.sum += total
                add_packed(durations.buckets, packed)

    def values(self) -> tuple[Any, ...]:
        """Its values of :data:`SUMS` and :data:`HISTOGRAMS`, to store."""
        return (
            *(self.outcomes[column] for column in OUTCOMES.values()),
            self.runtimes.count,
            min(self.runtimes.sum, _MOST),
            self.waits.count,
            min(self.waits.sum, _MOST),
            pack(self.runtimes.buckets),
            pack(self.waits.buckets),
        )


class Failure(NamedTuple):
    """What a count of failures is by."""

    name: str
    queue: str
    exception_type: str
    fingerprint: str


class Sighting(NamedTuple):
    """Where failures of one fingerprint were seen."""

    fingerprint: str
    queue: str
    worker: str


@dataclass(slots=True)
class Bucket:
    """All rows of one step of time. `sightings` are the first and the last; sums of buckets have none."""

    rows: dict[Key, Figures] = field(default_factory=dict)
    failures: Counter[Failure] = field(default_factory=Counter)
    sightings: dict[Sighting, tuple[datetime, datetime]] = field(default_factory=dict)

    def figures(self, key: Key) -> Figures:
        found = self.rows.get(key)
        if found is None:
            found = self.rows[key] = Figures()
        return found

    def add_failure(self, failure: Failure, worker: str, count: int, first: datetime, last: datetime) -> None:
        """Count tasks that failed alike on one worker; `first` and `last` are when."""
        self.failures[failure] += count
        if failure.fingerprint:
            sighting = Sighting(failure.fingerprint, failure.queue, worker)
            seen = self.sightings.get(sighting, (first, last))
            self.sightings[sighting] = (min(seen[0], first), max(seen[1], last))

    def of_task(self, name: str, queue: str) -> Iterable[Figures]:
        """The figures that a task of this name and queue counts in, beside those of its worker."""
        return (
            self.figures(Key(Grain.ALL)),
            self.figures(Key(Grain.TASK, name, queue)),
            self.figures(Key(Grain.QUEUE, queue=queue)),
        )

    def of_worker(self, worker: str) -> Iterable[Figures]:
        return (self.figures(Key(Grain.WORKER, worker=worker)),)
