"""THE table of jobs, and when each is due."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from monitoring.models import UpkeepJob
from monitoring.upkeep.clock import database_now, read_clock
from monitoring.upkeep.jobs import (
    counts,
    gone_senders,
    inspection,
    partitions,
    progress,
    queues,
    rollups,
    samples,
    schedules,
    statistics,
    trim,
    workers,
)
from monitoring.upkeep.lease import LeaseHolder

#: Seconds until a job that has failed is tried again: doubled with each failure in a row, from the first to the last.
FIRST_RETRY, LAST_RETRY = 5.0, 300.0


@dataclass(frozen=True)
class Job:
    """What runs every `interval` seconds.

    `run` does it and answers one line on what it did; it commits through ``lease.transaction()`` only, takes a few
    seconds at most and leaves the rest to its next run. Whatever it raises is a failure.
    """

    name: str
    interval: float
    run: Callable[[LeaseHolder], str]

    def pause(self, failures: int) -> float:
        """Seconds from the end of a run to the next, after so many failures in a row."""
        if not failures:
            return self.interval
        return min(FIRST_RETRY * 2.0 ** min(failures - 1, 30), LAST_RETRY)


JOBS: dict[str, Job] = {
    job.name: job
    for job in (
        Job("partitions", 3600, partitions.run),
        Job("workers", 2, workers.run),
        Job("counts", 5, counts.run),
        Job("progress", 2, progress.run),
        Job("samples", 10, samples.run),
        Job("inspection", 10, inspection.run),
        Job("queues", 10, queues.run),
        # A run counts as missed half a minute after its time, and is to be marked within a minute.
        Job("schedules", 10, schedules.run),
        # So the minute under way is counted every 15 seconds.
        Job("statistics", 15, statistics.run),
        Job("rollups", 60, rollups.run),
        Job("trim", 60, trim.run),
        Job("senders", 3600, gone_senders.run),
    )
}


def due(using: str, jobs: Iterable[Job]) -> list[Job]:
    """Those of `jobs` that are due, or never ran, in their order. One read of a table of a dozen rows.

    One that was started later than now is due too: the clock has been put back since, by hand or by another server that
    has taken over, and all would stand still for as long as it was ahead.
    """
    now = database_now(using)
    waiting = UpkeepJob.objects.using(using).filter(due_at__gt=now, started_at__lte=now)
    later = set(waiting.values_list("name", flat=True))
    return [job for job in jobs if job.name not in later]


def ask(using: str, names: Iterable[str]) -> datetime:
    """Make jobs due at once for whoever holds the lease; since when, by the database's clock.

    One that runs at this moment runs once more.
    """
    rows = UpkeepJob.objects.using(using)
    rows.bulk_create([UpkeepJob(name=name) for name in names], ignore_conflicts=True)
    asked_at = read_clock(using)
    rows.filter(pk__in=list(names)).update(due_at=asked_at)
    return asked_at
