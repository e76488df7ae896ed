"""A chart as its template and its script need it: templates/admin/monitoring/parts/chart.html, static js/charts/."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from .. import formatting

#: How the values of each kind of chart are written; its script has the same names.
WRITTEN: Mapping[str, Callable[[float], str]] = {
    "number": formatting.number,
    "duration": formatting.duration,
    "share": formatting.share,
}


#: Buckets from this length on are no longer "now" when the next one fills.
LONG = timedelta(minutes=10)


@dataclass(frozen=True)
class Series:
    """One line. `values` has one for each time of its chart, None where nothing is known.

    `colour` is the name of a token without ``--mon-``: ``s1`` to ``s6``, ``p50``, ``p95``, ``p99``, ``failure-solid``.
    `dotted` tells it from one of a colour that is near to its own.
    """

    label: str
    values: Sequence[float | None]
    colour: str = "s1"
    dotted: bool = False

    @property
    def newest(self) -> float | None:
        """The newest known value."""
        return next((value for value in reversed(self.values) if value is not None), None)

    def newest_whole(self, filling: bool) -> float | None:
        """The newest known value of a bucket that is over, if there is one."""
        whole = Series(self.label, self.values[:-1], self.colour).newest if filling else None
        return self.newest if whole is None else whole


@dataclass(frozen=True)
class Row:
    """A line of the table; `filling`: its bucket is not over yet."""

    at: datetime
    values: list[float | None]
    filling: bool


@dataclass(frozen=True)
class Mark:
    """A moment that is marked in a chart, and the words for it."""

    at: datetime
    label: str


@dataclass(frozen=True)
class Chart:
    """Lines over time, from `start` to `end`; with `stacked`, bars that stand on each other, the first one below.

    `key` is its id on the page. `times` are the beginnings of equal buckets, oldest first. `filling`: the newest bucket
    is not over yet, and is drawn dashed. `kind` says how values are written: ``number``, ``duration`` (seconds) or
    ``share`` (a part of 1).
    """

    key: str
    title: str
    unit: str
    start: datetime
    end: datetime
    times: Sequence[datetime]
    series: Sequence[Series]
    filling: bool = False
    kind: str = "number"
    stacked: bool = False
    marks: Sequence[Mark] = ()

    @property
    def is_empty(self) -> bool:
        return all(one.newest is None for one in self.series)

    @property
    def drawn(self) -> str:
        """For the script, as JSON: seconds since the epoch, and lists of values beside each other."""
        drawn: dict[str, Any] = {
            "start": self.start.timestamp(),
            "end": self.end.timestamp(),
            "times": [at.timestamp() for at in self.times],
            "series": [
                {
                    "label": str(one.label),
                    "colour": one.colour,
                    "dotted": one.dotted,
                    "values": list(one.values),
                }
                for one in self.series
            ],
            "filling": self.filling,
            "kind": self.kind,
            "stacked": self.stacked,
            "marks": [{"at": mark.at.timestamp(), "label": mark.label} for mark in self.marks],
            "zone": timezone.get_current_timezone_name(),
        }
        return json.dumps(drawn, separators=(",", ":"))

    @property
    def rows(self) -> list[Row]:
        """The same numbers, newest first, without the times of which nothing is known."""
        table = zip(self.times, *(one.values for one in self.series), strict=True)
        rows = [
            Row(at, values, self.filling and at == self.times[-1])
            for at, *values in table
            if any(value is not None for value in values)
        ]
        return rows[::-1]

    def written(self, value: float | None) -> str:
        """A value as the page writes it."""
        return "–" if value is None else WRITTEN[self.kind](value)

    @property
    def legend(self) -> list[tuple[Series, str]]:
        """Each series with its newest value, of a bucket that is over."""
        return [(one, self.written(one.newest_whole(self.filling))) for one in self.series]

    @property
    def legend_at(self) -> datetime | None:
        """When the bucket of the legend began, where it is long over: much may have happened in the one that fills."""
        if not self.filling or len(self.times) < 2 or self.times[-1] - self.times[-2] < LONG:
            return None
        return self.times[-2]

    @property
    def newest_marks(self) -> Sequence[Mark]:
        """Those that there is room for in the legend."""
        return self.marks[-3:]
