"""``manage.py monitoring_upkeep``: what runs on a clock, by hand."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import F

from monitoring.conf import monitoring_settings
from monitoring.ingest.health import consumer_id
from monitoring.ingest.silence import limit_silence
from monitoring.models import UpkeepJob
from monitoring.upkeep.keeper import LeaseKeeper
from monitoring.upkeep.lease import UPKEEP, LeaseHolder, LeaseLost
from monitoring.upkeep.runner import Result, Upkeep, run_job
from monitoring.upkeep.schedule import JOBS, Job, ask

#: Seconds that the holder of the lease is given to run what it is asked for; a dead one is replaced long before.
PATIENCE = 120.0


class Command(BaseCommand):
    help = (
        "Do what run_event_consumer does on a clock: for ever, until SIGTERM or SIGINT, or with --once just once. "
        "If another process does the upkeep, --once asks that one and waits for the outcome."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="run each job once, due or not, and exit")
        parser.add_argument("--only", metavar="JOB", help=f"one of: {', '.join(JOBS)}")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["only"]
        if name is not None and name not in JOBS:
            raise CommandError(f"There is no upkeep job {name!r}. The jobs are: {', '.join(JOBS)}.")
        jobs = list(JOBS.values()) if name is None else [JOBS[name]]
        limit_silence()
        if options["once"]:
            self._once(jobs)
        else:
            self._for_ever(jobs)

    def _for_ever(self, jobs: Sequence[Job]) -> None:
        if len(jobs) < len(JOBS):
            self.stderr.write("While this process holds the lease of upkeep, no other job runs anywhere.")
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        upkeep = Upkeep(monitoring_settings.DATABASE, consumer_id(), jobs)
        upkeep.start()
        try:
            stopping.wait()
        finally:
            upkeep.stop()

    def _once(self, jobs: Sequence[Job]) -> None:
        lease = LeaseHolder(monitoring_settings.DATABASE, UPKEEP, consumer_id())
        asked_at: datetime | None = None
        deadline = time.monotonic() + PATIENCE
        while not lease.try_acquire():
            if asked_at is None:
                self.stdout.write(f"{lease.holder()} does the upkeep: asking it to run {_names(jobs)}.")
                asked_at = ask(lease.using, [job.name for job in jobs])
            results = _finished(lease.using, jobs, asked_at)
            if len(results) == len(jobs):
                self._report(results)
                return
            if time.monotonic() > deadline:
                missing = [job for job in jobs if job.name not in results]
                raise CommandError(
                    f"{lease.holder()} does the upkeep and has not run {_names(missing)} within {PATIENCE:.0f} s."
                )
            time.sleep(0.5)
        # Nobody else has it, or no more.
        keeper = LeaseKeeper(lease)
        keeper.start()
        try:
            results = {job.name: run_job(job, lease) for job in jobs}
        except LeaseLost as error:
            raise CommandError("The lease of upkeep was lost; what was not committed is undone.") from error
        finally:
            keeper.stop()
        self._report(results)

    def _report(self, results: dict[str, Result]) -> None:
        """Print how each went. Raises CommandError if one failed."""
        for name, result in results.items():
            self.stdout.write(f"{name}: {'' if result.succeeded else 'FAILED: '}{result.outcome}")
        failed = [name for name, result in results.items() if not result.succeeded]
        if failed:
            raise CommandError(f"Failed: {', '.join(failed)}.")


def _names(jobs: Sequence[Job]) -> str:
    return ", ".join(job.name for job in jobs)


def _finished(using: str, jobs: Sequence[Job], asked_at: datetime) -> dict[str, Result]:
    """The results of the runs that began after `asked_at` and have ended."""
    rows = UpkeepJob.objects.using(using).filter(
        pk__in=[job.name for job in jobs], started_at__gte=asked_at, finished_at__gte=F("started_at")
    )
    return {row.name: Result(bool(row.succeeded), row.outcome) for row in rows}
