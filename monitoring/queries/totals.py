"""How many tasks a list has, from what its page has counted anyway."""

from __future__ import annotations

from django.db import connections

from .estimates import Estimate, planned_rows
from .facets import MOST, Facets
from .histogram import Histogram
from .reading import OutOfTime, Reading
from .task_list import Asked, TaskList


def total(
    asked: Asked, found: TaskList, counted: Facets, shape: Histogram | None, reading: Reading
) -> Estimate:
    """How many tasks match: exact where facets have counted them, else what statistics or a sample of the table say.

    Cost: none; a plan where neither could be counted in time.
    """
    if found.is_all:
        return Estimate(len(found.rows))
    if counted.total is not None and counted.is_counted:
        return Estimate(counted.total)
    least = max(counted.total or 0, len(found.rows))
    if asked.question.tree is None and asked.visibility.is_everything and counted.rows:
        return Estimate(max(least, counted.rows), exact=False)
    if shape is not None and not shape.cut:
        return Estimate(max(least, shape.matching), exact=False)
    if connections[reading.using].vendor != "postgresql":
        return Estimate(least, exact=False, at_least=True)
    try:
        planned = reading.ask(lambda: planned_rows(asked.tasks())[0])
    except OutOfTime:
        return Estimate(least, exact=False, at_least=True)
    return Estimate(max(least, planned), exact=False)


def bounded(number: int | None) -> Estimate | None:
    """A number that was counted as far as MOST; None where it was not."""
    if number is None:
        return None
    return Estimate(number) if number < MOST else Estimate(MOST, exact=False, at_least=True)
