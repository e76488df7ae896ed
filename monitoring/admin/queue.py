"""Queues: the list and the page of one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import Queue
from ..queries.queues import queue
from .base import MonitoringAdmin
from .control import ControlViews
from .control_result import banner
from .payload import may_view_payload
from .queue_list import queue_list
from .queue_page import queue_page


@admin.register(Queue)
class QueueAdmin(MonitoringAdmin):
    def get_urls(self) -> list[URLPattern]:
        return [*ControlViews(self, "queue", "message").urls(), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        site = self.admin_site.name
        context = queue_list(request, self.visibility(request), site, timezone.now())
        return self.page(request, "queue_list.html", _("Queues"), **context, **banner(request, site))

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
        found = queue(visibility, unquote(object_id))
        if found is None:
            return self.not_found(request, unquote(object_id))
        context = queue_page(request, found, visibility, may_view_payload(request), site, timezone.now())
        return self.page(request, "queue_page.html", found.name, **context, **banner(request, site))
