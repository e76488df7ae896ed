"""Single tasks."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Subquery

from ..models import Task, Worker
from .visibility import Visibility


def task(visibility: Visibility, task_id: str) -> Task | None:
    """One task with every column, or None where there is none that may be seen. Cost: the primary key."""
    if "\0" in task_id:  # no id has one, and PostgreSQL refuses to look
        return None
    return visibility.limit(Task.objects.filter(pk=task_id)).first()


def task_and_its_worker(visibility: Visibility, task_id: str) -> tuple[Any, bool]:
    """As :func:`task`, with the pool of its worker as `worker_pool`, and whether that worker has a page.

    Cost: two primary keys, one question.
    """
    if "\0" in task_id:
        return None, False
    worker = Worker.objects.filter(pk=OuterRef("worker"))
    found: Any = (
        visibility.limit(Task.objects.filter(pk=task_id))
        .annotate(worker_exists=Exists(worker), worker_pool=Subquery(worker.values("pool")[:1]))
        .first()
    )
    return found, bool(found and found.worker_exists)
