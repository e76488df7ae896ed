"""The live monitor: what is happening this second."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import Monitor
from ..queries.tasks import task
from ..queries.usual import UsualRuns
from .base import MonitoringAdmin
from .live import live_context
from .monitor_page import monitor_page
from .payload import may_view_payload
from .task_peek import task_peek


@admin.register(Monitor)
class MonitorAdmin(MonitoringAdmin):
    object_pages = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """It shows tasks, so it needs their permission too, as its socket does."""
        return super().has_view_permission(request, obj) and request.user.has_perm("monitoring.view_task")

    def get_urls(self) -> list[URLPattern]:
        peek = path("peek/", self.admin_site.admin_view(self.peek_view), name="monitoring_monitor_peek")
        return [peek, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        live = live_context(request, self.admin_site.name, "monitor")
        judge = live["status"].presence
        page = monitor_page(request, self.visibility(request), judge, may_view_payload(request))
        return self.page(request, "monitor.html", _("Live"), **live, **page)

    def peek_view(self, request: HttpRequest) -> HttpResponse:
        """One task in short, for a row to open in place: ``?task=<id>``. 404 where there is none to be seen."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        request.current_app = self.admin_site.name
        visibility = self.visibility(request)
        found = task(visibility, request.GET.get("task", "").replace("\0", ""))
        context: dict[str, Any] = {"task": None}
        if found is not None:
            UsualRuns().tell(visibility, [found], timezone.now())
            context = task_peek(found, may_view_payload(request))
        return TemplateResponse(
            request,
            "admin/monitoring/parts/task_peek.html",
            context,
            status=200 if found is not None else 404,
        )
