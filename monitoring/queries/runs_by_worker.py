"""Which worker ran one task name how often, since the monitor was installed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Sum

from ..models import EventTotal
from .visibility import Visibility

_ENDS = ("task-succeeded", "task-failed")


@dataclass
class WorkerRuns:
    """Events of one worker: tasks of the name that succeeded and that failed, and the mean run time in seconds of those
    that succeeded (None: none did)."""

    hostname: str
    succeeded: int = 0
    failed: int = 0
    seconds: float = 0.0

    @property
    def runs(self) -> int:
        return self.succeeded + self.failed

    @property
    def mean(self) -> float | None:
        return self.seconds / self.succeeded if self.succeeded else None


def runs_by_worker(visibility: Visibility, name: str) -> list[WorkerRuns]:
    """Most runs first; nothing for a user of limited visibility. What upkeep has not added up yet, some seconds, is not
    among them.

    Statistics do not combine names and workers, so this is from the counts of events, which have no range of time.
    Cost: the totals of the name, by a prefix of their key.
    """
    if not visibility.is_everything:
        return []
    found: dict[str, WorkerRuns] = defaultdict(lambda: WorkerRuns(""))
    totals = EventTotal.objects.filter(type__in=_ENDS, name=name).order_by().values_list("type", "worker")
    for kind, worker, count, seconds in totals.annotate(number=Sum("count"), time=Sum("runtime_sum")):
        row = found[worker]
        row.hostname = worker
        if kind == "task-succeeded":
            row.succeeded, row.seconds = count, seconds
        else:
            row.failed = count
    return sorted(found.values(), key=lambda row: (-row.runs, row.hostname))
