"""Bulk actions on tasks: ask, dry run, confirm, go on chunk by chunk, result. Each page works without scripts.

Below the task list's own address; names are of the admin site's namespace. All POSTs need the CSRF token.

| name | method | takes | answers |
|---|---|---|---|
| ``monitoring_task_bulk`` | POST | ``verb``; ``_selected_action`` (ids), or ``all=1`` with ``query``, the list's query string; ``given=1`` and the parameters of a verb that has some | redirect to the run, or the form of the parameters |
| ``monitoring_task_bulk_run`` | GET | | the question, the progress or the result, by the state of the run |
| ``monitoring_task_bulk_confirm`` | POST | ``reason``; ``first`` tries one and stops | redirect to the run; also goes on with a stopped one |
| ``monitoring_task_bulk_advance`` | POST | | does chunks for some seconds, then redirect to the run |
| ``monitoring_task_bulk_stop`` | POST | | redirect to the run |
| ``monitoring_task_bulk_results`` | GET | | CSV: task id, outcome, words, a line for each task |

With ``Accept: application/json`` the run's page, confirm, advance and stop answer :func:`progress` instead, and advance
does less at a time. A filter with a mistake leads back to the list, which explains it. 403 without the verb's permission, 404 for a run of somebody else, 400 for a verb that is none.
"""  # noqa: E501

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseBase,
    JsonResponse,
)
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from ..control import audit, bulk
from ..control.actor import Actor
from ..control.contract import NotAllowed, Verb
from ..control.parameters import ParametersForm
from ..control.perform import missing_permission
from ..control.verbs import VERBS
from ..export_formats import csv_line
from ..models import BulkRun
from ..queries.bulk_runs import results_of
from ..queries.selection import Selection
from ..streaming import stream
from .base import MonitoringAdmin
from .bulk_page import progress, run_context
from .control_form import prepared
from .methods import acting_view, no_staff_words, post_only

#: Seconds of work in one request: of a page without scripts, and of one that shows its progress.
PATIENCE, PATIENCE_JSON = 5.0, 0.5


class BulkViews:
    """The views, for the TaskAdmin that they belong to."""

    def __init__(self, page: MonitoringAdmin) -> None:
        self._page = page

    def urls(self) -> list[URLPattern]:
        """No task has such an address: in the admin's quoting "_" is "_5F"."""
        wrap, name, run = self._page.admin_site.admin_view, "monitoring_task_bulk", "_bulk/<uuid:key>/"
        return [
            path("_bulk/", acting_view(self._page.admin_site, post_only(self.ask), self._refuse), name=name),
            path(run, wrap(self.show), name=f"{name}_run"),
            path(f"{run}confirm/", wrap(post_only(self.confirm)), name=f"{name}_confirm"),
            path(f"{run}advance/", wrap(post_only(self.advance)), name=f"{name}_advance"),
            path(f"{run}stop/", wrap(post_only(self.stop)), name=f"{name}_stop"),
            path(f"{run}results.csv", wrap(self.results), name=f"{name}_results"),
        ]

    def ask(self, request: HttpRequest) -> HttpResponse:
        if not self._page.has_view_permission(request):
            self._refuse(request, missing_permission("monitoring.view_task"))
            raise PermissionDenied
        verb = VERBS.get(request.POST.get("verb", ""))
        if verb is None or verb.target_kind != "task":
            return HttpResponseBadRequest(
                _("There is no such verb"), content_type="text/plain; charset=utf-8"
            )
        ids = tuple(request.POST.getlist("_selected_action"))
        query = request.POST.get("query", "").replace("\0", "")
        if request.POST.get("all"):
            selection = Selection(timezone.now(), query=query)
        elif ids:
            selection = Selection(timezone.now(), ids[: bulk.MAX_SELECTED])
        else:
            messages.warning(request, _("No task was selected"))
            return redirect(self._list_url(request, query))
        actor = Actor.of(request)
        given = request.POST.dict() if request.POST.get("given") else None
        form = prepared(verb.form_for([], actor.visibility, given), "mon-bulk-%s")
        if form.fields and actor.may(verb.permission) and not (form.is_bound and form.is_valid()):
            return self._parameters(request, verb, form, selection)
        try:
            run = bulk.ask(verb, selection, actor, form.parameters() if form.fields else None)
        except NotAllowed as missing:
            raise PermissionDenied(str(missing)) from missing
        except bulk.NotReadable as mistake:
            messages.error(request, str(mistake))
            return redirect(self._list_url(request, query))
        return redirect(self._run_url(request, run))

    def _refuse(self, request: HttpRequest, words: str = "") -> None:
        """Write down that somebody tried who may not see the list; without `words`: who may not use the admin."""
        verb = VERBS.get(request.POST.get("verb", ""))
        if verb is not None:
            ids, query = request.POST.getlist("_selected_action"), request.POST.get("query", "")
            audit.refused(
                Actor.of(request), verb.name, verb.target_kind, words or no_staff_words(), ids, query=query
            )

    def _parameters(
        self, request: HttpRequest, verb: Verb, form: ParametersForm, selection: Selection
    ) -> HttpResponse:
        """The form of a verb that needs to know more, before its tasks are judged."""
        return self._page.page(
            request,
            "bulk_parameters.html",
            str(verb.label),
            verb=verb,
            form=form,
            selection=selection,
            list_url=self._list_url(request, selection.query),
        )

    def show(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        run, verb = self._run(request, key)
        if _wants_json(request):
            return JsonResponse(progress(run))
        context = run_context(run, verb, self._list_url(request, run.query), self._page.visibility(request))
        return self._page.page(request, "bulk_run.html", context.pop("title"), **context)

    def confirm(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        run, _verb = self._run(request, key, acting=True)
        actor = Actor.of(request)
        try:
            bulk.confirm(run, actor, request.POST.get("reason", "").strip())
            if request.POST.get("first"):
                bulk.try_one(run, actor)
            elif not _wants_json(request):
                bulk.advance(run, actor, seconds=PATIENCE_JSON)
        except NotAllowed as missing:
            raise PermissionDenied(str(missing)) from missing
        return self._answer(request, run)

    def advance(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        run, _verb = self._run(request, key)
        try:
            bulk.advance(run, Actor.of(request), seconds=PATIENCE_JSON if _wants_json(request) else PATIENCE)
        except NotAllowed as missing:
            raise PermissionDenied(str(missing)) from missing
        return self._answer(request, run)

    def stop(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        run, _verb = self._run(request, key)
        bulk.stop(run)
        return self._answer(request, run)

    def results(self, request: HttpRequest, key: uuid.UUID) -> HttpResponseBase:
        run, _verb = self._run(request, key)

        def lines() -> Iterator[bytes]:
            yield csv_line(["task_id", "outcome", "words"])
            for rows in results_of(run):
                yield b"".join(csv_line(row) for row in rows)

        name = f"{run.verb}-{timezone.localtime(run.asked_at):%Y-%m-%d-%H%M}.csv"
        return stream(request, lines(), "text/csv; charset=utf-8", name)

    def _may_view(self, request: HttpRequest) -> None:
        if not self._page.has_view_permission(request):
            raise PermissionDenied

    def _run(self, request: HttpRequest, key: uuid.UUID, *, acting: bool = False) -> tuple[BulkRun, Verb]:
        actor = Actor.of(request)
        run = bulk.run_of(actor, key)
        if acting and run is not None and not self._page.has_view_permission(request):
            words = missing_permission("monitoring.view_task")
            audit.refused(actor, run.verb, "task", words, run.task_ids or (), query=run.query)
        self._may_view(request)
        if run is None or run.verb not in VERBS:
            raise Http404
        return run, VERBS[run.verb]

    def _answer(self, request: HttpRequest, run: BulkRun) -> HttpResponse:
        return JsonResponse(progress(run)) if _wants_json(request) else redirect(self._run_url(request, run))

    def _run_url(self, request: HttpRequest, run: BulkRun) -> str:
        name = "admin:monitoring_task_bulk_run"
        return reverse(name, args=[run.pk], current_app=self._page.admin_site.name)

    def _list_url(self, request: HttpRequest, query: str) -> str:
        url = reverse("admin:monitoring_task_changelist", current_app=self._page.admin_site.name)
        return f"{url}?{query}" if query else url


def bulk_verbs(request: HttpRequest) -> list[dict[str, Any]]:
    """For the bulk bar: the verbs that this user has the permission for, ``{"name", "label", "destroys"}``."""
    actor = Actor.of(request)
    return [
        {"name": verb.name, "label": verb.label, "destroys": verb.destroys}
        for verb in VERBS.values()
        if verb.target_kind == "task" and actor.may(verb.permission)
    ]


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")
