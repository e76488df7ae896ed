"""The statistics that tasks and events should have: every step counted from scratch, by the plainest code."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from monitoring.log_histogram import bucket_of
from monitoring.models import Statistic, StatisticFailure, Task, TaskEvent
from monitoring.time_steps import STEPS

OUTCOMES = {
    "SUCCESS": "succeeded",
    "FAILURE": "failed",
    "REVOKED": "revoked",
    "REJECTED": "rejected",
    "LOST": "lost",
}
#: Grain, step, start, name, queue, worker.
RowKey = tuple[int, int, datetime, str, str, str]


@dataclass
class Expected:
    counts: Counter[str] = field(default_factory=Counter)
    runtimes: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def values(self) -> tuple[Any, ...]:
        return (
            {outcome: count for outcome, count in sorted(self.counts.items()) if count},
            *(
                (len(each), sum(round(value * 1e6) for value in each), Counter(map(bucket_of, each)))
                for each in (self.runtimes, self.waits)
            ),
        )


def floored(moment: datetime, step: int) -> datetime:
    seconds = int(moment.timestamp())
    return datetime.fromtimestamp(seconds - seconds % step, tz=moment.tzinfo)


def expected(using: str) -> dict[RowKey, tuple[Any, ...]]:
    """Every row that there should be, by all tasks and events that there are."""
    rows: dict[RowKey, Expected] = defaultdict(Expected)
    tasks = {task.pk: task for task in Task.objects.using(using)}

    def rows_of(moment: datetime, task: Task, worker: str | None) -> Iterable[Expected]:
        name, queue = task.name or "", task.queue or ""
        for step in STEPS:
            start = floored(moment, step)
            yield rows[0, step, start, "", "", ""]
            yield rows[1, step, start, name, queue, ""]
            yield rows[2, step, start, "", queue, ""]
            yield rows[3, step, start, "", "", worker or ""]

    for task in tasks.values():
        if task.finished_at is not None:
            for row in rows_of(task.finished_at, task, task.worker):
                row.counts[OUTCOMES[task.state]] += 1
                if task.runtime is not None:
                    row.runtimes.append(task.runtime)
                if task.wait is not None:
                    row.waits.append(task.wait)
    for event in TaskEvent.objects.using(using).filter(type="task-retried"):
        for row in rows_of(event.timestamp, tasks[event.task_id], event.worker):
            row.counts["retried"] += 1
    return {key: row.values() for key, row in rows.items()}


def expected_failures(using: str) -> dict[tuple[Any, ...], int]:
    return Counter(
        (
            step,
            floored(task.finished_at, step),
            task.name or "",
            task.queue or "",
            task.exception_type or "",
            task.fingerprint or "",
        )
        for task in Task.objects.using(using).filter(state="FAILURE", finished_at__isnull=False)
        if task.finished_at is not None
        for step in STEPS
    )


def stored(using: str) -> dict[RowKey, tuple[Any, ...]]:
    """Every row that there is, in the same form."""
    from monitoring.log_histogram import add_packed

    found = {}
    for row in Statistic.objects.using(using).all():
        histograms: list[dict[int, int]] = [{}, {}]
        for histogram, packed in zip(histograms, (row.runtimes, row.waits), strict=True):
            add_packed(histogram, packed)
        outcomes = (*OUTCOMES.values(), "retried")
        key = (row.grain, row.step, row.start, row.name, row.queue, row.worker)
        assert key not in found
        found[key] = (
            {outcome: getattr(row, outcome) for outcome in sorted(outcomes) if getattr(row, outcome)},
            (row.runtime_count, row.runtime_sum, histograms[0]),
            (row.wait_count, row.wait_sum, histograms[1]),
        )
    return found


def stored_failures(using: str) -> dict[tuple[Any, ...], int]:
    rows = StatisticFailure.objects.using(using)
    return {
        tuple(key): count
        for *key, count in rows.values_list(
            "step", "start", "name", "queue", "exception_type", "fingerprint", "count"
        )
    }
