"""Gaps: stretches of time in which events may have passed unrecorded."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from ..models import Gap
from ..queries.gaps import gaps
from .base import MonitoringAdmin
from .url_query import cursor_of, pager


@admin.register(Gap)
class GapAdmin(MonitoringAdmin):
    object_pages = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A limited user sees none: outages tell of everybody's tasks."""
        return super().has_view_permission(request, obj) and self.visibility(request).is_everything

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        page = gaps(self.visibility(request), cursor_of(request))
        rows = [(gap, (gap.ended_at - gap.started_at).total_seconds()) for gap in page.rows]
        return self.page(request, "gap_list.html", _("Gaps"), rows=rows, **pager(request, page))
