"""What every monitoring page shares: read only, permission, visibility, the frame."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.generic import RedirectView

from .. import formatting
from ..queries.visibility import Visibility, visibility_of
from .live import live_context
from .tabs import tabs

#: In the order of the cascade: tokens first.
STYLE_SHEETS = (
    "monitoring/vendor/uplot/uPlot.min.css",
    *(
        f"monitoring/css/{name}.css"
        for name in (
            "tokens",
            "page",
            "tabs",
            "badge",
            "panel",
            "table",
            "task",
            "buttons",
            "facets",
            "code",
            "tree",
            "traceback",
            "family",
            "runs",
            "timeline",
            "meter",
            "empty",
            "question",
            "audit",
            "strip",
            "live",
            "peek",
            "keys",
            "task_list",
            "chart",
            "control",
            "worker",
            "api_token",
            "failures",
            "schedule",
            "config",
            "dashboard",
            "queue",
        )
    ),
)


class MonitoringAdmin(admin.ModelAdmin):
    """A page of the monitor. Nothing can be added, changed or deleted; seeing it needs Django's view permission.

    A page overrides `changelist_view` and `change_view`, asks ``queries/`` and answers with :meth:`page`. It holds no
    query of its own.
    """

    #: Whether each object has a page of its own.
    object_pages = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        """The list and one page per object, under the names that the admin knows them by."""
        wrap, name = self.admin_site.admin_view, self.opts.model_name
        change = f"monitoring_{name}_change"
        urls = [path("", wrap(self.changelist_view), name=f"monitoring_{name}_changelist")]
        if not self.object_pages:
            return urls
        return [
            *urls,
            path("<path:object_id>/change/", wrap(self.change_view), name=change),
            # Not <path:...>: the admin writes a slash in a key as _2F, so that one in the address is no part of it.
            path(
                "<str:object_id>/",
                wrap(RedirectView.as_view(pattern_name=f"{self.admin_site.name}:{change}")),
            ),
        ]

    def visibility(self, request: HttpRequest) -> Visibility:
        return visibility_of(request.user)

    def not_found(self, request: HttpRequest, key: str) -> HttpResponse:
        """Back to the list, as the admin does; also where an object may not be seen: nobody learns that it exists."""
        words = {"kind": self.opts.verbose_name, "key": formatting.cut(key, 100)}
        messages.warning(request, _("There is no %(kind)s %(key)s, or not any more.") % words)
        return redirect(f"admin:monitoring_{self.opts.model_name}_changelist")

    def page(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        """Render ``admin/monitoring/<template>`` in the frame.

        `context` may hold a `live_context` of the page's own; else only its status strip is live.
        """
        request.current_app = self.admin_site.name
        live = {} if "live" in context else live_context(request, self.admin_site.name, "strip")
        return TemplateResponse(
            request,
            f"admin/monitoring/{template}",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": title,
                "tabs": tabs(self.admin_site, request, self.model),
                "style_sheets": STYLE_SHEETS,
                "may_view_queues": request.user.has_perm("monitoring.view_queue"),
                **live,
                **context,
            },
        )
