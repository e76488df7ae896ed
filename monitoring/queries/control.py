"""What control needs to know: the workers that a command is for, what they said, and what depends on them alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..models import Task, Worker, WorkerSnapshot
from .visibility import Visibility
from .worker_presence import presence
from .workers import online_hostnames


def workers_by_name(visibility: Visibility, hostnames: Sequence[str]) -> Mapping[str, Worker]:
    """Those of `hostnames` that exist, `online` as of this moment. Who may see workers sees all of them.

    Cost: the primary key of each, and what presence is judged by.
    """
    judge = presence()
    found = {worker.pk: worker for worker in Worker.objects.filter(pk__in=_possible(hostnames))}
    for worker in found.values():
        worker.online = judge.is_online(worker)
    return found


def last_answers(workers: Mapping[str, Worker], kinds: Collection[str]) -> dict[str, dict[str, Any]]:
    """What workers said since they started, by host name and kind, whoever asks: to judge by, not to be shown.

    Cost: a range of the primary key for each.
    """
    answers: dict[str, dict[str, Any]] = {}
    rows = WorkerSnapshot.objects.filter(hostname__in=list(workers), kind__in=list(kinds))
    for row in rows.exclude(answered_at=None):
        started = workers[row.hostname].started_at
        if row.answered_at is not None and (started is None or row.answered_at >= started):
            answers.setdefault(row.hostname, {})[row.kind] = row.content
    return answers


def all_answers(kind: str) -> list[Any]:
    """What every worker last said to one question, online or not. Cost: the table of answers, those of one kind."""
    rows = WorkerSnapshot.objects.filter(kind=kind).exclude(answered_at=None)
    return list(rows.values_list("content", flat=True))


def pools(hostnames: Collection[str]) -> Mapping[str, str | None]:
    """The pool of each worker that is known. Cost: the primary key of each."""
    return dict(Worker.objects.filter(pk__in=_possible(hostnames)).values_list("pk", "pool"))


def consumed_only_by(visibility: Visibility, hostnames: Collection[str]) -> list[str]:
    """Queues that may be seen and that none but these workers consumes, of those that are online. Cost: the table."""
    online = set(online_hostnames())
    inside: set[str] = set()
    outside: set[str] = set()
    for hostname, queues in Worker.objects.filter(online=True).values_list("pk", "queues"):
        if hostname in online:
            (inside if hostname in hostnames else outside).update(queues or ())
    return sorted(queue for queue in inside - outside if visibility.allows_queue(queue))


def consumed_queues() -> set[str]:
    """Queues that a worker consumes which is online. Cost: the table."""
    online = set(online_hostnames())
    rows = Worker.objects.filter(online=True).values_list("pk", "queues")
    return {queue for hostname, queues in rows if hostname in online for queue in queues or ()}


def states(visibility: Visibility, ids: Sequence[str]) -> Mapping[str, tuple[str, str | None]]:
    """State and worker of tasks, by id. Cost: the primary key of each."""
    tasks = visibility.limit(Task.objects.filter(pk__in=_possible(ids))).order_by()
    return {key: (state, worker) for key, state, worker in tasks.values_list("pk", "state", "worker")}


def _possible(keys: Collection[str]) -> list[str]:
    """Without those that PostgreSQL refuses to look for."""
    return [key for key in keys if "\0" not in key]
