"""The runs of schedules, found by the schedule's name where something says it, else by the task's name.

Celery's own events do not say which schedule sent a task. django-celery-beat says it in a header of the message, and
that reaches us by the plug-in for workers (``monitoring.celery.install``), or by django-celery-results where
``result_extended`` is on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import celery
from django.apps import apps

from ..models import Task
from ..schedules.entries import Entry
from .one_after_the_other import one_after_the_other
from .visibility import Visibility

#: Tasks of one name that are looked through for the runs of its schedules.
LOOKED_AT = 60
#: Names of one statement: SQLite takes 500 parts of a UNION.
NAMES_AT_ONCE = 200
_COLUMNS = (
    "task_id", "name", "state", "runtime", "retries", "first_seen", "sent_at", "sent_by", "received_at", "finished_at",
    "attempt_started_at", "workflow", "worker", "exception_type",
)  # fmt: skip


@dataclass(frozen=True)
class ScheduleRuns:
    """`tasks`, newest first, and whether they were found `by_name` of the schedule, or only by their task's.

    `sent` are the times at which it may have been sent, newest first; `is_cut`: there may be more before the oldest.
    """

    tasks: tuple[Task, ...] = ()
    by_name: bool = False
    sent: tuple[datetime, ...] = ()
    is_cut: bool = False


def runs_of(
    visibility: Visibility, app: celery.Celery, found: Sequence[Entry], using: str | None = None
) -> dict[str, ScheduleRuns]:
    """By the name of the schedule.

    Cost: a statement for each NAMES_AT_ONCE names of tasks, a range of the index on the name for each; with
    ``result_extended`` one more, by the index on the id of results.
    """
    names = sorted({entry.task for entry in found if entry.task and "\0" not in entry.task})
    by_task: dict[str, list[Task]] = {name: [] for name in names}
    for begin in range(0, len(names), NAMES_AT_ONCE):
        parts = [
            visibility.limit(Task.objects.using(using).filter(name=name))
            .order_by("-first_seen")
            .only(*_COLUMNS)[:LOOKED_AT]
            for name in names[begin : begin + NAMES_AT_ONCE]
        ]
        for task in one_after_the_other(parts, LOOKED_AT * len(parts)):
            by_task[task.name or ""].append(task)
    senders = _senders(app, [task for tasks in by_task.values() for task in tasks])
    return {entry.name: _runs(entry, by_task.get(entry.task, []), senders) for entry in found}


def _runs(entry: Entry, tasks: Sequence[Task], senders: Mapping[str, str]) -> ScheduleRuns:
    named = any(task.pk in senders for task in tasks)
    own = [task for task in tasks if senders.get(task.pk) == entry.name]
    if named:
        # One that no worker has yet may still turn out to be its own.
        sent = [
            task for task in tasks if task in own or (task.pk not in senders and task.received_at is None)
        ]
    else:
        own = sent = list(tasks)
    return ScheduleRuns(tuple(own), named, tuple(map(sent_at, sent)), len(tasks) >= LOOKED_AT)


def sent_at(task: Task) -> datetime:
    """When it was sent, or first seen where sending makes no event."""
    return task.sent_at or task.first_seen


def _senders(app: celery.Celery, tasks: Sequence[Task]) -> dict[str, str]:
    """The schedule that sent each task, by id, as far as something says so."""
    found = {task.pk: name for task in tasks if (name := _told(task.workflow))}
    if apps.is_installed("django_celery_results") and app.conf.result_extended:
        unknown = [task.pk for task in tasks if task.pk not in found]
        results: Iterable[Any] = (
            apps.get_model("django_celery_results", "TaskResult")
            ._default_manager.filter(task_id__in=unknown, periodic_task_name__isnull=False)
            .values_list("task_id", "periodic_task_name")
        )
        found |= dict(results)
    return found


def _told(workflow: str | None) -> str:
    if not workflow or '"schedule"' not in workflow:
        return ""
    try:
        told = json.loads(workflow)
    except ValueError:
        return ""
    name = told.get("schedule") if isinstance(told, dict) else None
    return name if isinstance(name, str) else ""
