"""Which tasks sent those of one name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from ..models import Task
from .reading import OutOfTime, Reading
from .statistics_range import Range
from .statistics_rows import Selection
from .visibility import Visibility

#: Tasks whose parents are looked up, the newest.
LOOKED_AT = 500


@dataclass(frozen=True)
class Senders:
    """Of the newest `total` tasks of a range: how many each task name sent, most first; how many have no parent, and of
    how many the parent is not stored, or not to be seen. `is_all`: there are no more than these."""

    names: list[tuple[str, int]]
    without: int
    unknown: int
    total: int
    is_all: bool


def senders(visibility: Visibility, period: Range, selection: Selection) -> Senders | None:
    """Who sent the newest LOOKED_AT tasks of one name that were first seen in a range. None: no time for it.

    Cost: one question: the index on the name, and the primary key of each parent.
    """
    parent = visibility.limit(Task.objects.filter(pk=OuterRef("parent_id"))).values("name")
    tasks = Task.objects.filter(
        name=selection.name, first_seen__gte=period.start, first_seen__lt=period.end
    ).order_by("-first_seen")
    if selection.queue is not None:
        tasks = tasks.filter(queue=selection.queue)
    newest = visibility.limit(tasks).annotate(sender=Subquery(parent))[: LOOKED_AT + 1]
    try:
        with Reading() as reading:
            found = reading.ask(lambda: list(newest.values_list("parent_id", "sender")))
    except OutOfTime:
        return None
    counted = found[:LOOKED_AT]
    names = Counter(sender for _parent, sender in counted if sender)
    without = sum(1 for parent_id, _sender in counted if not parent_id)
    return Senders(
        sorted(names.items(), key=lambda item: (-item[1], item[0])),
        without,
        len(counted) - without - names.total(),
        len(counted),
        len(found) <= LOOKED_AT,
    )
