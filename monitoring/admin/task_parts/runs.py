"""The last runs of the same task as bars: how long each ran, how it ended, and which one this is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ...models import Task
from ...queries.runs import Runs

#: Thousandths of the chart's width and height.
WIDTH = HEIGHT = 1000
#: There is room for as many at least: few runs are thin bars at the end, and not blocks.
SLOTS = 24
#: Height of a run whose time is not known or too short to be seen.
LEAST = 12


@dataclass(frozen=True)
class RunBar:
    task: Task
    kind: str
    x: float
    width: float
    y: float
    height: float
    is_this: bool


@dataclass(frozen=True)
class RunsPart:
    """`most`: seconds at the top of the chart. `counts`: of each kind of outcome, in the order of the legend."""

    bars: list[RunBar]
    most: float
    counts: list[tuple[str, int]]
    newest: bool


def runs_part(found: Runs, task: Task) -> RunsPart:
    most = max((run.runtime or 0.0 for run in found.tasks), default=0.0)
    step = WIDTH / max(SLOTS, len(found.tasks))
    first = WIDTH - step * len(found.tasks)
    bars = []
    for index, run in enumerate(found.tasks):
        height = max(LEAST, round((run.runtime or 0.0) / most * HEIGHT)) if most else LEAST
        bars.append(
            RunBar(
                run,
                _kind(run),
                round(first + index * step + 0.15 * step, 2),
                round(0.7 * step, 2),
                HEIGHT - height,
                height,
                run.task_id == task.task_id,
            )
        )
    counts = Counter(bar.kind for bar in bars)
    kinds = ("success", "retried", "failure", "other", "open")
    return RunsPart(bars, most, [(kind, counts[kind]) for kind in kinds if counts[kind]], found.newest)


def _kind(run: Task) -> str:
    if run.state == "SUCCESS":
        return "retried" if run.retries else "success"
    if run.state == "FAILURE":
        return "failure"
    return "other" if run.state in ("REVOKED", "REJECTED", "LOST") else "open"
