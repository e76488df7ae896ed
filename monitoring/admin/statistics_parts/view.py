"""One look of one user at statistics: of which time, and of which tasks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from ...queries.search.printing import exact_text, value_text
from ...queries.search.tree import Missing, Pattern
from ...queries.statistics_range import Range
from ...queries.statistics_rows import Selection
from ...queries.visibility import Visibility
from ..chart_range import RANGES, ChartRange
from ..url_query import with_parameters

#: The longest range that an address may ask for: more days than charts are made for cost more than they tell.
LONGEST = timedelta(days=3 * 366)
DEFAULT = "1h"
#: Longest text of a filter.
_MOST = 255


@dataclass(frozen=True)
class StatisticsView:
    """`wanted` is the range as it was asked for, `period` the whole buckets that hold it."""

    request: HttpRequest
    visibility: Visibility
    site_name: str
    now: datetime
    wanted: ChartRange
    period: Range
    selection: Selection

    @classmethod
    def of(
        cls, request: HttpRequest, visibility: Visibility, site_name: str, now: datetime
    ) -> StatisticsView:
        """`request.GET`: ``range``, or ``from`` and ``to``; ``name`` and ``queue``, or ``worker`` alone.

        A worker beside one of the others is not looked at: statistics do not know both of a task.
        """
        wanted = ChartRange.of(request, now, tuple(RANGES), DEFAULT)
        start = max(wanted.start, wanted.end - LONGEST)
        name, queue, worker = (
            request.GET.get(field, "").replace("\0", "")[:_MOST] or None
            for field in ("name", "queue", "worker")
        )
        if name is not None or queue is not None or not visibility.is_everything:
            worker = None
        return cls(
            request,
            visibility,
            site_name,
            now,
            wanted,
            Range.between(start, wanted.end),
            Selection(name=name, queue=queue, worker=worker),
        )

    @property
    def is_open(self) -> bool:
        """Whether the newest bucket is not over yet."""
        return self.period.end > self.now

    @property
    def minutes(self) -> float:
        """Of the range, as far as it is over."""
        return (min(self.period.end, self.now) - self.period.start).total_seconds() / 60

    @property
    def span(self) -> str:
        """The range in words, for heads: ``in 1 h``."""
        chosen = next((label for label, _url, is_chosen in self.wanted.choices if is_chosen), None)
        return _("in %(span)s") % {"span": chosen} if chosen else _("in this time")

    @property
    def versus(self) -> str:
        """What changes are told against."""
        chosen = next((label for label, _url, is_chosen in self.wanted.choices if is_chosen), None)
        return _("vs %(span)s before") % {"span": chosen} if chosen else _("vs the time before")

    def tasks_url(
        self, *, ended: bool = True, state: str = "", name: str = "", exception_type: str | None = None
    ) -> str:
        """The task list of what is selected: the tasks that ended in the range, or those of now.

        `exception_type`: what they raised; "": what is not known.
        """
        chosen = {
            field: exact_text(value)
            for field in ("name", "queue", "worker")
            if (value := getattr(self.selection, field)) is not None
        }
        query = {
            **chosen,
            **({"state": state} if state else {}),
            **({"name": exact_text(name)} if name else {}),
        }
        if exception_type is not None:
            raised = Pattern((exception_type,)) if exception_type else Missing()
            query["exception_type"] = value_text("exception_type", raised)
        if ended:
            query["finished"] = (
                f"{_minute(self.period.start)}..{_minute(self.period.end - timedelta(minutes=1))}"
            )
        base = reverse("admin:monitoring_task_changelist", current_app=self.site_name)
        return f"{base}?{urlencode(query)}"

    def task_url(self, name: str) -> str:
        """The statistics of one task name over the same range."""
        query = {"name": name, **self.range_query}
        base = reverse("admin:monitoring_statistic_changelist", current_app=self.site_name)
        return f"{base}?{urlencode(query)}"

    @property
    def without_queue_url(self) -> str:
        return with_parameters(self.request, queue=None)

    @property
    def range_query_string(self) -> str:
        return urlencode(self.range_query)

    @property
    def range_query(self) -> dict[str, str]:
        """The parameters that choose the range."""
        return {key: self.request.GET[key] for key in ("range", "from", "to") if self.request.GET.get(key)}


def _minute(moment: datetime) -> str:
    """A whole minute in UTC, as the task list reads it."""
    return f"{moment:%Y-%m-%dT%H:%M}Z"
