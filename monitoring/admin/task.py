"""Tasks: the list and the page of one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from ..models import Task
from ..queries.saved_views import list_choices
from ..queries.tasks import task, task_and_its_worker
from .base import MonitoringAdmin
from .bulk import BulkViews
from .control import ControlViews
from .control_result import banner
from .export import ExportView
from .histogram_table import HistogramTable
from .list_parts.address import canonical
from .live import live_context
from .payload import may_view_payload
from .saved_views import SavedViewViews
from .start import StartView, start_url
from .suggest import SuggestView
from .task_actions import in_front, task_actions
from .task_list import opening_address, task_list
from .task_page import task_page
from .task_parts.place_in_list import beside, link_to_list, list_query
from .task_parts.raw import raw_task


@admin.register(Task)
class TaskAdmin(MonitoringAdmin):
    def get_urls(self) -> list[URLPattern]:
        raw = path(
            "<path:object_id>/raw/", self.admin_site.admin_view(self.raw_view), name="monitoring_task_raw"
        )
        next_to = path(
            "<path:object_id>/beside/",
            self.admin_site.admin_view(self.beside_view),
            name="monitoring_task_beside",
        )
        own = [*BulkViews(self).urls(), *ExportView(self).urls(), *SavedViewViews(self).urls()]
        own += SuggestView(self).urls() + StartView(self).urls()
        own += ControlViews(self, "task", "task_id", "task_name", "stamp").urls()
        own += HistogramTable(self).urls()
        return [*own, raw, next_to, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        choices = list_choices(request.user)
        address = opening_address(request, choices) or canonical(request)
        if address is not None:
            return HttpResponseRedirect(address)
        live = live_context(request, self.admin_site.name, "tasks")
        context = task_list(
            request, self.visibility(request), choices, may_view_payload(request), self.admin_site.name
        )
        query = list_query(request.GET.lists())
        context |= {"list_query": query, "start_url": start_url(request, self.admin_site.name)}
        return self.page(request, "task_list.html", _("Tasks"), **live, **context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        live = live_context(request, self.admin_site.name, "task")
        visibility = self.visibility(request)
        found, worker_exists = task_and_its_worker(visibility, unquote(object_id))
        if found is None:
            return self.not_found(request, unquote(object_id))
        context = task_page(request, found, visibility, may_view_payload(request))
        context["worker_exists"] = worker_exists and request.user.has_perm("monitoring.view_worker")
        actions = task_actions(request, self.admin_site.name, found, found.worker_pool)
        context["front_actions"], context["more_actions"] = in_front(actions)
        context |= banner(request, self.admin_site.name)
        return self.page(request, "task_page.html", str(found), **live, **context)

    def beside_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the task before or after one in the list ``in=``; back to that one where there is none, and why."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        visibility = self.visibility(request)
        found = task(visibility, unquote(object_id))
        if found is None:
            return self.not_found(request, unquote(object_id))
        key, words = beside(request, found, visibility, may_view_payload(request))
        if words:
            messages.info(request, words)
        page = reverse("admin:monitoring_task_change", args=[quote(key)], current_app=self.admin_site.name)
        return HttpResponseRedirect(page + link_to_list(request))

    def raw_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The task as JSON, for a reader; programs have the API."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = task(self.visibility(request), unquote(object_id))
        if found is None:
            return self.not_found(request, unquote(object_id))
        options = {"indent": 2, "ensure_ascii": False}
        return JsonResponse(raw_task(found, may_view_payload(request)), json_dumps_params=options)
