"""Which workers said that they can run a task."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..models import WorkerSnapshot
from .visibility import Visibility
from .worker_parts.registered import RegisteredTask, registered_tasks


@dataclass(frozen=True)
class Registration:
    """A worker's own words: the task with its limits, and when it said so."""

    hostname: str
    task: RegisteredTask
    answered_at: datetime


@dataclass(frozen=True)
class Registrations:
    """Those that have it, by name; `asked` workers have answered at all."""

    rows: list[Registration]
    asked: int


def registered_on(visibility: Visibility, name: str) -> Registrations:
    """By the newest answers of all workers, also of those that are offline; nothing of a name that may not be seen.

    Cost: one answer of each worker, by the primary key; each is read whole.
    """
    if not visibility.allows_name(name):
        return Registrations([], 0)
    answers = WorkerSnapshot.objects.filter(kind="registered", answered_at__isnull=False).order_by("hostname")
    rows, asked = [], 0
    for hostname, content, answered_at in answers.values_list("hostname", "content", "answered_at"):
        asked += 1
        found = next((task for task in registered_tasks(visibility, content) if task.name == name), None)
        if found is not None and answered_at is not None:
            rows.append(Registration(hostname, found, answered_at))
    return Registrations(rows, asked)
