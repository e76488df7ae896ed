"""Reports a consumer's figures: each second into its row, each minute into the log."""

from __future__ import annotations

import dataclasses
import logging
import os
import socket
import threading
import time
import uuid
from datetime import datetime

from django.db import Error as DatabaseFault
from django.db import connections
from django.db.models import Max
from django.db.models.functions import Least
from django.utils import timezone

from monitoring.ingest.figures import Figures
from monitoring.models import Consumer

logger = logging.getLogger(__name__)

REPORT_SECONDS = 1.0
LOG_SECONDS = 60.0
#: Seconds that the last report may take: a database may leave it without any answer.
LAST_REPORT = 5.0


def consumer_id() -> str:
    """An id for this process: who it is for people, and random so that a pid used again is another consumer."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def listened_until(using: str) -> datetime | None:
    """Up to when a subscriber has heard every event and committed it; None before the first one.

    What a consumer had heard and not committed when it was killed is lost as well.
    """
    heard = Consumer.objects.using(using).filter(listening_until__isnull=False, horizon__isnull=False)
    newest: datetime | None = heard.aggregate(newest=Max(Least("listening_until", "horizon")))["newest"]
    return newest


def committed_until(using: str) -> datetime | None:
    """The time of the newest event that any consumer has committed."""
    newest: datetime | None = Consumer.objects.using(using).aggregate(newest=Max("last_event_at"))["newest"]
    return newest


class HealthReporter(threading.Thread):
    """A thread with a database connection of its own. A database that is away costs reports, nothing else."""

    def __init__(self, consumer: str, figures: Figures, using: str) -> None:
        super().__init__(name="monitoring-health", daemon=True)
        self._id = consumer
        self._figures = figures
        self._using = using
        self._started_at = timezone.now()
        self._stopping = threading.Event()
        self._reported = (time.monotonic(), 0, 0)
        self._logged = (time.monotonic(), 0, 0)

    def stop(self) -> None:
        """Report once more, as stopped in good order, if the database answers."""
        self._stopping.set()
        self.join(LAST_REPORT)

    def run(self) -> None:
        try:
            while not self._stopping.wait(REPORT_SECONDS):
                self._report(stopped_at=None)
                if time.monotonic() - self._logged[0] >= LOG_SECONDS:
                    self._log()
            self._figures.connected = False
            self._report(stopped_at=timezone.now())
        finally:
            connections.close_all()

    def _report(self, stopped_at: datetime | None) -> None:
        figures = dataclasses.asdict(self._figures)
        seconds, events, batches = self._since(self._reported)
        self._reported = (time.monotonic(), figures["events"], figures["batches"])
        try:
            Consumer.objects.using(self._using).update_or_create(
                consumer_id=self._id,
                defaults={
                    **figures,
                    "hostname": socket.gethostname(),
                    "pid": os.getpid(),
                    "started_at": self._started_at,
                    "reported_at": timezone.now(),
                    "stopped_at": stopped_at,
                    "events_per_second": events / seconds,
                    "batches_per_second": batches / seconds,
                },
            )
        except DatabaseFault as error:
            logger.debug("Health could not be reported: %s", error)
            connections[self._using].close()
        except Exception:  # else nobody would hear of this consumer again, well as it may be
            logger.exception("A fault in reporting health")

    def _log(self) -> None:
        seconds, events, batches = self._since(self._logged)
        self._logged = (time.monotonic(), self._figures.events, self._figures.batches)
        figures = self._figures
        logger.info(
            "%.0f events/s in %d batches, lag %s s, %s messages waiting, horizon %s; so far %d dead letters, %d gaps, "
            "%d reconnects",
            events / seconds,
            batches,
            "-" if figures.lag is None else f"{figures.lag:.2f}",
            "-" if figures.queue_length is None else figures.queue_length,
            figures.horizon or "-",
            figures.dead_letters,
            figures.gaps,
            figures.reconnects,
        )

    def _since(self, mark: tuple[float, int, int]) -> tuple[float, int, int]:
        """Seconds, events and batches since a mark."""
        then, events, batches = mark
        return (
            max(time.monotonic() - then, 0.001),
            self._figures.events - events,
            self._figures.batches - batches,
        )
