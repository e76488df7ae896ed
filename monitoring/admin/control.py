"""Verbs on one or a few targets: ask, confirm, tell what each target answered. Each page works without scripts.

Below the address of the targets' list; names are of the admin site's namespace.

| name | method | takes | answers |
|---|---|---|---|
| ``monitoring_<model>_control`` (verb) | GET, POST | ``target`` (several), or ``all=1`` with the list's filter; parameters to begin with; ``next``, the page to go back to | the question |
| the same | POST | the same, ``confirmed=1``, the parameters, ``reason``, ``tick`` | redirect to ``next`` or to the result; 200 with the question where a parameter is wrong, 503 where the broker is away |
| ``monitoring_<model>_control_result`` (audit entry) | GET | | the answer of each target |

403 without the verb's permission, or that to see the list, which the audit log then has, as it has signed-in users who
are sent to the login since they may not use the admin; 404 for a verb that is none.
"""  # noqa: E501

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from ..control import audit
from ..control.actor import Actor
from ..control.connecting import ControlUnavailable
from ..control.contract import NotAllowed, Verb
from ..control.parameters import InvalidParameters
from ..control.perform import authorise, missing_permission, perform
from ..control.verbs import VERBS
from ..queries.audit import audit_entry
from ..queries.worker_filter import WorkerFilter
from ..queries.workers import workers
from .base import MonitoringAdmin
from .control_question import Question
from .control_result import result_context
from .methods import acting_view, no_staff_words

#: Targets of one question, which its form carries: Django takes 1,000 fields (DATA_UPLOAD_MAX_NUMBER_FIELDS).
MAX_TARGETS = 900


class ControlViews:
    """The views of the verbs on some kinds of targets, for the page that they belong to."""

    def __init__(self, page: MonitoringAdmin, *kinds: str) -> None:
        self._page, self._kinds = page, kinds

    def urls(self) -> list[URLPattern]:
        """No object has such an address: in the admin's quoting "_" is "_5F"."""
        wrap, name = self._page.admin_site.admin_view, f"monitoring_{self._page.opts.model_name}_control"
        ask = acting_view(self._page.admin_site, self.ask, self._refuse_stranger)
        return [
            path("_control/<slug:name>/", ask, name=name),
            path("_control/result/<int:key>/", wrap(self.result), name=f"{name}_result"),
        ]

    def ask(self, request: HttpRequest, name: str) -> HttpResponse:
        verb, actor, targets = self._verb(name), Actor.of(request), self._targets(request)
        if not self._page.has_view_permission(request):
            words = missing_permission(f"monitoring.view_{self._page.opts.model_name}")
            self._refuse(request, verb, words)
            raise PermissionDenied(words)
        if not targets:
            messages.warning(request, _("Nothing was selected"))
            return redirect(self._next(request) or self._list_url())
        confirmed = request.method == "POST" and "confirmed" in request.POST
        try:
            authorise(verb, actor, targets)
            question = Question.of(verb, targets, actor, request, confirmed)
            if confirmed and question.is_answered:
                return self._act(request, question, actor)
        except NotAllowed as missing:
            raise PermissionDenied(str(missing)) from missing
        return self._page_of(request, question)

    def _act(self, request: HttpRequest, question: Question, actor: Actor) -> HttpResponse:
        reason = request.POST.get("reason", "").strip()
        try:
            report = perform(question.verb.name, question.targets, actor, question.given, reason)
        except InvalidParameters as mistake:
            return self._page_of(request, question, problem=str(mistake))
        except ControlUnavailable as unavailable:
            return self._page_of(request, question, problem=str(unavailable), status=503)
        assert report.entry is not None, "it was no dry run"
        back = self._next(request)
        if back is None:
            return redirect(f"{self._name}_result", key=report.entry.pk)
        return redirect(_with_result(back, report.entry.pk))

    def result(self, request: HttpRequest, key: int) -> HttpResponse:
        """For who did it, and for who may read the audit log."""
        if not self._page.has_view_permission(request):
            raise PermissionDenied
        visibility = self._page.visibility(request)
        entry = audit_entry(request.user, visibility, str(key))
        own = entry is not None and entry.user_id == str(request.user.pk)
        if entry is None or not (own or request.user.has_perm("monitoring.view_auditentry")):
            raise Http404
        back = self._next(request) or self._list_url()
        context = result_context(entry, self._page.admin_site.name, request)
        return self._page.page(request, "control_result.html", context.pop("title"), back=back, **context)

    def _page_of(
        self, request: HttpRequest, question: Question, problem: str = "", status: int = 200
    ) -> HttpResponse:
        back = self._next(request)
        response = self._page.page(
            request,
            "control_question.html",
            question.title,
            question=question,
            problem=problem,
            next=back,
            back=back or self._list_url(),
        )
        response.status_code = status
        return response

    def _refuse_stranger(self, request: HttpRequest, name: str) -> None:
        if (verb := VERBS.get(name)) is not None:
            self._refuse(request, verb, no_staff_words())

    def _refuse(self, request: HttpRequest, verb: Verb, words: str) -> None:
        audit.refused(Actor.of(request), verb.name, verb.target_kind, words, self._named(request))

    def _verb(self, name: str) -> Verb:
        verb = VERBS.get(name)
        if verb is None or verb.target_kind not in self._kinds:
            raise Http404
        return verb

    def _targets(self, request: HttpRequest) -> list[str]:
        given = request.POST if request.method == "POST" else request.GET
        if given.get("all") and "worker" in self._kinds:
            wanted = WorkerFilter.from_query(given.dict())
            found = [
                worker.hostname
                for worker in workers(self._page.visibility(request))
                if wanted.matches(worker)
            ]
        else:
            found = self._named(request)
        targets = [target for target in dict.fromkeys(found) if target]
        if len(targets) > MAX_TARGETS:
            words = _("Only the first %(count)s of %(total)s are meant: more do not fit into one question")
            messages.warning(request, words % {"count": MAX_TARGETS, "total": len(targets)})
        return targets[:MAX_TARGETS]

    def _named(self, request: HttpRequest) -> list[str]:
        given = request.POST if request.method == "POST" else request.GET
        return [target.replace("\0", "") for target in given.getlist("target")]

    def _next(self, request: HttpRequest) -> str | None:
        """The page of this site that the reader came from, where the address says so."""
        given = request.POST if request.method == "POST" else request.GET
        url = given.get("next", "")
        return (
            url if url_has_allowed_host_and_scheme(url, {request.get_host()}, request.is_secure()) else None
        )

    @property
    def _name(self) -> str:
        return f"admin:monitoring_{self._page.opts.model_name}_control"

    def _list_url(self) -> str:
        name = f"admin:monitoring_{self._page.opts.model_name}_changelist"
        return reverse(name, current_app=self._page.admin_site.name)


def _with_result(url: str, key: int) -> str:
    address, _hash, fragment = url.partition("#")
    together = "&" if "?" in address else "?"
    return f"{address}{together}{urlencode({'done': key})}" + (f"#{fragment}" if fragment else "")
