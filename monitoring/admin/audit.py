"""The audit log: who did what, when, to what, and what came of it. It can be read, and nothing else."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import formatting
from ..models import AuditEntry
from ..models.audit_entry import Ending
from ..queries.audit import AuditFilter, audit_choices, audit_entries, audit_entry
from .audit_export import AuditExport
from .audit_rows import audit_row
from .base import MonitoringAdmin
from .url_query import cursor_of, pager, with_parameters

#: Ways that entries come by, see Actor.via.
WAYS = (("admin", gettext_lazy("Pages")), ("api", gettext_lazy("API")))


@admin.register(AuditEntry)
class AuditEntryAdmin(MonitoringAdmin):
    def get_urls(self) -> list[URLPattern]:
        return [*AuditExport(self).urls(), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        visibility, wanted = self.visibility(request), AuditFilter.from_query(request.GET)
        cursor = cursor_of(request)
        found = audit_entries(request.user, visibility, wanted, cursor)
        names, verbs = audit_choices(request.user, visibility)
        return self.page(
            request,
            "audit_list.html",
            _("Audit"),
            rows=[audit_row(entry) for entry in found.rows],
            wanted=wanted,
            names=names,
            verbs=verbs,
            endings=Ending.choices,
            since_value=_local(wanted.since),
            until_value=_local(wanted.until),
            limited=not visibility.is_everything,
            paged=cursor is not None,
            ways=WAYS,
            export_query=with_parameters(request)[1:],
            **pager(request, found),
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
        entry = audit_entry(request.user, self.visibility(request), unquote(object_id))
        if entry is None:
            return self.not_found(request, unquote(object_id))
        row = audit_row(entry)
        return self.page(
            request,
            "audit_page.html",
            f"{row.who} {row.did}",
            entry=entry,
            row=row,
            parameters=formatting.pretty_json(entry.parameters) if entry.parameters else "",
            unlisted=max(0, entry.target_count - len(entry.targets)),
        )


def _local(moment: Any) -> str:
    """For <input type="datetime-local">, in the server's time zone."""
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M:%S") if moment else ""
