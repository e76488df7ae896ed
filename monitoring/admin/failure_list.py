"""The list of groups of failures: what its template needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..control.parameters import NoParameters
from ..failure_states import Standing
from ..queries.failure_details import details
from ..queries.failures import PERIODS, WINDOWS, Failures, Group, failures
from ..queries.visibility import Visibility
from .control_actions import here, verb_url, verbs_for
from .failure_rows import row_of, tasks_raising
from .failure_words import rule_of, standing_label
from .url_query import with_parameters

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

#: Rows of a page, and of the matrix.
PAGE_SIZE, MATRIX_SIZE = 25, 12
#: Standings that are always offered, in the order of the segments; the others where there are some.
ALWAYS = (Standing.NEW, Standing.SPIKING, Standing.CAME_BACK)
#: What sorts first: what asks for somebody, then what goes on, what is over, and what nobody wants to hear.
_RANKS = {Standing.RECOVERED: 2, Standing.MUTED: 3}
_PERIOD_WORDS: Mapping[str, StrPromise] = {
    "1h": _("1 h"),
    "3h": _("3 h"),
    "24h": _("24 h"),
    "7d": _("7 d"),
    "30d": _("30 d"),
}


@dataclass(frozen=True)
class Order:
    """A way to sort groups; `column` is what it goes by, for the head of the table."""

    label: StrPromise
    key: Callable[[Group], Any]
    column: str = ""


ORDERS: Mapping[str, Order] = {
    "trouble": Order(
        _("trouble first"), lambda group: (_rank(group), -group.history.last_hour, -group.count)
    ),
    "count": Order(_("most failures"), lambda group: -group.count, "count"),
    "last": Order(_("last seen"), lambda group: -group.last_seen.timestamp(), "last"),
    "first": Order(_("newest group"), lambda group: -group.first_seen.timestamp(), "first"),
}


def period_of(request: HttpRequest) -> str:
    """The parameter ``period``, where it is one; else the last 24 hours."""
    wanted = request.GET.get("period", "")
    return wanted if wanted in PERIODS else "24h"


def failure_list(
    request: HttpRequest, visibility: Visibility, with_payload: bool, site_name: str
) -> dict[str, Any]:
    """`request.GET`: ``period``, ``name`` (of a task), ``standing``, ``sort``, ``page``, and ``q``, a part of
    exception, task or file.

    Cost: that of `failures`, and of `details` for the rows of one page.
    """
    now = timezone.now()
    period, name = period_of(request), request.GET.get("name", "").replace("\0", "")[:255]
    found = failures(visibility, period, now, name)
    text = request.GET.get("q", "").replace("\0", "").strip()[:255]
    sort = request.GET.get("sort", "")
    sort = sort if sort in ORDERS else "trouble"
    named = [group for group in found.groups if _holds(group, text, with_payload)]
    standing = request.GET.get("standing", "")
    chosen = [group for group in named if not standing or group.standing == standing]
    chosen.sort(key=lambda group: (ORDERS[sort].key(group), group.fingerprint))
    page, pages = _page(request, len(chosen))
    shown = chosen[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    beside = details(visibility, shown, period, now, with_payload=with_payload) if shown else {}
    verbs = [
        (verb, verb_url(verb, site_name), verb.form is not NoParameters)
        for verb in verbs_for(request, "failure")
    ]
    return {
        "rows": [row_of(group, beside[group.fingerprint], found.window) for group in shown],
        "with_payload": with_payload,
        "with_workers": visibility.is_everything,
        "found": found,
        "period_words": _PERIOD_WORDS[period],
        "periods": periods_of(request, period),
        "segments": _segments(request, named, standing),
        "text": text,
        "name": name,
        "all_names_url": with_parameters(request, name=None, page=None),
        "standing": standing,
        "period": period,
        "sort": sort,
        "orders": [(name, order.label) for name, order in ORDERS.items()],
        "sorted_by": ORDERS[sort].column,
        "first": (page - 1) * PAGE_SIZE + 1,
        "last": (page - 1) * PAGE_SIZE + len(shown),
        "matching": len(chosen),
        "newer_url": with_parameters(request, page=str(page - 1)) if page > 1 else None,
        "older_url": with_parameters(request, page=str(page + 1)) if page < pages else None,
        "verbs": verbs,
        "may_decide": bool(verbs),
        "here": here(request),
        **_matrix(found, name),
    }


def _holds(group: Group, text: str, with_payload: bool) -> bool:
    if not text:
        return True
    parts = [group.exception_type, group.name, *([group.path, group.function] if with_payload else [])]
    return any(text.lower() in part.lower() for part in parts)


def _rank(group: Group) -> int:
    return 0 if group.is_trouble else _RANKS.get(group.standing, 1)


def _page(request: HttpRequest, count: int) -> tuple[int, int]:
    """The page that is asked for, and how many there are."""
    pages = max(1, -(-count // PAGE_SIZE))
    wanted = request.GET.get("page", "")
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 6 else 1
    return min(max(1, number), pages), pages


def periods_of(request: HttpRequest, chosen: str) -> list[tuple[str, StrPromise, bool]]:
    return [
        (with_parameters(request, period=name, page=None), _PERIOD_WORDS[name], name == chosen)
        for name in PERIODS
    ]


def _segments(
    request: HttpRequest, groups: Sequence[Group], chosen: str
) -> list[tuple[str, str | StrPromise, int, str, bool]]:
    """Address, word, count, rule and whether it is chosen; the counts ignore the standing alone."""
    found: list[tuple[str, str | StrPromise, int, str, bool]] = [
        (with_parameters(request, standing=None, page=None), _("All"), len(groups), "", not chosen)
    ]
    others = [standing for standing in Standing if standing not in ALWAYS]
    for standing in (*ALWAYS, *others):
        count = sum(group.standing is standing for group in groups)
        if count or standing in ALWAYS or standing == chosen:
            url = with_parameters(request, standing=str(standing), page=None)
            found.append((url, standing_label(standing), count, rule_of(standing), standing == chosen))
    return found


def _matrix(found: Failures, name: str) -> dict[str, Any]:
    """Rows of: exception type, and for each window the count, the query string of its tasks, and the length of its bar
    in percent of the greatest count of that window."""
    greatest = [max((counts[n] for _kind, counts in found.matrix), default=0) for n in range(len(WINDOWS))]
    return {
        "matrix_windows": [_PERIOD_WORDS[name] for name in WINDOWS],
        "matrix": [
            (
                kind,
                [
                    (count, tasks_raising(kind, window, name), _bar(count, most))
                    for count, window, most in zip(counts, found.windows, greatest, strict=True)
                ],
            )
            for kind, counts in found.matrix[:MATRIX_SIZE]
        ],
        "matrix_left_out": max(0, len(found.matrix) - MATRIX_SIZE),
    }


def _bar(count: int, most: int) -> int:
    """From 0 to 100; what is not zero can be seen."""
    return max(2, round(100 * count / most)) if count else 0
