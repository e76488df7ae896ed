"""The configuration page: the settings that Celery really runs with, and advice."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from ..models import Config
from .base import MonitoringAdmin
from .config_page import config_page
from .control_result import banner


@admin.register(Config)
class ConfigAdmin(MonitoringAdmin):
    object_pages = False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        site = self.admin_site.name
        context = config_page(request, self.visibility(request), site) | banner(request, site)
        return self.page(request, "config.html", _("Configuration"), **context)
