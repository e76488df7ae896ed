"""A chart as its template and its script need it: templates/admin/monitoring/parts/chart.html, static js/charts/."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from .. import formatting
from ..export_formats import csv_cell
from ..time_steps import DAY, HOUR, MINUTE

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
    """A line of the table; `filling`: its bucket is not over yet; `marks`: labels of those that fall into it."""

    at: datetime
    values: list[float | None]
    filling: bool
    marks: list[str]


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
    ``share`` (a part of 1). `step`: seconds of a bucket, for the words below bars.
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
    step: int = 0

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
            "head": self._head,
            "notes": self._notes,
        }
        return json.dumps(drawn, separators=(",", ":"))

    @property
    def rows(self) -> list[Row]:
        """The same numbers, newest first, without the times of which nothing is known and where no mark is."""
        table = zip(self.times, *(one.values for one in self.series), strict=True)
        rows = [
            Row(at, values, self.filling and index == len(self.times) - 1, self._marked.get(index, []))
            for index, (at, *values) in enumerate(table)
            if index in self._marked or any(value is not None for value in values)
        ]
        return rows[::-1]

    @cached_property
    def _marked(self) -> dict[int, list[str]]:
        """Labels of marks, by the bucket that they fall into."""
        found: dict[int, list[str]] = {}
        for mark in self.marks:
            index = bisect_right(self.times, mark.at) - 1
            if index >= 0:
                found.setdefault(index, []).append(mark.label)
        return found

    @property
    def _head(self) -> list[str]:
        """What stands over the columns where the table is copied, or made a file: values have no unit of their own."""
        units = {"duration": "s", "share": _("part of 1")}
        unit = f" ({units[self.kind]})" if self.kind in units else ""
        return [
            csv_cell(text) for text in (_("Time"), *(f"{one.label}{unit}" for one in self.series), _("Note"))
        ]

    @property
    def _notes(self) -> dict[int, str]:
        """What stands beside the numbers of a bucket there, by its index."""
        notes = {index: list(labels) for index, labels in self._marked.items()}
        newest = len(self.times) - 1
        if self.filling and (newest in notes or any(one.values[newest] is not None for one in self.series)):
            notes[newest] = [_("filling"), *notes.get(newest, [])]
        return {index: csv_cell(", ".join(words)) for index, words in notes.items()}

    @property
    def file_name(self) -> str:
        return table_file(self.title, self.start, self.end)

    @property
    def filling_words(self) -> str:
        """That the newest of its bars is not over yet; empty where it is, and for lines."""
        if not (self.stacked and self.filling and self.step):
            return ""
        named = {
            MINUTE: _("newest minute is still filling"),
            HOUR: _("newest hour is still filling"),
            DAY: _("newest day is still filling"),
        }
        span = {"span": formatting.span(self.step)}
        return named.get(self.step) or _("newest %(span)s are still filling") % span

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


def table_file(title: str, start: datetime, end: datetime) -> str:
    """The name of a chart's table as a file: ``queue-wait-2026-11-24-1342-to-2026-11-24-1442.csv``, in local time."""
    first, last = (f"{timezone.localtime(at):%Y-%m-%d-%H%M}" for at in (start, end))
    return f"{slugify(title, allow_unicode=True)}-{first}-to-{last}.csv"
