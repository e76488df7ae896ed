"""Failures: the groups and the matrix, and the page of one group."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _

from .. import formatting
from ..models import Failures
from ..queries.failure_details import group_with_details
from .base import MonitoringAdmin
from .control import ControlViews
from .control_result import banner
from .failure_list import failure_list, period_of
from .failure_page import failure_page
from .live import live_context
from .payload import may_view_payload


@admin.register(Failures)
class FailuresAdmin(MonitoringAdmin):
    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """It shows tasks, so it needs their permission too."""
        return super().has_view_permission(request, obj) and request.user.has_perm("monitoring.view_task")

    def get_urls(self) -> list[URLPattern]:
        return [*ControlViews(self, "failure").urls(), *super().get_urls()]

    def not_found(self, request: HttpRequest, key: str) -> HttpResponse:
        words = _("There is no group of failures %(key)s, or not any more.")
        messages.warning(request, words % {"key": formatting.cut(key, 100)})
        return redirect("admin:monitoring_failures_changelist")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        site = self.admin_site.name
        live = live_context(request, site, "failures")
        found = failure_list(request, self.visibility(request), may_view_payload(request), site)
        return self.page(
            request, "failure_list.html", _("Failures"), **live, **found, **banner(request, site)
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        site, visibility, now = self.admin_site.name, self.visibility(request), timezone.now()
        key = unquote(object_id)
        live = live_context(request, site, "failures")
        found = group_with_details(visibility, key, period_of(request), now)
        if found is None:
            return self.not_found(request, key)
        context = failure_page(request, *found, visibility, may_view_payload(request), site, now)
        return self.page(
            request, "failure_page.html", context.pop("title"), **live, **context, **banner(request, site)
        )
