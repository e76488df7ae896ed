"""Dead letters: what could not be decoded or stored."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from .. import formatting
from ..models import DeadLetter
from ..queries.dead_letters import dead_letters
from .base import MonitoringAdmin
from .url_query import cursor_of, pager


@admin.register(DeadLetter)
class DeadLetterAdmin(MonitoringAdmin):
    object_pages = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A limited user sees none: nobody knows whose task a dead letter was about."""
        return super().has_view_permission(request, obj) and self.visibility(request).is_everything

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        page, total = dead_letters(self.visibility(request), cursor_of(request))
        return self.page(
            request,
            "dead_letter_list.html",
            _("Dead letters"),
            rows=[(letter, formatting.pretty_json(letter.headers)) for letter in page.rows],
            total=total,
            **pager(request, page),
        )
