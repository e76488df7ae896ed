"""Export of all tasks that match, or of the selected ones, as CSV or JSON Lines.

``GET task/_export/?<the list's query string>&_format=csv&_columns=name&_columns=state`` or
``POST task/_export/`` with ``_selected_action`` (ids) or ``query`` (the list's query string), and the same two.

| parameter | means |
|---|---|
| ``_format`` | ``csv`` (default) or ``jsonl``: one JSON object a line, numbers as numbers, null where there is none |
| ``_columns`` | names of ``queries/task_columns.py``, repeated or with commas; default: all that are no payload |
| ``_payload`` | ``1``: payload columns too, where none are named |

Answers 400 with the reason for a format or column that is none and for a filter with a mistake, 403 without
``monitoring.view_task`` or, for a payload column that was named, without ``monitoring.view_payload``; else a download
that begins at once. Each is an audit entry, finished with the number of rows; one that the reader broke off says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseBase, QueryDict
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ..control import audit, bulk
from ..control.actor import Actor
from ..control.perform import missing_permission
from ..export_formats import csv_line, json_line
from ..models import AuditEntry
from ..queries.export import export_rows
from ..queries.selection import Selection, mistake_words
from ..queries.task_columns import TASK_COLUMNS
from ..streaming import stream
from .base import MonitoringAdmin
from .methods import acting_view, no_staff_words

CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
PLAIN = "text/plain; charset=utf-8"
VIEW_TASK, VIEW_PAYLOAD = "monitoring.view_task", "monitoring.view_payload"
_OWN = ("_format", "_columns", "_payload")


@dataclass(frozen=True)
class Export:
    """What is exported, and how."""

    selection: Selection
    format: str
    columns: list[str]

    def parts(self, actor: Actor, entry: AuditEntry) -> Iterator[bytes]:
        """The file, in parts; the entry is finished with it, or when it is closed before."""
        watch, rows, complete = audit.Stopwatch(), 0, False
        try:
            if self.format == "csv":
                yield csv_line(self.columns)
            for stretch in export_rows(
                self.selection, actor.visibility, self.columns, with_payload=actor.with_payload
            ):
                yield b"".join(self._line(row) for row in stretch)
                rows += len(stretch)
            complete = True
        finally:
            audit.conclude(entry, rows, watch.seconds, complete=complete)

    def _line(self, row: tuple[object, ...]) -> bytes:
        return csv_line(row) if self.format == "csv" else json_line(self.columns, row)


class ExportView:
    """The view, for the TaskAdmin that it belongs to."""

    def __init__(self, page: MonitoringAdmin) -> None:
        self._page = page

    def urls(self) -> list[URLPattern]:
        view = require_http_methods(["GET", "POST"])(self.export)
        view = acting_view(self._page.admin_site, view, self._refuse_stranger)
        return [path("_export/", view, name="monitoring_task_export")]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        actor, asked = Actor.of(request), request.POST if request.method == "POST" else request.GET
        selection = _selection(request)
        parameters = {"format": asked.get("_format", "csv")[:20]}
        if not self._page.has_view_permission(request):
            self._refuse(actor, VIEW_TASK, selection, parameters)
        columns, unknown = _columns(asked, actor)
        if asked.get("_format", "csv") not in CONTENT_TYPES or unknown:
            return _bad_request(unknown)
        if any(TASK_COLUMNS[name].payload for name in columns) and not actor.with_payload:
            self._refuse(actor, VIEW_PAYLOAD, selection, parameters)
        words = mistake_words(selection, actor.visibility, with_payload=actor.with_payload)
        if words:
            return HttpResponseBadRequest(words, content_type=PLAIN)
        export = Export(selection, parameters["format"], columns)
        entry = audit.begin(
            actor,
            "export",
            "task",
            selection.task_ids or (),
            query="" if selection.task_ids is not None else selection.query or bulk.ALL_TASKS,
            parameters={**parameters, "columns": columns},
        )
        name = f"tasks-{timezone.localtime(selection.asked_at):%Y-%m-%d-%H%M}.{export.format}"
        return stream(request, export.parts(actor, entry), CONTENT_TYPES[export.format], name)

    def _refuse_stranger(self, request: HttpRequest) -> None:
        selection = _selection(request)
        audit.refused(
            Actor.of(request),
            "export",
            "task",
            no_staff_words(),
            selection.task_ids or (),
            query=selection.query,
        )

    def _refuse(
        self, actor: Actor, permission: str, selection: Selection, parameters: dict[str, str]
    ) -> None:
        words = missing_permission(permission)
        ids = selection.task_ids or ()
        audit.refused(actor, "export", "task", words, ids, query=selection.query, parameters=parameters)
        raise PermissionDenied(words)


def _selection(request: HttpRequest) -> Selection:
    if request.method == "POST":
        ids = request.POST.getlist("_selected_action")
        return Selection(timezone.now(), tuple(ids) if ids else None, request.POST.get("query", ""))
    query = request.GET.copy()
    for name in _OWN:
        query.pop(name, None)
    return Selection(timezone.now(), query=query.urlencode())


def _columns(asked: QueryDict, actor: Actor) -> tuple[list[str], list[str]]:
    """The columns that are wanted, and those of them that there are not."""
    named = [name for value in asked.getlist("_columns") for name in value.split(",") if name]
    if named:
        return list(dict.fromkeys(name for name in named if name in TASK_COLUMNS)), [
            name for name in named if name not in TASK_COLUMNS
        ]
    payload = bool(asked.get("_payload"))
    return [name for name, column in TASK_COLUMNS.items() if payload or not column.payload], []


def _bad_request(unknown: list[str]) -> HttpResponse:
    if unknown:
        words = _("There is no column %(column)s") % {"column": unknown[0][:50]}
    else:
        words = _("The formats are csv and jsonl")
    return HttpResponseBadRequest(words, content_type=PLAIN)
