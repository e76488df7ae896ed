"""Runs the jobs that are due, one after the other, while the lease is held."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, connections
from django.db.models import Case, F, When

from monitoring.faults import first_line
from monitoring.ingest.text import storable
from monitoring.models import UpkeepJob
from monitoring.upkeep.clock import database_now
from monitoring.upkeep.keeper import LeaseKeeper
from monitoring.upkeep.lease import DURATION, RENEWAL, UPKEEP, LeaseHolder, LeaseLost
from monitoring.upkeep.schedule import JOBS, Job, due

logger = logging.getLogger(__name__)

#: Seconds between two looks at what is due.
TICK = 1.0
#: Longest pause in seconds while the database is away.
LONGEST_PAUSE = 15.0
#: Seconds that a job may take to end when upkeep is asked to stop; what it has not committed by then it never will.
LAST_RUN = 5.0
#: Characters of an outcome that are kept; the words of a database's error are among them.
LONGEST_OUTCOME = 2_000


@dataclass(frozen=True)
class Result:
    """How a run ended: what the job says it did, or why it failed."""

    succeeded: bool
    outcome: str


class Upkeep:
    """Upkeep in this process: contends for the lease and, while it has it, runs what is due. Two threads of its own.

        upkeep = Upkeep("default", consumer_id)
        upkeep.start()
        ...
        upkeep.stop()

    `holder_id` must be unique to this process. No fault of a job or of the database ends it.
    """

    def __init__(
        self,
        using: str,
        holder_id: str,
        jobs: Iterable[Job] | None = None,
        *,
        duration: float = DURATION,
        renewal: float = RENEWAL,
    ) -> None:
        self._lease = LeaseHolder(using, UPKEEP, holder_id, duration)
        self._keeper = LeaseKeeper(self._lease, renewal)
        self._jobs = list(JOBS.values() if jobs is None else jobs)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monitoring-upkeep", daemon=True)

    @property
    def is_holder(self) -> bool:
        """Whether it is this process that does the upkeep."""
        return self._lease.is_held

    def start(self) -> None:
        self._keeper.start()
        self._thread.start()

    def stop(self) -> None:
        """Start no other job, give the running one :data:`LAST_RUN` seconds, then give the lease back."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(LAST_RUN)
        self._keeper.stop()

    def _run(self) -> None:
        pause = TICK
        try:
            while not self._stopping.wait(pause):
                try:
                    if self._lease.is_held:
                        self._turn()
                    pause = TICK
                except LeaseLost:
                    logger.warning(
                        "Upkeep has lost its lease; what was not committed is left to the next holder."
                    )
                except (DatabaseError, InterfaceError) as error:
                    pause = min(pause * 2, LONGEST_PAUSE)
                    logger.error(
                        "Upkeep waits for the database: %s. Next try in %.0f s.", first_line(error), pause
                    )
                    connections[self._lease.using].close()
                except Exception:  # else nobody would do upkeep while this process renews its lease
                    pause = min(pause * 2, LONGEST_PAUSE)
                    logger.exception("A fault in upkeep. Next try in %.0f s.", pause)
        finally:
            connections.close_all()

    def _turn(self) -> None:
        for job in due(self._lease.using, self._jobs):
            if self._stopping.is_set():
                break
            run_job(job, self._lease)


def run_job(job: Job, lease: LeaseHolder) -> Result:
    """Run one job and record how it went. Two short transactions beside the job's own.

    Raises :class:`LeaseLost` if the lease was lost meanwhile, and ``DatabaseError`` or ``InterfaceError`` if nothing
    can be recorded; the job is then still due.
    """
    connection = connections[lease.using]
    connection.close_if_unusable_or_obsolete()
    rows = UpkeepJob.objects.using(lease.using)
    with lease.transaction():
        rows.bulk_create([UpkeepJob(name=job.name)], ignore_conflicts=True)
        now = database_now(lease.using)
        rows.filter(pk=job.name).update(started_at=now, due_at=now)
        failures = rows.values_list("failures", flat=True).get(pk=job.name)
    begun_at = time.monotonic()
    try:
        result = Result(True, job.run(lease))
    except LeaseLost:
        raise
    except Exception as error:  # whatever it is, it must not stop the other jobs
        logger.exception("Upkeep job %s has failed", job.name)
        result = Result(False, first_line(error))
        connection.close_if_unusable_or_obsolete()
    _record(job, lease, result, failures, time.monotonic() - begun_at)
    return result


def _record(job: Job, lease: LeaseHolder, result: Result, failures: int, duration: float) -> None:
    failures = 0 if result.succeeded else failures + 1
    now = database_now(lease.using)
    with lease.transaction():
        UpkeepJob.objects.using(lease.using).filter(pk=job.name).update(
            finished_at=now,
            duration=duration,
            succeeded=result.succeeded,
            outcome=storable(result.outcome, LONGEST_OUTCOME),
            failures=failures,
            # Asked for by hand while it ran: then it is due already.
            due_at=Case(
                When(due_at__gt=F("started_at"), then=F("due_at")),
                default=now + timedelta(seconds=job.pause(failures)),
            ),
        )
