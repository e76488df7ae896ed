"""The numbers of the histogram above the task list, as a table: for who reads tables, or has no scripts.

``GET task/_histogram/?<the list's query>``. Needs ``monitoring.view_task``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from ..queries.facets import facets
from ..queries.histogram import Histogram, around, histogram
from ..queries.reading import Reading
from ..queries.search.editing import remove_field, replace
from ..queries.search.tree import Bound, Range
from ..queries.task_list import Asked
from .base import MonitoringAdmin
from .list_parts.address import ListAddress
from .list_parts.chart import STACK
from .list_parts.chips import chips, field_label
from .payload import may_view_payload


@dataclass(frozen=True)
class HistogramRow:
    """A stretch of time with its numbers, in the order of the states; `url`: the tasks in it."""

    start: datetime
    url: str
    total: int
    numbers: list[int]


class HistogramTable:
    """The view, for the TaskAdmin that it belongs to."""

    def __init__(self, page: MonitoringAdmin) -> None:
        self._page = page

    def urls(self) -> list[URLPattern]:
        view = self._page.admin_site.admin_view(require_GET(self.table))
        return [path("_histogram/", view, name="monitoring_task_histogram")]

    def table(self, request: HttpRequest) -> HttpResponse:
        if not self._page.has_view_permission(request):
            raise PermissionDenied
        address = ListAddress.of(request.GET)
        asked = Asked(
            self._page.visibility(request), address.question, may_view_payload(request), timezone.now()
        )
        near = around(asked)
        with Reading() as reading:
            counted = facets(asked, reading, {"around": near} if near is not None else {})
            found = histogram(asked, counted, reading)
        states = _states(found)
        return self._page.page(
            request,
            "histogram_table.html",
            _("Tasks over time"),
            found=found,
            field=field_label(found.field) if found is not None else "",
            states=states,
            rows=_rows(address, found, states) if found is not None else [],
            list_query=address.url()[1:],
            chips=chips(address),
            asked_mistakes=bool(asked.mistakes),
        )


def _states(found: Histogram | None) -> list[str]:
    """Those that occur."""
    buckets = found.buckets if found is not None else ()
    return [state for state in STACK if any(bucket.counts.get(state) for bucket in buckets)]


def _rows(address: ListAddress, found: Histogram, states: list[str]) -> list[HistogramRow]:
    """Newest first; stretches without any task are left out."""
    tree = remove_field(address.question.tree, found.field, excluded=False)
    rows = []
    for bucket in reversed(found.buckets):
        if not bucket.total:
            continue
        start = timezone.localtime(bucket.start)
        # To the second, and without the first of the next stretch.
        end = start + found.step - timedelta(seconds=1)
        within = Range(Bound(start.isoformat()), Bound(end.isoformat()))
        url = address.with_tree(replace(tree, found.field, within)).url()
        rows.append(
            HistogramRow(bucket.start, url, bucket.total, [bucket.counts.get(state, 0) for state in states])
        )
    return rows
