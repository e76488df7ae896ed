"""Tasks as targets of commands: their state, and the pool that they are in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from django.utils.translation import gettext as _

from ...models import Task
from ...models.task import State
from ...queries import control
from ...queries.visibility import Visibility
from .. import phrases, tasks
from ..delete_record import ENDED

#: Tasks of one command: a worker looks each of them up in its result backend before it answers.
CHUNK = 100


@dataclass(frozen=True)
class TaskTarget:
    """A task, and the pool of the worker that has it; None: not known."""

    task: Task
    pool: str | None = None

    @property
    def name(self) -> str:
        return str(self.task.name or self.task.pk)


def find(ids: Sequence[str], visibility: Visibility) -> Mapping[str, TaskTarget]:
    """Those of the tasks that exist and may be seen. Cost: two queries by primary key."""
    found = tasks.find(ids, visibility)
    pools = control.pools({task.worker for task in found.values() if task.worker})
    return {key: TaskTarget(task, pools.get(task.worker or "")) for key, task in found.items()}


def ended(target: TaskTarget) -> str:
    """Why nothing can be done to a task that has ended, or nothing."""
    return ended_in(target.task.state)


def ended_in(state: str) -> str:
    """The same of a task's state."""
    if state not in ENDED:
        return ""
    words: Mapping[str, str] = {
        State.SUCCESS: _("It has already ended: it succeeded"),
        State.FAILURE: _("It has already ended: it failed"),
        State.REVOKED: _("It is already revoked"),
        State.REJECTED: _("It has already ended: it was rejected"),
        State.LOST: _("It is lost: no worker and no queue has it any more"),
    }
    return words[state]


#: Phrases about tasks.
Phrases = partial(phrases.Phrases, phrases.tasks, lambda target: target.name)
