"""Schedules: what beat is told to send, and whether it did."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _

from ..models import Schedule
from .base import MonitoringAdmin
from .control import ControlViews
from .control_result import banner
from .live import live_context
from .schedule_page import schedule_page


@admin.register(Schedule)
class ScheduleAdmin(MonitoringAdmin):
    object_pages = False

    def get_urls(self) -> list[URLPattern]:
        return [*ControlViews(self, "schedule").urls(), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        site = self.admin_site.name
        live = live_context(request, site, "schedules")
        context = schedule_page(request, self.visibility(request), live["status"].presence, site)
        return self.page(
            request, "schedule_list.html", _("Schedules"), **live, **context, **banner(request, site)
        )
