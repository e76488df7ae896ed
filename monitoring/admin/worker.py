"""Workers: the list and the page of one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _

from ..models import Worker
from ..queries.workers import worker
from .base import MonitoringAdmin
from .control import ControlViews
from .control_result import banner
from .live import live_context
from .worker_list import worker_list
from .worker_page import worker_page
from .worker_refresh import RefreshView


@admin.register(Worker)
class WorkerAdmin(MonitoringAdmin):
    def get_urls(self) -> list[URLPattern]:
        return [*ControlViews(self, "worker").urls(), *RefreshView(self).urls(), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        site = self.admin_site.name
        live = live_context(request, site, "workers")
        context = worker_list(request, self.visibility(request), site) | banner(request, site)
        return self.page(request, "worker_list.html", _("Workers"), **live, **context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        site, visibility = self.admin_site.name, self.visibility(request)
        live = live_context(request, site, "worker")
        found = worker(visibility, unquote(object_id))
        if found is None:
            return self.not_found(request, unquote(object_id))
        context = worker_page(request, found, visibility, site) | banner(request, site)
        return self.page(request, "worker_page.html", found.hostname, **live, **context)
