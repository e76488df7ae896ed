"""The family of a task: who sent it, what it sent, and what else came of the same root.

Celery puts the ids of root and parent into the messages that a task sends (docs of Celery, "Message Protocol", headers
``root_id`` and ``parent_id``). What was not sent from a task has neither: the members of a group that a web request
starts are no relatives in any event.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import IntegerField, QuerySet, Subquery
from django.db.models.expressions import RawSQL

from ..models import Task
from .one_after_the_other import one_after_the_other
from .visibility import Visibility

#: A family of up to so many is read whole.
WHOLE = 600
#: Of a larger one: ancestors, siblings and children that are read, each.
ANCESTORS = 20
LEVEL = 100
#: Members are counted as far as this.
COUNTED = 10_000
COLUMNS = (
    "task_id", "name", "state", "worker", "runtime", "retries", "first_seen", "sent_at", "received_at", "started_at",
    "attempt_started_at", "finished_at", "updated_at", "root_id", "parent_id", "workflow",
)  # fmt: skip
#: Ids from a parent upwards, as far as they are stored; a circle, which no real workflow has, ends at the depth.
_ANCESTORS = f"""
WITH RECURSIVE above (task_id, depth) AS (
    SELECT task_id, 1 FROM "{Task._meta.db_table}" WHERE task_id = %s
    UNION ALL
    SELECT t.parent_id, a.depth + 1 FROM above a JOIN "{Task._meta.db_table}" t ON t.task_id = a.task_id
    WHERE t.parent_id IS NOT NULL AND a.depth < %s
) SELECT task_id FROM above
"""  # noqa: S608


class _Count(Subquery):
    """How many rows a queryset has, beside the rows of another: counted once for all of them."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


@dataclass(frozen=True)
class Family:
    """Members in the order in which they were first seen, the task itself among them.

    `total`: how many there are, `more` that this is only as far as was counted. `whole`: all that may be seen are in
    `members`; else those are the task's ancestors, siblings and children. `levels_cut`: some of these were left out.
    """

    root_id: str
    members: tuple[Task, ...]
    total: int
    more: bool
    whole: bool
    levels_cut: bool = False


def family(visibility: Visibility, task: Task) -> Family:
    """Everyone of the task's root, or in a large family those that are next to it.

    Cost: one question by key and by the index of the family for up to WHOLE members. For more a second one, with a
    primary key for each of up to ANCESTORS ancestors and two levels, and a count up to COUNTED.
    """
    root_id = task.root_id or task.task_id
    sent = Task.objects.filter(root_id=root_id, parent_id__isnull=False)
    by_id = Task.objects.filter(pk__in=[each for each in {root_id, task.parent_id} if each])
    found = one_after_the_other([_read(visibility, by_id), _read(visibility, sent)], WHOLE + 3)
    descendants = [each for each in found if each.root_id == root_id and each.parent_id is not None]
    if len({each.task_id for each in descendants}) <= WHOLE:
        members = _together(task, found)
        return Family(root_id, members, len(members), more=False, whole=True)
    everyone = visibility.limit(sent).order_by().values("pk")[: COUNTED + 1]
    levels = [
        _read(visibility, sent.filter(parent_id=parent_id)).annotate(counted=_Count(everyone))[: LEVEL + 1]
        for parent_id in (task.parent_id, task.task_id)
        if parent_id
    ]
    above = Task.objects.filter(pk__in=RawSQL(_ANCESTORS, [task.parent_id, ANCESTORS]))  # noqa: S611
    first = _read(visibility, above).annotate(counted=_Count(everyone))
    near: list[Any] = list(one_after_the_other([first, *levels], ANCESTORS + len(levels) * (LEVEL + 1)))
    counted = near[0].counted if near else everyone.count()
    return _near(task, root_id, near, counted)


def _near(task: Task, root_id: str, near: Sequence[Task], counted: int) -> Family:
    """Of a large family: the ancestors as far up as they are without a break, and the two levels."""
    by_id = {each.task_id: each for each in near}
    members, above = [], by_id.get(task.parent_id or "")
    while above is not None and above not in members:
        members.append(above)
        above = by_id.get(above.parent_id or "")
    cut = bool(members) and members[-1].parent_id is not None
    for parent_id in filter(None, (task.parent_id, task.task_id)):
        level = [each for each in near if each.parent_id == parent_id]
        cut = cut or len(level) > LEVEL
        members += level[:LEVEL]
    return Family(
        root_id,
        _together(task, members),
        min(counted, COUNTED) + 1,
        counted > COUNTED,
        whole=False,
        levels_cut=cut,
    )


def _read(visibility: Visibility, tasks: QuerySet[Task]) -> QuerySet[Task]:
    return visibility.limit(tasks.order_by("first_seen", "task_id").only(*COLUMNS))


def _together(task: Task, others: Iterable[Task]) -> tuple[Task, ...]:
    """Each once, by the time at which it was first seen."""
    members = {each.task_id: each for each in others}
    members[task.task_id] = task
    return tuple(sorted(members.values(), key=lambda each: (each.first_seen, each.task_id)))
