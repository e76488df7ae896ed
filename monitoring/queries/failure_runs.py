"""The tasks of one group of failures, beside runs of the same task that succeeded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import DateTimeField, Subquery, Value
from django.db.models.functions import Coalesce

from ..literals.comparison import Comparison, compare
from ..models import Task
from ..models.task import State
from .failures import Group
from .one_after_the_other import one_after_the_other
from .visibility import Visibility

#: Runs on either side whose arguments are compared: reading each takes some 50 µs, and 1 ms where they are long.
COMPARED = 100
#: Tasks that a group's page lists.
LISTED = 10
#: Rows of the task's name that are looked through for runs that succeeded.
LOOK_BACK = 2_000
_COLUMNS = ("task_id", "name", "state", "worker", "queue", "retries", "runtime", "first_seen", "finished_at")
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class GroupRuns:
    """`newest` are the group's newest tasks; `comparison` and the texts of tasks: for who may see payloads."""

    newest: Sequence[Task]
    comparison: Comparison | None


def group_runs(visibility: Visibility, group: Group, *, with_payload: bool) -> GroupRuns:
    """The newest tasks of a group, and what their arguments have that those of succeeding runs have not.

    Cost: one statement: the index on fingerprints, and at most LOOK_BACK rows of the index on the name; with payloads
    the reading of 2 * COMPARED pairs of texts.
    """
    columns = (*_COLUMNS, "args", "kwargs", "exception", "exception_type") if with_payload else _COLUMNS
    failing = Task.objects.filter(fingerprint=group.fingerprint).order_by("-first_seen").only(*columns)
    failing = visibility.limit(failing)[: COMPARED if with_payload else LISTED]
    if not with_payload or not group.name:
        return GroupRuns(list(failing[:LISTED]), None)
    same = Task.objects.filter(name=group.name).order_by("-first_seen").only(*columns)
    oldest = Subquery(same.values("first_seen")[LOOK_BACK : LOOK_BACK + 1])
    others = same.filter(
        state=State.SUCCESS, first_seen__gte=Coalesce(oldest, Value(_FIRST, DateTimeField()))
    )
    found = one_after_the_other([failing, visibility.limit(others)[:COMPARED]], 2 * COMPARED)
    failed = [task for task in found if task.state == State.FAILURE]
    succeeded = [task for task in found if task.state == State.SUCCESS]
    return GroupRuns(
        failed[:LISTED],
        compare(
            [(task.args, task.kwargs) for task in failed], [(task.args, task.kwargs) for task in succeeded]
        ),
    )
