"""Task statistics."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from .. import formatting
from ..models import Statistic, Task
from .base import MonitoringAdmin
from .live import live_context
from .statistics_list import statistics_list
from .statistics_task import statistics_task
from .tabs import tabs


@admin.register(Statistic)
class StatisticAdmin(MonitoringAdmin):
    object_pages = False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """All task names, or with ``?name=`` one of them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        site, visibility = self.admin_site.name, self.visibility(request)
        # Statistics have no tab of their own: they tell of tasks.
        shared = {**live_context(request, site, "statistics"), "tabs": tabs(self.admin_site, request, Task)}
        name = request.GET.get("name", "").replace("\0", "")
        if name:
            shown = statistics_task(request, visibility, self.admin_site)
            crumb = formatting.cut(name, 100)
            return self.page(request, shown.pop("template"), name, crumb=crumb, **shared, **shown)
        context = statistics_list(request, visibility, site)
        return self.page(request, "statistics_list.html", _("Task statistics"), **shared, **context)
