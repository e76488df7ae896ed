"""The statistics of all task names: what its template needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from ..queries.statistics_menu import task_menu
from ..queries.statistics_sums import RUNTIMES, WAITS, Sums
from ..queries.visibility import Visibility
from .statistics_parts import menus
from .statistics_parts.view import StatisticsView
from .url_query import with_parameters

#: Rows of the page; the names with the greatest values of the chosen column.
MOST = 500


@dataclass(frozen=True)
class NameRow:
    """One task name in the range; shares from 0 to 1, durations in seconds."""

    name: str
    url: str
    tasks_url: str
    failed_url: str
    finished: int
    retried: int
    failed: int
    failure_rate: float | None
    p50: float | None
    p95: float | None
    wait_p95: float | None


#: By the name in the address: what rows are sorted by, greatest first; names from A on.
SORTS: dict[str, Callable[[NameRow], Any]] = {
    "finished": lambda row: row.finished,
    "failed": lambda row: row.failed,
    "failure_rate": lambda row: row.failure_rate or 0,
    "retried": lambda row: row.retried,
    "p50": lambda row: row.p50 or 0,
    "p95": lambda row: row.p95 or 0,
    "wait_p95": lambda row: row.wait_p95 or 0,
}


def statistics_list(request: HttpRequest, visibility: Visibility, site_name: str) -> dict[str, Any]:
    """`request.GET`: that of :meth:`StatisticsView.of`, without a worker, and ``sort``, one of SORTS or ``name``.

    Cost: that of :func:`task_menu`.
    """
    view = StatisticsView.of(request, visibility, site_name, timezone.now())
    menu = task_menu(visibility, view.period, view.selection, with_waits=True)
    sort = request.GET.get("sort", "finished")
    rows = sorted((_row(view, name, sums) for name, sums in menu.tasks.items()), key=lambda row: row.name)
    if sort in SORTS:
        rows.sort(key=SORTS[sort], reverse=True)
    elif sort != "name":
        sort = "finished"
        rows.sort(key=SORTS[sort], reverse=True)
    return {
        "view": view,
        "range": view.wanted,
        "menus": [each for each in menus.menus(view, menu, ()) if each.field == "queue"],
        "is_filtered": view.selection.queue is not None,
        "rows": rows[:MOST],
        "known": len(rows),
        "sort": sort,
        "sort_urls": {name: with_parameters(request, sort=name) for name in ("name", *SORTS)},
    }


def _row(view: StatisticsView, name: str, sums: Sums) -> NameRow:
    p50, p95 = sums.percentiles(RUNTIMES, (0.5, 0.95))
    [wait_p95] = sums.percentiles(WAITS, (0.95,))
    return NameRow(
        name,
        view.task_url(name),
        view.tasks_url(name=name),
        view.tasks_url(state="FAILURE", name=name),
        sums.finished,
        sums.counts["retried"],
        sums.counts["failed"],
        sums.share("failed"),
        p50,
        p95,
        wait_p95,
    )
