"""The tables of the dashboard: which tasks run most, take longest, fail most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...queries.statistics_menu import TaskMenu
from ...queries.statistics_sums import RUNTIMES, Sums
from ...queries.statistics_tasks import exceptions
from .view import StatisticsView

TOP = 5
#: Runs from which on a percentile tells something.
LEAST_RUNS = 20


@dataclass(frozen=True)
class TaskRow:
    """One task name: figures as numbers, for the template to write. `url` leads to its statistics.

    `share` is its part of the tasks that ended, or that failed, `exception` what it failed with most often, and
    `failures_url` leads to its groups of failures, where they may be seen.
    """

    name: str
    url: str
    finished: int = 0
    failed: int = 0
    share: float | None = None
    p50: float | None = None
    p95: float | None = None
    exception: str = ""
    tasks_url: str = ""
    failures_url: str = ""


def busiest(view: StatisticsView, menu: TaskMenu) -> list[TaskRow]:
    total = sum(sums.finished for sums in menu.tasks.values())
    return [
        TaskRow(name, view.task_url(name), finished=sums.finished, share=sums.finished / total)
        for name, sums in _greatest(menu.tasks, lambda sums: sums.finished)
    ]


def slowest(view: StatisticsView, menu: TaskMenu) -> list[TaskRow]:
    """By the 95th percentile of run time, of those that ran :func:`least_runs` times."""
    least = least_runs(menu)
    often = {name: sums for name, sums in menu.tasks.items() if sums.counts["runtime_count"] >= least}
    found = {name: sums.percentiles(RUNTIMES, (0.5, 0.95)) for name, sums in often.items()}
    ranked = sorted(found.items(), key=lambda item: (-(item[1][1] or 0), item[0]))[:TOP]
    return [TaskRow(name, view.task_url(name), p50=p50, p95=p95) for name, (p50, p95) in ranked]


def least_runs(menu: TaskMenu) -> int:
    """LEAST_RUNS, or 1 where no task ran so often."""
    most = max((sums.counts["runtime_count"] for sums in menu.tasks.values()), default=0)
    return LEAST_RUNS if most >= LEAST_RUNS else 1


def most_failing(view: StatisticsView, menu: TaskMenu, failures_url: Callable[[str], str]) -> list[TaskRow]:
    """With the exception of each that came most often. Asks for them, where any failed."""
    ranked = _greatest(menu.tasks, lambda sums: sums.counts["failed"])
    most: dict[str, str] = {}
    if ranked:
        names = [name for name, _sums in ranked]
        for name, exception, _count in exceptions(view.visibility, view.period, view.selection, names):
            most.setdefault(name, exception)
    return [
        TaskRow(
            name,
            view.task_url(name),
            failed=sums.counts["failed"],
            share=sums.share("failed"),
            exception=most.get(name, ""),
            tasks_url=view.tasks_url(state="FAILURE", name=name),
            failures_url=failures_url(name),
        )
        for name, sums in ranked
    ]


def _greatest(tasks: Mapping[str, Sums], by: Callable[[Sums], int]) -> list[tuple[str, Sums]]:
    ranked = sorted(tasks.items(), key=lambda item: (-by(item[1]), item[0]))
    return [item for item in ranked[:TOP] if by(item[1])]
