"""Values for what is being typed into the search box of the task list.

``GET task/_suggest/?field=queue&typed=pay`` answers ``{"values": [{value, text, number, at_least}]}``: `text` as it
stands behind the colon, `number` null where that was not counted in time. Needs ``monitoring.view_task``.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET

from ..queries.reading import Reading
from ..queries.search.fields import BY_NAME
from ..queries.search.printing import value_text
from ..queries.search.tree import Pattern
from ..queries.suggestions import suggestions
from .base import MonitoringAdmin

_LONGEST = 255


class SuggestView:
    """The view, for the TaskAdmin that it belongs to."""

    def __init__(self, page: MonitoringAdmin) -> None:
        self._page = page

    def urls(self) -> list[URLPattern]:
        view = self._page.admin_site.admin_view(require_GET(self.suggest))
        return [path("_suggest/", view, name="monitoring_task_suggest")]

    def suggest(self, request: HttpRequest) -> HttpResponse:
        if not self._page.has_view_permission(request):
            raise PermissionDenied
        field = BY_NAME.get(request.GET.get("field", "").lower())
        if field is None:
            return JsonResponse({"values": []})
        with Reading() as reading:
            found = suggestions(
                self._page.visibility(request), field.name, request.GET.get("typed", "")[:_LONGEST], reading
            )
        values = [
            {
                "value": each.value,
                "text": value_text(field.name, Pattern((each.value,))),
                "number": each.number,
                "at_least": each.at_least,
            }
            for each in found
        ]
        return JsonResponse({"values": values})
