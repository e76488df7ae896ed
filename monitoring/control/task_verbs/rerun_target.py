"""Tasks as targets of a rerun: whether they can be run again, and with which arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils.translation import gettext as _

from ...models import Task
from ...models.task import State
from ...queries.reruns import newest_reruns, to_run_again
from ...queries.visibility import Visibility
from ..known_arguments import Known, stored_here
from .task_names import names


@dataclass(frozen=True)
class RerunTarget:
    """A task, with the columns of ``queries/reruns.py``.

    `is_registered`: whether a worker that is known, or this process, has its code; None: nobody looked. `newest`: its
    newest rerun, by id and time.
    """

    task: Task
    is_registered: bool | None = None
    newest: tuple[str, datetime] | None = None

    @property
    def name(self) -> str:
        return str(self.task.name or self.task.pk)

    @cached_property
    def known(self) -> Known:
        """Its arguments, as far as they are known without asking anybody."""
        return stored_here(self.task)

    @property
    def is_run_again(self) -> bool:
        """Whether it was run again after its newest end: what is left out where nobody looks at each task."""
        if self.newest is None:
            return False
        ended_at = self.task.finished_at
        return ended_at is None or self.newest[1] >= ended_at


def find(ids: Sequence[str], visibility: Visibility) -> Mapping[str, RerunTarget]:
    """Those of the tasks that exist and may be seen. Cost: their keys, and what all workers said of their tasks."""
    tasks = to_run_again(visibility, ids)
    if not tasks:
        return {}
    registered = set(names(Visibility.everything()))
    reruns = newest_reruns(tasks)
    return {key: RerunTarget(task, task.name in registered, reruns.get(key)) for key, task in tasks.items()}


def why_not(target: RerunTarget) -> str:
    """Why a task cannot be run again, whatever is known of its arguments; or nothing."""
    task = target.task
    if words := waits_in(task.state):
        return words
    if not task.name:
        return _("Its name is not known: no event has told it")
    if task.name.startswith("celery."):
        return _("It is one of Celery's own tasks, which is no use by itself")
    if target.is_registered is False:
        return _("No worker that is known has a task of this name registered, and neither has this site")
    return ""


def waits_in(state: str) -> str:
    """Why no task of this state can be run again, or nothing."""
    waits: Mapping[str, str] = {
        State.PENDING: _("It has not run yet: it still waits in its queue"),
        State.RECEIVED: _("It has not run yet: a worker has it and will run it"),
        State.RETRY: _("It has not ended: it will be retried by itself"),
    }
    return waits.get(state, "")
