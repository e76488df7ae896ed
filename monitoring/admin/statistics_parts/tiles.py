"""Tiles: a figure, how it has changed, and how it went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from ... import formatting
from ...queries.statistics_overview import Overview
from ...queries.statistics_sums import Sums
from ...sparkline import sparkline
from ..statistics_parts.view import StatisticsView

MINUS = "\u2212"
UNKNOWN = "–"
#: From these on a change is coloured (docs/dashboard.md): points of a share, and the factor that a duration grew by.
POINTS, MANY_POINTS = 0.01, 0.05
FACTOR, GREAT_FACTOR = 1.5, 2.0


@dataclass(frozen=True)
class Tile:
    """`tone` colours the change: ``good``, ``warn``, ``bad``, or nothing. `why` is its title.

    `line` and `area` are paths of a sparkline (sparkline.py), empty where nothing is known of the range.
    """

    key: str
    label: str
    figure: str
    unit: str = ""
    change: str = ""
    versus: str = ""
    tone: str = ""
    why: str = ""
    line: str = ""
    area: str = ""
    url: str = ""


def gauge(
    view: StatisticsView,
    key: str,
    label: str,
    now: float | None,
    before: float | None,
    values: Sequence[float | None],
    *,
    unit: str = "",
    figure: str = "",
    url: str = "",
    less_is_worse: bool = False,
) -> Tile:
    """Something that is so many at this moment; the change is told against the mean of the range before."""
    change = why = tone = ""
    if now is not None and before is not None:
        difference = round(now - before)
        change = _signed(formatting.number(abs(difference)), difference)
        why = _("Mean of the range before: %(mean)s") % {"mean": formatting.rate(before)}
        tone = "warn" if less_is_worse and difference < 0 else ""
    figure = figure or (UNKNOWN if now is None else formatting.number(now))
    return _tile(view, key, label, (figure, unit), (change, tone, why), values, url)


def amount(
    view: StatisticsView,
    key: str,
    label: str,
    now: int,
    before: int,
    values: Sequence[float | None],
    url: str = "",
) -> Tile:
    """How many in the range; the change is that of the tasks per minute, since the range is not over yet."""
    rated = per_minute(view, key, label, now, before, values, url)
    return replace(rated, figure=formatting.number(now), unit="")


def per_minute(
    view: StatisticsView,
    key: str,
    label: str,
    now: int,
    before: int,
    values: Sequence[float | None],
    url: str = "",
) -> Tile:
    """Tasks per minute of the range as far as it is over, against the one before."""
    rate = now / view.minutes if view.minutes else 0.0
    rate_before = before / (view.period.length.total_seconds() / 60)
    change = why = ""
    if rate_before:
        percent = round((rate / rate_before - 1) * 100)
        change = _signed(f"{formatting.number(abs(percent))}{formatting.NBSP}%", percent)
        why = _("Before: %(rate)s per minute") % {"rate": formatting.rate(rate_before)}
    return _tile(
        view,
        key,
        label,
        (formatting.rate(rate), _("mean %(span)s") % {"span": view.span}),
        (change, "", why),
        values,
        url,
    )


def share(
    view: StatisticsView,
    key: str,
    label: str,
    now: float | None,
    before: float | None,
    values: Sequence[float | None],
    url: str = "",
    *,
    more_is_worse: bool,
) -> Tile:
    """A part of the tasks that ended; the change is in percentage points."""
    change = tone = why = ""
    if now is not None and before is not None:
        points = round((now - before) * 100, 1)
        worse = (now - before) if more_is_worse else (before - now)
        change = _signed(f"{abs(points):g}{formatting.NBSP}{_('pt')}", points)
        tone = "bad" if worse >= MANY_POINTS else "warn" if worse >= POINTS else ""
        tone = "good" if worse <= -MANY_POINTS else tone
        why = _("Before: %(share)s") % {"share": formatting.share(before)}
    return _tile(
        view,
        key,
        label,
        _split(None if now is None else formatting.share(now)),
        (change, tone, why),
        values,
        url,
    )


def duration(
    view: StatisticsView,
    key: str,
    label: str,
    now: float | None,
    before: float | None,
    values: Sequence[float | None],
    url: str = "",
) -> Tile:
    """Seconds; longer is worse."""
    change = tone = why = ""
    if now is not None and before is not None:
        change = _signed(formatting.duration(abs(now - before)), now - before)
        if before > 0:
            factor = now / before
            tone = "bad" if factor >= GREAT_FACTOR else "warn" if factor >= FACTOR else ""
            tone = "good" if factor <= 1 / GREAT_FACTOR else tone
        why = _("Before: %(duration)s") % {"duration": formatting.duration(before)}
    figure = _split(None if now is None else formatting.duration(now))
    return _tile(view, key, label, figure, (change, tone, why), values, url)


def failure_rate(view: StatisticsView, found: Overview) -> Tile:
    """Of the tasks that ended, with a link to those that failed."""
    return share(
        view,
        "failure",
        _("Failure rate"),
        found.now.share("failed"),
        found.before.share("failed"),
        found.values(lambda sums: sums.share("failed")),
        view.tasks_url(state="FAILURE"),
        more_is_worse=True,
    )


def p95(view: StatisticsView, found: Overview, key: str, label: str, column: str) -> Tile:
    """The 95th percentile of RUNTIMES or WAITS."""

    def value(sums: Sums) -> float | None:
        return sums.percentiles(column, [0.95])[0]

    return duration(view, key, label, value(found.now), value(found.before), found.values(value))


def _tile(
    view: StatisticsView,
    key: str,
    label: str,
    figure: tuple[str, str],
    change: tuple[str, str, str],
    values: Sequence[float | None],
    url: str,
) -> Tile:
    line, area = sparkline(values) if any(value is not None for value in values) else ("", "")
    words, tone, why = change
    return Tile(key, label, *figure, words, view.versus if words else "", tone, why, line, area, url)


def _signed(text: str, value: float) -> str:
    return f"+{text}" if value > 0 else f"{MINUS}{text}" if value < 0 else _("±0")


def _split(text: str | None) -> tuple[str, str]:
    """A figure and its unit, where it has one unit."""
    if text is None:
        return UNKNOWN, ""
    parts = text.split(formatting.NBSP)
    return (parts[0], parts[1]) if len(parts) == 2 else (text, "")
