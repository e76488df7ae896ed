"""The pool of a worker: its processes, what each runs, and how it was started."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from ... import formatting
from ...models.task import State
from ...queries.worker_parts.pool import Pool, pool
from .held import Held, running
from .view import WorkerView


@dataclass(frozen=True)
class Process:
    """A child of the pool and what it runs; `pid` is None for a task of a pool without processes.

    Without a task it is idle, or, with `is_known` false, what it does is not known.
    """

    pid: int | None
    task: Held | None
    is_known: bool = True


@dataclass(frozen=True)
class PoolPart:
    """`facts` are words and values, only those that the worker has said."""

    processes: list[Process]
    facts: list[tuple[str, str]]


def pool_part(view: WorkerView) -> PoolPart:
    """From the answers to ``stats`` and ``active``, but for tasks that are known to have ended since.

    No event tells in which process a task runs. So an answer that is not fresh tells of those tasks alone that still
    run by their events, and of no process that it is idle.
    """
    said = pool(view.snapshot("stats").content)
    is_fresh = view.is_fresh("stats") and view.is_fresh("active")
    held = [task for task in running(view).rows if is_fresh or task.state == State.STARTED]
    by_pid = {task.told.pid: task for task in held if task.told is not None and task.told.pid is not None}
    processes = [Process(pid, by_pid.get(pid), is_fresh) for pid in said.pids]
    # A process that has just begun, and the tasks of pools that have no processes.
    others = [task for task in held if task.told is not None and task.told.pid not in said.pids]
    return PoolPart(
        [*processes, *(Process(task.told.pid, task) for task in others if task.told)], _facts(said)
    )


def _facts(said: Pool) -> list[tuple[str, str]]:
    autoscale = said.autoscale
    facts = [
        (_("Implementation"), said.implementation or ""),
        (_("At once"), _number(said.concurrency)),
        (_("Threads"), _number(said.threads)),
        (_("Tasks until a process is replaced"), _number(said.max_tasks_per_child)),
        (_("Soft time limit"), formatting.duration(said.soft_time_limit) if said.soft_time_limit else ""),
        (_("Hard time limit"), formatting.duration(said.time_limit) if said.time_limit else ""),
        (_("Prefetch count"), _("no limit") if said.prefetch == 0 else _number(said.prefetch)),
    ]
    if autoscale is not None:
        words = {"least": _number(autoscale.least), "most": _number(autoscale.most)}
        facts.append((_("Autoscale"), _("%(least)s to %(most)s") % words))
    return [(name, value) for name, value in facts if value]


def _number(value: int | None) -> str:
    return "" if value is None else formatting.number(value)
