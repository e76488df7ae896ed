"""Figures, durations and times on pages. What is not known is a dash."""

from __future__ import annotations

import re
from datetime import datetime
from html import escape
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from .. import formatting
from ..queries.estimates import Estimate
from ..queries.usual import Usual

register = template.Library()

UNKNOWN = "–"
#: After a dot, an underscore or a colon, before a letter.
_BREAKS = re.compile(r"(?<=[._:])(?=[^\W\d_])")
_WBR = mark_safe("<wbr>")


@register.filter
def duration(seconds: float | None) -> str:
    return UNKNOWN if seconds is None else formatting.duration(seconds)


@register.filter
def seconds(value: float) -> str:
    """``30 s``: a limit that somebody chose, and not a measurement."""
    return f"{value:g}{formatting.NBSP}s"


@register.filter
def number(value: float | None) -> str:
    return UNKNOWN if value is None else formatting.number(value)


@register.filter
def estimated(count: Estimate) -> str:
    """``1,234``, ``about 1,234``, ``more than 10,000``: a number of rows, and how it is meant."""
    words = formatting.number(count.number)
    if count.exact:
        return words
    if count.at_least:
        return _("more than %(number)s") % {"number": words}
    return _("about %(number)s") % {"number": words}


@register.filter
def rate(per_second: float | None) -> str:
    return UNKNOWN if per_second is None else formatting.rate(per_second)


@register.filter
def size(octets: int | None) -> str:
    return UNKNOWN if octets is None else formatting.size(octets)


@register.filter
def shown(value: Any) -> Any:
    """The value, or a dash where there is none."""
    return UNKNOWN if value is None or value == "" else value


@register.filter
def signal_name(text: str | None) -> str:
    return formatting.signal_name(text)


@register.filter
def cut(text: str, length: int) -> str:
    return formatting.cut(text, length)


@register.filter
def breakable(text: str) -> SafeString:
    """A name in which lines break behind dots, underscores and colons, and not within a word."""
    return format_html_join(_WBR, "{}", ((piece,) for piece in _BREAKS.split(str(text))))


@register.simple_tag
def ago(moment: datetime | None) -> str:
    """``3 min ago``, with the exact time in the title."""
    if moment is None:
        return UNKNOWN
    seconds = (timezone.now() - moment).total_seconds()
    if abs(seconds) < 1:
        words = _("now")
    elif seconds > 0:
        words = _("%(span)s ago") % {"span": formatting.span(seconds)}
    else:
        words = _("in %(span)s") % {"span": formatting.span(seconds)}
    return _time(moment, words, "mon-ago")


@register.simple_tag
def since(moment: datetime | None) -> str:
    """``3 min``, for a column whose head says "ago"; live pages let it tick."""
    if moment is None:
        return UNKNOWN
    seconds = max(0.0, (timezone.now() - moment).total_seconds())
    return _time(moment, _("now") if seconds < 1 else formatting.span(seconds), "mon-since")


@register.simple_tag
def elapsed(moment: datetime | None, usual: Usual | None = None) -> str:
    """``3 min 51 s``: how long something has been running; live pages let it tick. Red far beyond what is `usual`."""
    if moment is None:
        return UNKNOWN
    seconds = max(0.0, (timezone.now() - moment).total_seconds())
    # A template answers "" for what a task has not been told.
    limit = usual.limit if usual else None
    classes = "mon-elapsed mon-bad" if limit is not None and seconds > limit else "mon-elapsed"
    return _time(moment, formatting.duration(seconds), classes, limit)


@register.filter
def share(part: float | None) -> str:
    """``0.3 %`` of a part of 1."""
    return UNKNOWN if part is None else formatting.share(part)


@register.filter
def percent(part: float) -> int:
    """A part of 1 as whole percent, from 0 to 100, rounded down: 100 only when all is done."""
    return max(0, min(100, int(part * 100)))


@register.simple_tag
def clock(moment: datetime | None) -> str:
    """``14:42:18``, with its day where that is not today, and the exact time in the title."""
    return UNKNOWN if moment is None else _time(moment, clock_words(moment))


def clock_words(moment: datetime) -> str:
    local = timezone.localtime(moment)
    if local.date() == timezone.localdate():
        return date_format(local, "H:i:s")
    return date_format(local, "j M Y H:i:s")


def _time(moment: datetime, words: str, kind: str = "mon-clock", limit: float | None = None) -> SafeString:
    local = timezone.localtime(moment)
    exact = local.isoformat(timespec="milliseconds")
    zone = escape(local.tzname() or "")
    more = "" if limit is None else f' data-limit="{limit:.6g}"'
    # mark_safe: what may be anything is escaped. A list has one of these in each row, or two.
    return mark_safe(  # noqa: S308
        f'<time class="{kind}" datetime="{exact}" title="{exact} {zone}"{more}>{escape(words)}</time>'
    )


@register.filter
def item(mapping: dict[str, Any], key: str) -> Any:
    """The value of a key, or None."""
    return mapping.get(key)
