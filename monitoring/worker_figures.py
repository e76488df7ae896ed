"""What the minutes of a worker come to: sums and counts, which add up to hours, days and any other stretch. Pure.

Every sum is a whole number, that of fractions in millionths. So it makes no difference in which order, and over which
steps, minutes were added up: the same minutes always give the same means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, pairwise
from typing import NamedTuple

from .time_steps import MINUTE

_FRACTIONS = ("load_1", "load_5", "load_15", "clock_skew")
_MILLION = 1_000_000
#: No value counts for more than this, so that those of a day's minutes fit into 64 bits.
_MOST = 5 * 10**15
#: Columns of `WorkerRollup` that add up. A `_count` is of the minutes in which that figure was known.
ADDED = (
    "minutes",
    "events_sum",
    *(f"{name}_{part}" for name in ("active", *_FRACTIONS, "done") for part in ("count", "sum")),
)
#: All columns of figures, in the order of :meth:`Figures.values`.
COLUMNS = (*ADDED, "most_active")


class Minute(NamedTuple):
    """Columns of one `WorkerSample` that figures are made of."""

    minute: datetime
    processed: int | None
    active: int | None
    most_active: int | None
    load_1: float | None
    load_5: float | None
    load_15: float | None
    clock_skew: float | None
    events: int


@dataclass(slots=True)
class Figures:
    """Of any number of minutes of one worker. `sums` are by the names in :data:`ADDED`."""

    sums: Counter[str] = field(default_factory=Counter)
    most_active: int | None = None

    def add_minute(self, said: Minute, following: Minute | None) -> None:
        """Add a minute; `following` is the next that there is a sample of, which tells what was done in this one."""
        self.sums["minutes"] += 1
        self.sums["events_sum"] += said.events
        self._add("active", said.active)
        self._add("done", _done(said, following))
        for name in _FRACTIONS:
            self._add(name, _millionths(getattr(said, name)))
        self._take(said.most_active)

    def add_values(self, values: Sequence[int | None]) -> None:
        """Add a row with the :data:`COLUMNS`."""
        *added, most_active = values
        for name, value in zip(ADDED, added, strict=True):
            self.sums[name] += value or 0
        self._take(most_active)

    def values(self) -> tuple[int | None, ...]:
        """The :data:`COLUMNS` of a row."""
        return (*(self.sums[name] for name in ADDED), self.most_active)

    def mean(self, name: str) -> float | None:
        """Of ``active``, a load average or ``clock_skew``; None: not known."""
        count = self.sums[f"{name}_count"]
        return self.sums[f"{name}_sum"] / (count * (_MILLION if name in _FRACTIONS else 1)) if count else None

    @property
    def done_per_second(self) -> float | None:
        """Tasks done, over the minutes of which that is known."""
        count = self.sums["done_count"]
        return self.sums["done_sum"] / (MINUTE * count) if count else None

    @property
    def events_per_second(self) -> float | None:
        minutes = self.sums["minutes"]
        return self.sums["events_sum"] / (MINUTE * minutes) if minutes else None

    def _add(self, name: str, value: int | None) -> None:
        if value is not None:
            self.sums[f"{name}_count"] += 1
            self.sums[f"{name}_sum"] += min(max(value, -_MOST), _MOST)

    def _take(self, most_active: int | None) -> None:
        if most_active is not None and (self.most_active is None or most_active > self.most_active):
            self.most_active = most_active


def with_following(minutes: Iterable[Minute]) -> Iterator[tuple[Minute, Minute | None]]:
    """Each of the minutes of one worker, oldest first, beside the next; None after the last."""
    return pairwise(chain(minutes, (None,)))  # type: ignore[arg-type]  # only the second of a pair is ever None


def _done(said: Minute, following: Minute | None) -> int | None:
    """Tasks between a minute's first heartbeat and that of the next; a process that began meanwhile counts from 0."""
    if following is None or following.minute - said.minute != timedelta(seconds=MINUTE):
        return None
    before, after = said.processed, following.processed
    if before is None or after is None:
        return None
    return after - before if after >= before else after


def _millionths(value: float | None) -> int | None:
    return None if value is None else round(min(max(value, -_MOST / _MILLION), _MOST / _MILLION) * _MILLION)
