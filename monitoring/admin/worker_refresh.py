"""Asking a worker anew what a tab of its page shows.

| name | method | takes | answers |
|---|---|---|---|
| ``monitoring_worker_refresh`` (host name) | POST | ``tab``; ``next`` | redirect to ``next`` or the worker's page; 204 with ``Accept: application/json`` |

It only reads, so seeing workers is enough. A worker or a broker that does not answer is no error: the page then shows
what was last said, with its age and with what came of this question.
"""  # noqa: E501

from __future__ import annotations

from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.http import url_has_allowed_host_and_scheme

from ..inspection.refresh import refresh
from ..queries.workers import worker
from .base import MonitoringAdmin
from .methods import post_only
from .worker_parts.tabs import tab_of

#: Seconds for which an answer is fresh enough: of a page that asks by itself, and of a reader who presses the button.
FRESH_BY_ITSELF, FRESH_BY_HAND = 4.0, 0.5


class RefreshView:
    """The view, for the page that it belongs to."""

    def __init__(self, page: MonitoringAdmin) -> None:
        self._page = page

    def urls(self) -> list[URLPattern]:
        view = self._page.admin_site.admin_view(post_only(self.refresh))
        return [path("<path:object_id>/refresh/", view, name="monitoring_worker_refresh")]

    def refresh(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self._page.has_view_permission(request):
            raise PermissionDenied
        hostname = unquote(object_id)
        by_itself = request.headers.get("Accept", "").startswith("application/json")
        if worker(self._page.visibility(request), hostname) is None:
            return self._page.not_found(request, hostname)
        fresh = FRESH_BY_ITSELF if by_itself else FRESH_BY_HAND
        refresh(hostname, tab_of(request.POST.get("tab", "")).kinds, older_than=fresh)
        if by_itself:
            return HttpResponse(status=204)
        url = request.POST.get("next", "")
        if url_has_allowed_host_and_scheme(url, {request.get_host()}, request.is_secure()):
            return redirect(url)
        return redirect("admin:monitoring_worker_change", quote(hostname))
