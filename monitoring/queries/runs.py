"""The last runs of a task's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import DateTimeField, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from ..models import Task
from .one_after_the_other import one_after_the_other
from .visibility import Visibility

#: Runs that a page shows, and how many of them follow the task where it is not among the last.
SHOWN = 60
FOLLOWING = 20
#: Rows of one name that are looked through for a reader who may see tasks of some queues only.
LOOK_BACK = 1_000
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
COLUMNS = ("task_id", "name", "state", "runtime", "retries", "first_seen", "attempt_started_at")


@dataclass(frozen=True)
class Runs:
    """Tasks of one name, oldest first; `newest` says that they are the last ones, else they stand around the task."""

    tasks: Sequence[Task]
    newest: bool


def runs(visibility: Visibility, task: Task) -> Runs:
    """The last SHOWN runs of the task's name, or those around it where it is older.

    Cost: one question, two ranges of the index on the name; for a reader with a limited visibility each is bounded by
    LOOK_BACK rows.
    """
    if not task.name:
        return Runs([], newest=True)
    everything = Task.objects.filter(name=task.name).only(*COLUMNS)
    later = everything.filter(first_seen__gt=task.first_seen).order_by("first_seen")
    earlier = everything.filter(first_seen__lte=task.first_seen).order_by("-first_seen")
    if not visibility.is_everything:
        later = visibility.limit(later.filter(first_seen__lte=_stop(later, _LAST)))
        earlier = visibility.limit(earlier.filter(first_seen__gte=_stop(earlier, _FIRST)))
    found = one_after_the_other([later[:SHOWN], earlier[:SHOWN]], 2 * SHOWN)
    after = [each for each in found if each.first_seen > task.first_seen]
    before = found[len(after) :]
    if len(after) < SHOWN:
        return Runs([*before[: SHOWN - len(after)][::-1], *after], newest=True)
    return Runs([*before[: SHOWN - FOLLOWING][::-1], *after[:FOLLOWING]], newest=False)


def _stop(tasks: QuerySet[Task], otherwise: datetime) -> Coalesce:
    """The time of row LOOK_BACK, for a reader to whom many rows may be hidden; `otherwise` there are not as many."""
    times = tasks.values("first_seen")[LOOK_BACK : LOOK_BACK + 1]
    return Coalesce(Subquery(times), Value(otherwise, DateTimeField()))
