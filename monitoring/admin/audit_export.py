"""Export of the audit log: all entries that match the page's filter, as CSV or JSON Lines.

``GET auditentry/_export/?<the page's query string>&_format=csv`` (``jsonl``: one JSON object a line) answers a download
that begins at once, 400 for a format that is none, 403 without ``monitoring.view_auditentry``. A limited user gets
their own entries. Each is an audit entry itself, finished with the number of rows, and so is one that was refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBadRequest, HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from ..control import audit
from ..control.actor import Actor
from ..control.perform import missing_permission
from ..export_formats import csv_line, json_line
from ..models import AuditEntry
from ..queries.audit import AuditFilter, every_audit_entry
from ..streaming import stream
from .base import MonitoringAdmin
from .export import CONTENT_TYPES, PLAIN
from .methods import acting_view, no_staff_words

#: Every field of an entry, in the order in which they are read.
COLUMNS = tuple(field.attname for field in AuditEntry._meta.concrete_fields)
VIEW = "monitoring.view_auditentry"


class AuditExport:
    """The view, for the page that it belongs to."""

    def __init__(self, page: MonitoringAdmin) -> None:
        self._page = page

    def urls(self) -> list[URLPattern]:
        view = acting_view(self._page.admin_site, require_GET(self.export), self._refuse_stranger)
        return [path("_export/", view, name="monitoring_auditentry_export")]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        actor, wanted = Actor.of(request), request.GET.copy()
        form = str(wanted.pop("_format", ["csv"])[-1])
        told: dict[str, Any] = {"query": wanted.urlencode(), "parameters": {"format": form[:20]}}
        if not self._page.has_view_permission(request):
            words = missing_permission(VIEW)
            audit.refused(actor, "export", "auditentry", words, **told)
            raise PermissionDenied(words)
        if form not in CONTENT_TYPES:
            return HttpResponseBadRequest(_("The formats are csv and jsonl"), content_type=PLAIN)
        entry = audit.begin(actor, "export", "auditentry", **told)
        name = f"audit-{timezone.localtime():%Y-%m-%d-%H%M}.{form}"
        parts = _parts(actor, AuditFilter.from_query(wanted), form, entry)
        return stream(request, parts, CONTENT_TYPES[form], name)

    def _refuse_stranger(self, request: HttpRequest) -> None:
        query = request.GET.urlencode()
        audit.refused(Actor.of(request), "export", "auditentry", no_staff_words(), query=query)


def _parts(actor: Actor, wanted: AuditFilter, form: str, entry: AuditEntry) -> Iterator[bytes]:
    """The file, in parts; `entry` is finished with it, or when it is closed before."""
    watch, rows, complete = audit.Stopwatch(), 0, False
    try:
        if form == "csv":
            yield csv_line(COLUMNS)
        for stretch in every_audit_entry(actor.user, actor.visibility, wanted):
            yield b"".join(_line(each, form) for each in stretch)
            rows += len(stretch)
        complete = True
    finally:
        audit.conclude(entry, rows, watch.seconds, complete=complete)


def _line(entry: AuditEntry, form: str) -> bytes:
    values = [getattr(entry, name) for name in COLUMNS]
    if form == "jsonl":
        return json_line(COLUMNS, values)
    return csv_line(
        json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value for value in values
    )
