"""The statistics of one task name: what its template needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from ..failure_states import NEW_FOR, Standing
from ..queries.failures_by_exception import FailedWith, failures_by_exception
from ..queries.marks import marks
from ..queries.runs_by_worker import runs_by_worker
from ..queries.statistics_overview import Overview, overview
from ..queries.statistics_sums import RUNTIMES, WAITS
from ..queries.task_extremes import extremes
from ..queries.visibility import Visibility
from .charts import Mark, table_file
from .failure_links import failures_url
from .failure_words import rule_of
from .payload import may_view_payload
from .start import start_url
from .statistics_definition import statistics_definition
from .statistics_parts import charts, tiles
from .statistics_parts.spread import spread
from .statistics_parts.tables import LEAST_RUNS
from .statistics_parts.tiles import Tile
from .statistics_parts.view import StatisticsView
from .url_query import with_parameters

#: The value of ``tab`` for how the task is defined; without one its figures are shown.
DEFINITION = "definition"


@dataclass(frozen=True)
class ExceptionRow:
    """`share` is of the task's failures in the range, `url` the list of those. `is_new`: as a group of failures is."""

    failed: FailedWith
    share: float
    url: str
    is_new: bool


def statistics_task(request: HttpRequest, visibility: Visibility, site: AdminSite) -> dict[str, Any]:
    """`request.GET`: ``name``, ``queue``, ``tab``, and the range, as :meth:`StatisticsView.of` reads them."""
    view = StatisticsView.of(request, visibility, site.name, timezone.now())
    name = view.selection.name or ""
    is_definition = request.GET.get("tab") == DEFINITION
    context: dict[str, Any] = {
        "view": view,
        "range": view.wanted,
        "name": name,
        "template": "statistics_definition.html" if is_definition else "statistics_task.html",
        "name_tabs": [
            (_("Figures"), with_parameters(request, tab=None, done=None), not is_definition),
            (_("Definition"), with_parameters(request, tab=DEFINITION, done=None), is_definition),
        ],
        "may_view_tasks": request.user.has_perm("monitoring.view_task"),
        "may_view_workers": request.user.has_perm("monitoring.view_worker"),
        "may_view_schedules": request.user.has_perm("monitoring.view_schedule"),
        "tasks_url": view.tasks_url(),
        "start_url": _start_url(request, site.name, name),
    }
    return context | (
        statistics_definition(view, site, name) if is_definition else _figures(view, site, name)
    )


def _figures(view: StatisticsView, site: AdminSite, name: str) -> dict[str, Any]:
    request, visibility = view.request, view.visibility
    found = overview(visibility, view.period, view.selection)
    drawn = [Mark(each.at, each.label) for each in marks(view.period.start, view.period.end)]
    exceptions = _exceptions(view)
    context: dict[str, Any] = {
        "tiles": _tiles(view, found),
        "charts": [
            charts.throughput(view, found, drawn),
            charts.failure_rate(view, found, drawn),
            charts.run_time(view, found, drawn),
            charts.wait(view, found, drawn),
        ],
        "spread": spread(found.now),
        "spread_file": table_file(_("How long it runs"), view.period.start, view.period.end),
        "queues": _queues(view, found),
        "least_runs": LEAST_RUNS,
        "exceptions": exceptions,
        "trouble": next((row for row in exceptions if row.is_new and row.failed.exception_type), None),
        "new_rule": rule_of(Standing.NEW),
        "with_workers": visibility.is_everything,
        "failed_url": view.tasks_url(state="FAILURE"),
        "failures_url": failures_url(site, view, name),
    }
    if visibility.is_everything:
        rows = runs_by_worker(visibility, name)
        total = sum(row.runs for row in rows)
        context["workers"] = [(row, row.runs / total if total else None) for row in rows]
    if request.user.has_perm("monitoring.view_task"):
        with_payload = may_view_payload(request)
        context["with_payload"] = with_payload
        context["extremes"] = extremes(visibility, view.period, view.selection, with_payload=with_payload)
    return context


def _start_url(request: HttpRequest, site_name: str, name: str) -> str | None:
    base = start_url(request, site_name)
    return f"{base}?{urlencode({'name': name})}" if base else None


def _exceptions(view: StatisticsView) -> list[ExceptionRow]:
    """What it failed with in the range, most first."""
    found = failures_by_exception(view.visibility, view.period, view.selection)
    total = sum(row.count for row in found)
    return [
        ExceptionRow(
            row,
            row.count / total,
            view.tasks_url(state="FAILURE", exception_type=row.exception_type),
            row.first_seen is not None and view.now - row.first_seen <= NEW_FOR,
        )
        for row in found
    ]


def _queues(view: StatisticsView, found: Overview) -> list[dict[str, Any]]:
    """Figures of each queue that the task was sent to, most first; percentiles from LEAST_RUNS runs on."""
    ranked = sorted(found.queues.items(), key=lambda item: (-item[1].finished, item[0]))
    total = found.now.finished
    rows = []
    for queue, sums in ranked:
        enough = sums.counts["runtime_count"] >= LEAST_RUNS
        p50, p95 = sums.percentiles(RUNTIMES, (0.5, 0.95)) if enough else (None, None)
        rows.append(
            {
                "queue": queue,
                "url": _of_queue(view, queue),
                "finished": sums.finished,
                "share": sums.finished / total if total else None,
                "failed": sums.counts["failed"],
                "rate": sums.share("failed"),
                "p50": p50,
                "p95": p95,
            }
        )
    return rows


def _of_queue(view: StatisticsView, queue: str) -> str:
    query = {"name": view.selection.name or "", "queue": queue, **view.range_query}
    base = reverse("admin:monitoring_statistic_changelist", current_app=view.site_name)
    return f"{base}?{urlencode(query)}"


def _tiles(view: StatisticsView, found: Overview) -> list[Tile]:
    return [
        tiles.amount(
            view,
            "runs",
            _("Runs"),
            found.now.finished,
            found.before.finished,
            found.values(lambda sums: sums.finished)[: -1 if view.is_open else None],
            view.tasks_url(),
        ),
        tiles.failure_rate(view, found),
        tiles.p95(view, found, "runtime", _("Run time p95"), RUNTIMES),
        tiles.p95(view, found, "wait", _("Queue wait p95"), WAITS),
    ]
