"""The card on the index of an admin site.

The default site shows it where nobody has chosen another template for its index: that needs neither a URL line nor an
order of INSTALLED_APPS. Our template extends whatever ``admin/index.html`` the project has. Other sites set
``index_template = "admin/monitoring/index.html"``, or put ``{% monitoring_card %}`` into their own.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from ..models import Statistic
from ..queries.statistics_totals import totals
from ..queries.status import status
from ..queries.visibility import visibility_of
from .base import STYLE_SHEETS
from .dashboard import site_of
from .statistics_parts.view import StatisticsView

INDEX = "admin/monitoring/index.html"


def show_on_index(site: admin.AdminSite) -> None:
    """Let a site's index have the card, unless the project chose a template itself."""
    if site.index_template is None:
        site.index_template = INDEX


def card(request: HttpRequest) -> dict[str, Any]:
    """What its template needs; `allowed` is false for those who get none. Cost: the strip, and totals of an hour."""
    site = site_of(request)
    if not (site.is_registered(Statistic) and site.get_model_admin(Statistic).has_view_permission(request)):
        return {"allowed": False}
    visibility = visibility_of(request.user)
    view = StatisticsView.of(request, visibility, site.name, timezone.now())
    found = totals(visibility, view.period)
    return {
        "allowed": True,
        "request": request,
        "style_sheets": STYLE_SHEETS,
        "status": status(visibility),
        "finished": found["finished"].now,
        "failed": found["failed"].now,
        "failure_rate": found["failure_rate"].now,
        "p95": found["runtime_p95"].now,
        "tasks_url": view.tasks_url(),
        "failed_url": view.tasks_url(state="FAILURE"),
        "url": reverse("admin:app_list", args=["monitoring"], current_app=site.name),
    }
