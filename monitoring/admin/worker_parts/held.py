"""The tasks that a worker holds, by its own answer: running, reserved, scheduled; and the ids that it has revoked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.admin.utils import quote
from django.urls import reverse

from ... import formatting
from ...models import Task
from ...queries.selection import tasks_by_id
from ...queries.worker_parts.tasks import HeldTask
from ...queries.worker_snapshots import Snapshot
from ...queries.worker_tasks import tasks_revoked
from ..control_actions import Action
from .view import WorkerView

#: Tasks of one answer that are shown.
MOST = 200
#: What a row offers: a revoke does not stop what runs.
RUNNING_VERBS, WAITING_VERBS = ("terminate",), ("revoke",)


@dataclass(frozen=True)
class Held:
    """A task as the worker told of it; `told` is None where it only knows the id.

    `state`, `url` and `actions` are of its record, where there is one that this user may open.
    """

    task_id: str
    told: HeldTask | None
    name: str = ""
    call: str = ""
    state: str = ""
    url: str = ""
    actions: list[Action] = field(default_factory=list)

    @property
    def started_at(self) -> datetime | None:
        return self.told.started_at if self.told else None


@dataclass(frozen=True)
class HeldList:
    """`total` is how many the worker holds; None where it is not known, or not for this user. `snapshot` dates it.

    `left_out` is how many of its answer are neither in `rows` nor in `total`: they have moved on since.
    """

    rows: list[Held]
    total: int | None
    snapshot: Snapshot
    left_out: int = 0


def running(view: WorkerView) -> HeldList:
    """Those that have run longest first."""
    return _held(
        view, "active", RUNNING_VERBS, lambda task: (task.started_at is None, task.started_at or view.now)
    )


def reserved(view: WorkerView) -> HeldList:
    """Those that wait in the worker for a free process, in the order in which it has them."""
    return _held(view, "reserved", WAITING_VERBS)


def scheduled(view: WorkerView) -> HeldList:
    """Those that wait in the worker for their time, the next one first."""
    return _held(view, "scheduled", WAITING_VERBS, lambda task: (task.eta is None, task.eta or view.now))


def revoked(view: WorkerView) -> HeldList:
    """Ids that it will not run; it knows no more of them."""
    found = tasks_revoked(view.visibility, view.hostname)
    ids = found.task_ids[:MOST]
    return HeldList(_rows(view, dict.fromkeys(ids), ()), found.total, found.snapshot)


def _held(
    view: WorkerView,
    kind: str,
    verbs: tuple[str, ...],
    order: Callable[[HeldTask], tuple[bool, datetime]] | None = None,
) -> HeldList:
    found = view.held(kind)
    gone = view.moved_on(kind, found.tasks)
    tasks = [task for task in found.tasks if task.task_id not in gone]
    if order is not None:
        tasks.sort(key=order)
    rows = _rows(view, {task.task_id: task for task in tasks[:MOST]}, verbs)
    total = None if found.total is None else found.total - len(gone)
    return HeldList(rows, total, found.snapshot, len(gone))


def _rows(view: WorkerView, told: Mapping[str, HeldTask | None], verbs: tuple[str, ...]) -> list[Held]:
    """With their records and their verbs. Cost: the primary keys of those that are shown."""
    records: Mapping[str, Task] = tasks_by_id(view.visibility, list(told))
    actions = view.task_actions(records, verbs) if view.may_view_tasks else {}
    return [
        _row(view, task_id, one, records.get(task_id), actions.get(task_id, []))
        for task_id, one in told.items()
    ]


def _row(
    view: WorkerView, task_id: str, told: HeldTask | None, record: Task | None, actions: list[Action]
) -> Held:
    name = (told.name if told else None) or (record.name if record else None) or ""
    call = _call(told) if told and view.with_payload else ""
    if record is None or not view.may_view_tasks:
        return Held(task_id, told, name, call)
    url = reverse("admin:monitoring_task_change", args=[quote(task_id)], current_app=view.site_name)
    return Held(task_id, told, name, call, record.state, url, actions)


def _call(told: HeldTask) -> str:
    """Arguments on one line, as a call is written."""
    positional = told.args if isinstance(told.args, list) else [] if told.args is None else [told.args]
    keywords = told.kwargs if isinstance(told.kwargs, dict) else {}
    parts = [*map(repr, positional), *(f"{name}={value!r}" for name, value in keywords.items())]
    return formatting.cut(", ".join(parts), 500)
