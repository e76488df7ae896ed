"""The dashboard: the index of the app, in any admin site, without a URL line.

Django renders ``admin/monitoring/app_index.html`` for it; that asks for all of this through the tag ``dashboard``.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.sites import all_sites
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from .. import formatting
from ..models import Statistic
from ..queries.fleet import Fleet, fleet
from ..queries.present import MOST, Present, is_any_task, present
from ..queries.queue_depth import depth_by_queue, total_depth
from ..queries.statistics_menu import task_menu
from ..queries.statistics_overview import Overview, overview
from ..queries.statistics_rows import Selection
from ..queries.statistics_sums import RUNTIMES, WAITS
from ..queries.status import Status
from ..queries.visibility import visibility_of
from ..queries.workers import workers
from .arrivals import why_nothing_arrived
from .base import STYLE_SHEETS
from .charts import Mark
from .failure_links import failures_url
from .live import live_context
from .statistics_parts import charts, menus, tables, tiles
from .statistics_parts.tiles import Tile
from .statistics_parts.view import StatisticsView
from .tabs import tabs


def site_of(request: HttpRequest) -> AdminSite:
    """The admin site that a page belongs to, by the name that its views give to the request."""
    name = getattr(request, "current_app", None)
    return next(site for site in all_sites if site.name == name)


def dashboard(request: HttpRequest) -> dict[str, Any]:
    """What its template needs. `request.GET`: see :meth:`StatisticsView.of`."""
    site = site_of(request)
    allowed = site.is_registered(Statistic) and site.get_model_admin(Statistic).has_view_permission(request)
    context: dict[str, Any] = {
        **live_context(request, site.name, "statistics" if allowed else "strip"),
        "opts": Statistic._meta,
        "title": _("Dashboard"),
        "tabs": tabs(site, request, None),
        "style_sheets": STYLE_SHEETS,
        "allowed": allowed,
    }
    return context | _figures(request, site, context["status"]) if allowed else context


def _figures(request: HttpRequest, site: AdminSite, status: Status) -> dict[str, Any]:
    view = StatisticsView.of(request, visibility_of(request.user), site.name, timezone.now())
    visibility, period, selection = view.visibility, view.period, view.selection
    found = overview(visibility, period, selection)
    is_quiet = not (found.now.finished or found.before.finished or status.workers_known)
    if is_quiet and selection == Selection() and not is_any_task(visibility):
        return {"nothing_arrived": True, **why_nothing_arrived(visibility)}
    menu = task_menu(visibility, period, selection)
    known = workers(visibility, status.presence)
    now = present(visibility, period, selection)
    drawn = [Mark(each.at, each.label) for each in now.marks]
    depth = _depth(view)
    context: dict[str, Any] = {
        "range": view.wanted,
        "view": view,
        "menus": menus.menus(view, menu, known),
        "is_filtered": selection != Selection(),
        "tiles": _tiles(view, found, status, now, depth),
        "charts": [
            charts.throughput(view, found, drawn),
            charts.failure_rate(view, found, drawn),
            charts.run_time(view, found, drawn),
            charts.wait(view, found, drawn),
            *([charts.depth(view, depth, drawn)] if depth is not None else []),
        ],
        "all_url": _all_tasks_url(view),
        "failed_url": view.tasks_url(state="FAILURE"),
    }
    if selection.worker is None:
        context |= {
            "busiest": tables.busiest(view, menu),
            "slowest": tables.slowest(view, menu),
            "slowest_runs": tables.least_runs(menu),
            "most_failing": tables.most_failing(view, menu, partial(failures_url, site, view)),
        }
    return context


def _all_tasks_url(view: StatisticsView) -> str:
    base = reverse("admin:monitoring_statistic_changelist", current_app=view.site_name)
    return f"{base}?{view.range_query_string}"


def _depth(view: StatisticsView) -> dict[str, list[float | None]] | None:
    """How many messages waited in each queue; None where tasks of one name or worker are selected."""
    selection = view.selection
    if selection.name is not None or selection.worker is not None:
        return None
    return depth_by_queue(view.visibility, view.period, selection.queue)


def _tiles(
    view: StatisticsView,
    found: Overview,
    status: Status,
    now: Present,
    depth: dict[str, list[float | None]] | None,
) -> list[Tile]:
    """Those of the present first, then those of the range."""
    selection = view.selection
    history = None
    if selection.name is None and selection.queue is None:
        history = fleet(view.visibility, view.period, selection.worker)
    return [
        *([_workers(view, status, history)] if selection.worker is None else []),
        _running(view, now, history),
        *([_waiting(view, status, now, depth)] if now.waiting is not None else []),
        tiles.per_minute(
            view,
            "rate",
            _("Tasks per minute"),
            found.now.finished,
            found.before.finished,
            found.values(lambda sums: sums.finished)[: -1 if view.is_open else None],
            view.tasks_url(),
        ),
        tiles.share(
            view,
            "success",
            _("Success rate"),
            found.now.share("succeeded"),
            found.before.share("succeeded"),
            found.values(lambda sums: sums.share("succeeded")),
            view.tasks_url(state="SUCCESS"),
            more_is_worse=False,
        ),
        tiles.failure_rate(view, found),
        tiles.p95(view, found, "runtime", _("Run time p95"), RUNTIMES),
        tiles.p95(view, found, "wait", _("Queue wait p95"), WAITS),
    ]


def _workers(view: StatisticsView, status: Status, history: Fleet | None) -> Tile:
    return tiles.gauge(
        view,
        "workers",
        _("Workers online"),
        status.workers_online,
        history.online_before if history else None,
        history.online if history else [],
        unit=_("of %(known)s") % {"known": formatting.number(status.workers_known)},
        url=reverse("admin:monitoring_worker_changelist", current_app=view.site_name),
        less_is_worse=True,
    )


def _running(view: StatisticsView, now: Present, history: Fleet | None) -> Tile:
    return tiles.gauge(
        view,
        "running",
        _("Running now"),
        now.running,
        history.running_before if history else None,
        history.running if history else [],
        figure=_counted(now.running),
        url=view.tasks_url(ended=False, state="STARTED"),
    )


def _waiting(
    view: StatisticsView, status: Status, now: Present, depth: dict[str, list[float | None]] | None
) -> Tile:
    """As the strip has it, where nothing is selected: what the broker said; else by the events of tasks."""
    selection, told = view.selection, status.waiting
    number, url = now.waiting, view.tasks_url(ended=False, state="PENDING")
    if selection.name is None and selection.queue is None and told is not None and told.by_broker:
        number = told.number
        if view.request.user.has_perm("monitoring.view_queue"):
            url = reverse("admin:monitoring_queue_changelist", current_app=view.site_name)
    return tiles.gauge(
        view,
        "waiting",
        _("Waiting"),
        number,
        None,
        total_depth(depth) if depth else [],
        figure=_counted(number or 0),
        url=url,
    )


def _counted(number: int) -> str:
    return f"{formatting.number(MOST)}+" if number > MOST else formatting.number(number)
