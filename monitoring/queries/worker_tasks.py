"""The tasks in a worker's hands, as they may be seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ..models import Task
from ..models.task import State
from .outcomes import ENDED
from .visibility import Visibility
from .worker_parts.tasks import HeldTask, held_tasks, revoked_ids
from .worker_snapshots import Snapshot, unlimited_snapshots

#: Ids of one query: old SQLite takes 999 parameters.
_IDS = 900
#: By kind, the states of tasks that are no longer what the worker said of them. A task that waits for its retry is held
#: under its time: of what waits, RETRY tells nothing.
_LEFT: Mapping[str, frozenset[str]] = {
    "active": ENDED | {State.RETRY},
    "reserved": ENDED | {State.STARTED},
    "scheduled": ENDED | {State.STARTED},
}


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


def moved_on(hostname: str, told: Mapping[str, Iterable[HeldTask]]) -> dict[str, set[str]]:
    """By kind, the ids of tasks that have ended since the worker told of them, that waited and have started, or that
    run in another worker by now.

    By what their events say. Of a running task only what came after this start counts, and of a message that was
    delivered once more nothing: its events may be those of another run. Cost: a primary key each.
    """
    held = {kind: list(tasks) for kind, tasks in told.items()}
    wanted = sorted({task.task_id for tasks in held.values() for task in tasks})
    records: dict[str, tuple[str, datetime, bool]] = {}
    for start in range(0, len(wanted), _IDS):
        rows = Task.objects.filter(pk__in=wanted[start : start + _IDS])
        for pk, state, at, worker in rows.values_list("pk", "state", "updated_at", "worker"):
            records[pk] = (state, at, worker == hostname)
    return {
        kind: {task.task_id for task in tasks if _has_left(kind, task, records.get(task.task_id))}
        for kind, tasks in held.items()
    }


def _has_left(kind: str, task: HeldTask, record: tuple[str, datetime, bool] | None) -> bool:
    if record is None:
        return False
    state, updated_at, is_here = record
    if kind != "active":
        return state in _LEFT[kind] and not task.redelivered
    is_other_run = state == State.STARTED and not is_here
    has_gone_on = task.started_at is None or updated_at >= task.started_at
    return has_gone_on and (state in _LEFT[kind] or is_other_run)


def visible_ids(visibility: Visibility, task_ids: Iterable[str]) -> set[str]:
    """Those of the tasks that may be seen. Cost: a primary key each."""
    wanted = list(task_ids)
    found: set[str] = set()
    for start in range(0, len(wanted), _IDS):
        tasks = visibility.limit(Task.objects.filter(pk__in=wanted[start : start + _IDS]))
        found.update(tasks.values_list("pk", flat=True))
    return found
