"""The tasks that a worker has registered, with the limits that they were defined with."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from ... import formatting
from ...queries.search.printing import exact_text
from ...queries.worker_parts.registered import RegisteredTask, registered_tasks
from .view import WorkerView


@dataclass(frozen=True)
class RegisteredRow:
    """A task, its further options in words, and the questions that lead to other limits; None where one may not."""

    task: RegisteredTask
    options: list[str]
    tasks_query: str
    rate_url: str | None
    time_url: str | None

    @property
    def is_limited(self) -> bool:
        task = self.task
        return bool(task.rate_limit or task.soft_time_limit or task.time_limit)


def registered_rows(view: WorkerView) -> list[RegisteredRow]:
    """By name, without Celery's own; a limited user sees those that they may."""
    rate, time = view.question("rate_limit"), view.question("time_limit")
    return [
        RegisteredRow(
            task,
            _options(task),
            urlencode({"name": exact_text(task.name)}),
            rate and f"{rate}&{urlencode({'task_name': task.name})}",
            time and f"{time}&{urlencode({'task_name': task.name})}",
        )
        for task in registered_tasks(view.visibility, view.snapshot("registered").content)
        if not task.name.startswith("celery.")
    ]


def _options(task: RegisteredTask) -> list[str]:
    """What differs from how Celery defines a task."""
    words = []
    if task.max_retries not in (None, 3):
        words.append(_("%(count)s retries at most") % {"count": task.max_retries})
    if task.retry_delay not in (None, 180):
        words.append(_("retried after %(delay)s") % {"delay": formatting.duration(task.retry_delay or 0)})
    if task.acks_late:
        words.append(_("acknowledged late"))
    if task.ignore_result:
        words.append(_("result ignored"))
    if task.priority is not None:
        words.append(_("priority %(priority)s") % {"priority": task.priority})
    return words
