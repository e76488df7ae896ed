"""Saved views and chosen columns: the page that manages them, and small POSTs. Each works without scripts.

| name | method | takes | answers |
|---|---|---|---|
| ``monitoring_task_views`` | GET | | the page; as JSON ``{"views": [{key, name, query, owner, mine, shared, is_default}], "columns": [...], "may_share": bool}`` |
| ``monitoring_task_view_add`` | POST | ``name``, ``query``, ``shared`` | the new view |
| ``monitoring_task_view_save`` (id) | POST | any of ``name``, ``query``, ``shared`` (``1`` or empty) | the view |
| ``monitoring_task_view_delete`` (id) | POST | | |
| ``monitoring_task_view_default`` | POST | ``view``: a key, or empty for none | |
| ``monitoring_task_columns`` | POST | ``columns`` (repeated, in their order), or none for "as at first"; ``move`` (``up:queue``, ``down:queue``); ``query`` | |

With ``Accept: application/json`` a POST answers ``{"view": {...}}``, ``{"columns": [...]}`` or ``{}``; else it redirects to
the list with the view (``?view=<key>&<its query>``), or to the page. Mistakes: 400 ``{"detail": "..."}``. 404 for a view
that this user cannot see, 403 for changing or deleting another's, and for sharing without ``monitoring.share_savedview``.

A list that is opened without any parameter shows :func:`monitoring.queries.saved_views.opening_view`; ``?view=none``
shows it without.
"""  # noqa: E501

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from ..control import saved_views
from ..control.saved_views import Mistake
from ..models import SavedView
from ..queries.saved_views import list_choices, view_by_key
from ..queries.task_columns import shown_columns
from .base import MonitoringAdmin
from .methods import post_only
from .payload import may_view_payload


class SavedViewViews:
    """The views, for the TaskAdmin that they belong to."""

    def __init__(self, page: MonitoringAdmin) -> None:
        self._page = page

    def urls(self) -> list[URLPattern]:
        wrap, one = self._page.admin_site.admin_view, "_views/<int:key>/"
        return [
            path("_views/", wrap(self.manage), name="monitoring_task_views"),
            path("_views/add/", wrap(post_only(self.add)), name="monitoring_task_view_add"),
            path("_views/default/", wrap(post_only(self.set_default)), name="monitoring_task_view_default"),
            path(f"{one}save/", wrap(post_only(self.save)), name="monitoring_task_view_save"),
            path(f"{one}delete/", wrap(post_only(self.delete)), name="monitoring_task_view_delete"),
            path("_columns/", wrap(post_only(self.set_columns)), name="monitoring_task_columns"),
        ]

    def manage(self, request: HttpRequest) -> HttpResponse:
        self._may_view(request)
        choices, may_share = list_choices(request.user), saved_views.may_share(request.user)
        if _wants_json(request):
            columns = shown_columns(choices.columns, with_payload=may_view_payload(request))
            return JsonResponse(
                {
                    "views": [asdict(view) for view in choices.views],
                    "columns": columns,
                    "may_share": may_share,
                }
            )
        return self._page.page(
            request,
            "saved_views.html",
            _("Saved views"),
            views=choices.views,
            may_share=may_share,
            list_url=self._url(),
        )

    def add(self, request: HttpRequest) -> HttpResponse:
        self._may_view(request)
        posted = request.POST
        try:
            view = saved_views.add(
                request.user, posted.get("name", ""), posted.get("query", ""), bool(posted.get("shared"))
            )
        except Mistake as mistake:
            return self._mistake(request, mistake)
        return self._opened(request, view)

    def save(self, request: HttpRequest, key: int) -> HttpResponse:
        view, posted = self._own(request, key), request.POST
        try:
            saved_views.change(
                request.user,
                view,
                name=posted.get("name"),
                query=posted.get("query"),
                shared=bool(posted["shared"]) if "shared" in posted else None,
            )
        except Mistake as mistake:
            return self._mistake(request, mistake)
        return self._opened(request, view)

    def delete(self, request: HttpRequest, key: int) -> HttpResponse:
        saved_views.delete(self._own(request, key))
        return self._managed(request, {})

    def set_default(self, request: HttpRequest) -> HttpResponse:
        self._may_view(request)
        key = request.POST.get("view", "")
        if key and view_by_key(request.user, key) is None:
            raise Http404
        saved_views.choose_default(request.user, key)
        return self._managed(request, {})

    def set_columns(self, request: HttpRequest) -> HttpResponse:
        self._may_view(request)
        wanted = moved(request.POST.getlist("columns"), request.POST.get("move", ""))
        chosen = saved_views.choose_columns(request.user, wanted)
        if _wants_json(request):
            columns = shown_columns(chosen, with_payload=may_view_payload(request))
            return JsonResponse({"columns": columns})
        try:
            query = saved_views.clean_query(request.POST.get("query", ""))
        except Mistake:  # the columns are kept all the same
            query = ""
        return redirect(f"{self._url()}?{query}" if query else self._url())

    def _may_view(self, request: HttpRequest) -> None:
        if not self._page.has_view_permission(request):
            raise PermissionDenied

    def _own(self, request: HttpRequest, key: int) -> SavedView:
        """A view that this user may change. One that is not shared looks to others as if it did not exist."""
        self._may_view(request)
        found = SavedView.objects.filter(pk=key).first() if key < 2**63 else None
        if found is None or not (found.shared or found.owner_id == request.user.pk):
            raise Http404
        if found.owner_id != request.user.pk:
            raise PermissionDenied(_("Only who saved a view can change or delete it"))
        return found

    def _opened(self, request: HttpRequest, view: SavedView) -> HttpResponse:
        found = view_by_key(request.user, str(view.pk))
        assert found is not None
        if _wants_json(request):
            return JsonResponse({"view": asdict(found)})
        return redirect(f"{self._url()}?view={found.key}&{found.query}".rstrip("&"))

    def _managed(self, request: HttpRequest, answer: dict[str, Any]) -> HttpResponse:
        if _wants_json(request):
            return JsonResponse(answer)
        return redirect(reverse("admin:monitoring_task_views", current_app=self._page.admin_site.name))

    def _mistake(self, request: HttpRequest, mistake: Mistake) -> HttpResponse:
        if _wants_json(request):
            return JsonResponse({"detail": str(mistake)}, status=400)
        messages.error(request, str(mistake))
        return self._managed(request, {})

    def _url(self) -> str:
        return reverse("admin:monitoring_task_changelist", current_app=self._page.admin_site.name)


def moved(columns: list[str], move: str) -> list[str]:
    """`columns` with one of them a place further up or down, as ``up:queue`` says; as they are for anything else."""
    way, _colon, name = move.partition(":")
    if name not in columns or way not in ("up", "down"):
        return columns
    place = columns.index(name)
    others = [column for column in columns if column != name]
    others.insert(max(0, place + (1 if way == "down" else -1)), name)
    return others


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")
