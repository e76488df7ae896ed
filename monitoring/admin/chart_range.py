"""The time range of a page's charts: one of a few, or from when to when; in the address, so that links keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..queries.task_filter import parse_time
from .url_query import with_parameters

#: By the name in the address.
RANGES: Mapping[str, tuple[str | Promise, timedelta]] = {
    "15m": (_("15 min"), timedelta(minutes=15)),
    "1h": (_("1 h"), timedelta(hours=1)),
    "6h": (_("6 h"), timedelta(hours=6)),
    "24h": (_("24 h"), timedelta(hours=24)),
    "7d": (_("7 d"), timedelta(days=7)),
    "30d": (_("30 d"), timedelta(days=30)),
}


@dataclass(frozen=True)
class ChartRange:
    """`choices` are words, address and whether it is chosen; `is_own`: the reader gave `start` and `end`; `is_over`: it
    ends before the present.
    """

    start: datetime
    end: datetime
    is_own: bool
    is_over: bool
    choices: list[tuple[str, str, bool]]

    @classmethod
    def of(cls, request: HttpRequest, now: datetime, names: tuple[str, ...], default: str) -> ChartRange:
        """From the parameters ``range``, one of `names`, or ``from`` and ``to``; what is no range is the default one.

        It ends in the present at the latest, and has a minute at least.
        """
        start, end = parse_time(request.GET.get("from", "")), parse_time(request.GET.get("to", ""))
        is_own = start is not None
        wanted = request.GET.get("range", default)
        chosen = wanted if wanted in names else default
        end = min(end or now, now) if is_own else now
        if start is None:
            start = now - RANGES[chosen][1]
        start = min(start, end - timedelta(minutes=1))
        choices = [
            (
                str(RANGES[name][0]),
                with_parameters(request, range=name, **{"from": None, "to": None}),
                name == chosen and not is_own,
            )
            for name in names
        ]
        return cls(start, end, is_own, end < now, choices)
