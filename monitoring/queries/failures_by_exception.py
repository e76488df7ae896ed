"""What tasks of one name failed with, in a range of statistics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import DateTimeField, Min, OuterRef, Subquery, Sum, Value

from ..models import FailureGroup, StatisticFailure
from .statistics_range import Range, cover
from .statistics_rows import Selection, only_visible, within
from .visibility import Visibility


@dataclass(frozen=True)
class FailedWith:
    """`count` tasks of a range whose newest attempt failed with a type of exceptions; "": not known.

    `first_seen`: when the task first failed with it, whatever the range; None where that is not known, or the reader
    sees some queues only.
    """

    exception_type: str
    count: int
    first_seen: datetime | None


def failures_by_exception(visibility: Visibility, period: Range, selection: Selection) -> list[FailedWith]:
    """Most failures first; the counts add up to what failed in the range.

    Cost: one statement: the statistics of failures of the name, added up by the database, and the primary key of the
    group of each of their fingerprints.
    """
    found = within(StatisticFailure.objects.order_by(), cover([period.start, period.end]))
    found = only_visible(visibility, found.filter(name=selection.name))
    if selection.queue is not None:
        found = found.filter(queue=selection.queue)
    group = FailureGroup.objects.filter(pk=OuterRef("fingerprint"), name=selection.name)
    seen = Subquery(group.values("first_seen")) if visibility.queues is None else Value(None, DateTimeField())
    rows = found.values("exception_type").annotate(number=Sum("count"), first_seen=Min(seen))
    ranked = rows.order_by("-number", "exception_type").values_list("exception_type", "number", "first_seen")
    return [FailedWith(*row) for row in ranked]
