"""The tasks before and after one, in the list that it was opened from."""

from __future__ import annotations

from functools import partial

from ..models import Task
from .keyset import Place, legs
from .one_after_the_other import one_after_the_other
from .reading import Reading
from .sorting import Sort
from .task_list import Asked


def neighbour(asked: Asked, sort: Sort, task: Task, reading: Reading, *, backwards: bool) -> str | None:
    """The id of the row above `task` in the list or, not `backwards`, below it, whether or not it (still) matches
    itself; None where there is none.

    Cost: one question for one row. Raises OutOfTime where that takes too long.
    """
    if asked.mistakes:
        return None
    parts = [
        asked.tasks().filter(leg.condition).order_by(*leg.order).only("task_id")
        for leg in legs(sort, Place.of(task, sort, backwards=backwards))
    ]
    found = reading.ask(partial(one_after_the_other, parts, 1))
    return found[0].task_id if found else None
