"""The active parts of a filter in words, each with the address of the list without it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..queries.task_filter import TaskFilter
from ..templatetags.monitoring_format import clock_words
from .url_query import with_parameters

PERIOD_WORDS = {
    "15m": gettext_lazy("last 15 min"),
    "1h": gettext_lazy("last hour"),
    "6h": gettext_lazy("last 6 hours"),
    "24h": gettext_lazy("last 24 hours"),
    "7d": gettext_lazy("last 7 days"),
    "30d": gettext_lazy("last 30 days"),
}


@dataclass(frozen=True)
class Chip:
    """``state FAILURE or RETRY`` and where the list without it is; `without` is the filter that is then left."""

    label: str
    value: str
    url: str
    without: TaskFilter


def chips(request: HttpRequest, wanted: TaskFilter) -> list[Chip]:
    """In the order of the facets, the time range last."""
    parts: list[Chip] = []
    if wanted.text:
        parts.append(Chip(_("text"), wanted.text, with_parameters(request, q=None), replace(wanted, text="")))
    if wanted.states:
        words = _(" or ").join(wanted.states)
        parts.append(
            Chip(_("state"), words, with_parameters(request, state=None), replace(wanted, states=()))
        )
    if wanted.name:
        url = with_parameters(request, name=None)
        parts.append(Chip(_("task"), wanted.name, url, replace(wanted, name="")))
    if wanted.worker:
        url = with_parameters(request, worker=None)
        parts.append(Chip(_("worker"), wanted.worker, url, replace(wanted, worker="")))
    if wanted.queue:
        url = with_parameters(request, queue=None)
        parts.append(Chip(_("queue"), wanted.queue, url, replace(wanted, queue="")))
    if wanted.period or wanted.since or wanted.until:
        url = with_parameters(request, period=None, **{"from": None, "to": None})
        without = replace(wanted, period="", since=None, until=None)
        parts.append(Chip(_("first seen"), _range_words(wanted), url, without))
    return parts


def _range_words(wanted: TaskFilter) -> str:
    if wanted.period:
        return str(PERIOD_WORDS[wanted.period])
    since = clock_words(wanted.since) if wanted.since else ""
    until = clock_words(wanted.until) if wanted.until else ""
    if since and until:
        return _("%(since)s to %(until)s") % {"since": since, "until": until}
    return _("since %(since)s") % {"since": since} if since else _("until %(until)s") % {"until": until}
