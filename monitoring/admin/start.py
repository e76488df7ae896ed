"""Starting a task: any that a worker, or this process, has registered.

| name | method | takes | answers |
|---|---|---|---|
| ``monitoring_task_start`` | GET | ``name`` and the verb's parameters, to begin with | the form, which goes to ``monitoring_task_control`` |

403 without ``run_task``.
"""  # noqa: E501

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from ..control.actor import Actor
from ..control.task_verbs import task_names
from ..control.verbs import VERBS
from .base import MonitoringAdmin
from .control_actions import verb_url
from .control_form import prepared

VERB = "apply"


class StartView:
    """The view, for the page that it belongs to."""

    def __init__(self, page: MonitoringAdmin) -> None:
        self._page = page

    def urls(self) -> list[URLPattern]:
        """No task has such an address: in the admin's quoting "_" is "_5F"."""
        view = self._page.admin_site.admin_view(self.start)
        return [path("_start/", view, name="monitoring_task_start")]

    def start(self, request: HttpRequest) -> HttpResponse:
        if not self._page.has_view_permission(request):
            raise PermissionDenied
        if start_url(request, self._page.admin_site.name) is None:
            raise PermissionDenied
        verb, actor = VERBS[VERB], Actor.of(request)
        form = verb.form_for([], actor.visibility, initial=request.GET.dict())
        names = task_names.names(actor.visibility)
        return self._page.page(
            request,
            "start.html",
            _("Start a task"),
            verb=verb,
            form=prepared(form, "mon-start-%s"),
            name=request.GET.get("name", ""),
            names=[name for name in names if not verb.why_not(task_names.TaskName(name))],
            action_url=verb_url(verb, self._page.admin_site.name),
        )


def start_url(request: HttpRequest, site_name: str) -> str | None:
    """The address of the page; None for a user who may start nothing."""
    if VERB not in VERBS or not Actor.of(request).may(VERBS[VERB].permission):
        return None
    return reverse("admin:monitoring_task_start", current_app=site_name)
