"""The tasks in a worker's hands, as they may be seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..models import Task
from .visibility import Visibility
from .worker_parts.tasks import HeldTask, held_tasks, revoked_ids
from .worker_snapshots import Snapshot, unlimited_snapshots

#: Ids of one query: old SQLite takes 999 parameters.
_IDS = 900


@dataclass(frozen=True)
class HeldTasks:
    """`snapshot` dates them. `total` is how many the worker said, more than `tasks` where the answer was cut; None for
    a user of limited visibility, for whom tasks are left out, and where there is no answer.
    """

    snapshot: Snapshot
    tasks: list[HeldTask]
    total: int | None


@dataclass(frozen=True)
class RevokedIds:
    """As :class:`HeldTasks`."""

    snapshot: Snapshot
    task_ids: list[str]
    total: int | None


def tasks_held(visibility: Visibility, hostname: str, kind: str, *, with_payload: bool) -> HeldTasks:
    """The tasks that a worker runs (``active``), has taken (``reserved``) or waits to run (``scheduled``).

    A limited user sees those whose row may be seen. Cost: one snapshot, and for a limited user the rows of its tasks by
    primary key, at most ``inspection.intake.MAX_TASKS``.
    """
    found = unlimited_snapshots(hostname, [kind])[kind]
    tasks = held_tasks(found.content, with_payload=with_payload)
    if visibility.is_everything:
        return HeldTasks(found, tasks, found.items)
    allowed = visible_ids(visibility, [task.task_id for task in tasks])
    return HeldTasks(found, [task for task in tasks if task.task_id in allowed], None)


def tasks_revoked(visibility: Visibility, hostname: str) -> RevokedIds:
    """The ids that a worker would refuse to run; a limited user sees those whose row may be seen. Cost: as above."""
    found = unlimited_snapshots(hostname, ["revoked"])["revoked"]
    task_ids = revoked_ids(found.content)
    if visibility.is_everything:
        return RevokedIds(found, task_ids, found.items)
    allowed = visible_ids(visibility, task_ids)
    return RevokedIds(found, [task_id for task_id in task_ids if task_id in allowed], None)


def visible_ids(visibility: Visibility, task_ids: Iterable[str]) -> set[str]:
    """Those of the tasks that may be seen. Cost: a primary key each."""
    wanted = list(task_ids)
    found: set[str] = set()
    for start in range(0, len(wanted), _IDS):
        tasks = visibility.limit(Task.objects.filter(pk__in=wanted[start : start + _IDS]))
        found.update(tasks.values_list("pk", flat=True))
    return found
