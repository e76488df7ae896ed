"""What can be done to a task, for its page."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest
from django.urls import reverse

from ..control import tasks
from ..control.task_verbs import rerun_target, targets
from ..models import Task
from .control_actions import Action, Known, actions_for


def task_actions(request: HttpRequest, site_name: str, task: Task, pool: str | None) -> list[Action]:
    """The verbs on tasks that this user may use; what takes the record away comes last, and leads back to the list.

    `pool` is that of its worker, where it is known.
    """
    key = str(task.task_id)
    known: Known = {tasks.find: {key: task}, targets.find: {key: targets.TaskTarget(task, pool)}}
    known[rerun_target.find] = {key: rerun_target.RerunTarget(task)}
    found = actions_for(request, site_name, "task", [key], known=known)[key]
    list_url = reverse("admin:monitoring_task_changelist", current_app=site_name)
    kept = [action for action in found if not _deletes(action)]
    return kept + [replace(action, next=list_url) for action in found if _deletes(action)]


def in_front(actions: list[Action]) -> tuple[list[Action], list[Action]]:
    """What stands in the head of the page, and what is in its menu.

    In front is what fits the task now and may be wanted first: what ends it, of which two at most; where nothing does,
    running it again, as the primary button.
    """
    fit = [action for action in actions if not action.why_not and not _deletes(action)]
    ends = [action for action in fit if action.verb.destroys][:2]
    front = ends or [replace(action, is_primary=True) for action in fit][:1]
    names = {action.verb.name for action in front}
    rest = [action for action in actions if action.verb.name not in names]
    return front, sorted(rest, key=lambda action: bool(action.why_not))


def _deletes(action: Action) -> bool:
    return action.verb.local and action.verb.destroys
