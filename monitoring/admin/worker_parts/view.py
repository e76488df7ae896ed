"""What every tab of a worker's page is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.http import HttpRequest

from ...control import tasks, workers
from ...control.task_verbs import targets
from ...models import Task, Worker
from ...queries.visibility import Visibility
from ...queries.worker_parts.tasks import HeldTask, held_tasks
from ...queries.worker_snapshots import Snapshot
from ...queries.worker_tasks import HeldTasks, moved_on, tasks_held
from ..control_actions import Action, Known, actions_for
from ..payload import may_view_payload

#: Within it an answer still tells what a worker does; a task may take less.
FRESH = timedelta(seconds=10)
#: Answers that list tasks in its hands.
HELD = ("active", "reserved", "scheduled")


@dataclass(frozen=True)
class WorkerView:
    """One look of one user at one worker, with what it last answered by kind."""

    request: HttpRequest
    worker: Worker
    visibility: Visibility
    site_name: str
    now: datetime
    snapshots: Mapping[str, Snapshot]

    @property
    def with_payload(self) -> bool:
        return may_view_payload(self.request)

    @property
    def may_view_tasks(self) -> bool:
        return self.request.user.has_perm("monitoring.view_task")

    @property
    def hostname(self) -> str:
        return str(self.worker.hostname)

    def snapshot(self, kind: str) -> Snapshot:
        return self.snapshots[kind]

    def is_fresh(self, kind: str) -> bool:
        """Whether its answer still tells what it does now."""
        answered_at = self.snapshot(kind).answered_at
        return answered_at is not None and self.now - answered_at <= FRESH

    def held(self, kind: str) -> HeldTasks:
        """What it said of one kind of tasks in its hands: all that the page has read already, unless it has to be
        looked at task by task."""
        if not self.visibility.is_everything:
            return tasks_held(self.visibility, self.hostname, kind, with_payload=self.with_payload)
        found = self.snapshot(kind)
        return HeldTasks(found, self._told[kind], found.items)

    def moved_on(self, kind: str, tasks: Iterable[HeldTask]) -> set[str]:
        """The ids of those that are not in its hands any more as it said (:func:`..worker_tasks.moved_on`)."""
        if not self.visibility.is_everything:
            return moved_on(self.hostname, {kind: tasks})[kind]
        return self._moved_on[kind]

    def held_now(self, kind: str) -> int | None:
        """How many it holds, by its answer and what is known since; None where that is not known or for this user."""
        items = self.snapshot(kind).items if self.visibility.is_everything else None
        return None if items is None else items - len(self._moved_on[kind])

    @cached_property
    def _told(self) -> dict[str, list[HeldTask]]:
        with_payload = self.with_payload
        return {kind: held_tasks(self.snapshot(kind).content, with_payload=with_payload) for kind in HELD}

    @cached_property
    def _moved_on(self) -> dict[str, set[str]]:
        return moved_on(self.hostname, self._told)

    def task_actions(self, held: Mapping[str, Task], names: Iterable[str]) -> dict[str, list[Action]]:
        """By id, those of the verbs `names` that the user may use on tasks that this worker holds."""
        in_pool = {key: targets.TaskTarget(task, self.worker.pool) for key, task in held.items()}
        known: Known = {tasks.find: held, targets.find: in_pool}
        return actions_for(self.request, self.site_name, "task", list(held), names, known=known)

    def actions(self, names: Iterable[str]) -> list[Action]:
        """Those of the verbs `names` that the user may use on this worker; each with parameters asks for them."""
        return self._own(names, inline=False)

    def cards(self, names: Iterable[str]) -> list[Action]:
        """Verbs on this worker whose parameters stand on the page itself."""
        return self._own(names, inline=True)

    def question(self, name: str) -> str | None:
        """The address of the question about a verb on this worker; None where the user may not, or it does not fit."""
        return next((action.url for action in self.actions([name]) if not action.why_not), None)

    def _own(self, names: Iterable[str], *, inline: bool) -> list[Action]:
        # A limited user gets no answers to judge by: then the verb is offered, and judged when it is used.
        started, found = self.worker.started_at, self.snapshots.values()
        answers = {
            one.kind: one.content
            for one in found
            if one.answered_at is not None and (started is None or one.answered_at >= started)
        }
        known: Known = {workers.find: {self.hostname: workers.WorkerTarget(self.worker, answers)}}
        keys = [self.hostname]
        return actions_for(self.request, self.site_name, "worker", keys, names, inline=inline, known=known)[
            self.hostname
        ]
