"""A consumer as the settings want it: the one place that knows all of its parts."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from monitoring.celery_app import watched_app
from monitoring.conf import monitoring_settings
from monitoring.ingest.consumer import EventConsumer
from monitoring.ingest.decoding import Decoder
from monitoring.ingest.figures import Figures
from monitoring.ingest.health import HealthReporter, consumer_id
from monitoring.ingest.inspection import WorkerInspector
from monitoring.ingest.redaction_settings import configured_redactor
from monitoring.ingest.sources import SourceOptions, source_for
from monitoring.ingest.stores import store_for
from monitoring.ingest.telemetry import instrumented
from monitoring.live.feed import FeedWriter
from monitoring.upkeep.keeper import LeaseKeeper
from monitoring.upkeep.lease import CONSUME, LeaseHolder
from monitoring.upkeep.runner import Upkeep

logger = logging.getLogger(__name__)

#: Seconds between two looks at whether the right to subscribe is free, and between two renewals of it.
STAND_BY = 2.0
#: Seconds until the right to subscribe of a consumer that has died is free.
TENURE = 20.0


@dataclass(frozen=True)
class ConsumerOptions:
    """What the command line decides; see ``run_event_consumer --help``."""

    batch_size: int
    batch_seconds: float
    queue: str
    upkeep: bool
    drain_seconds: float | None


class ConsumerProcess:
    """An event consumer with the threads that belong to it. `run` returns when `stop` has been called, or drained."""

    def __init__(self, options: ConsumerOptions) -> None:
        using = monitoring_settings.DATABASE
        app = watched_app()
        figures = Figures()
        identity = consumer_id()
        self._inspector = WorkerInspector(app, using, monitoring_settings.CONTROL_TIMEOUT)
        self._health = HealthReporter(identity, figures, using)
        self._feed = FeedWriter(using)
        self._upkeep = Upkeep(using, identity) if options.upkeep else None
        self._consumer = EventConsumer(
            lambda: source_for(app, _source_options(options)),
            Decoder(configured_redactor(), monitoring_settings.MAX_TEXT_LENGTH, monitoring_settings.OWN_CODE),
            instrumented(store_for(using), figures),
            using,
            batch_size=options.batch_size,
            batch_seconds=options.batch_seconds,
            make_turn=lambda: LeaseKeeper(LeaseHolder(using, CONSUME, identity, TENURE), STAND_BY),
            figures=figures,
            drain_seconds=options.drain_seconds,
            on_workers=self._inspector.notice,
            on_commit=self._feed.note,
        )

    def stop(self) -> None:
        """Finish the batch and leave. Safe to call from a signal handler."""
        self._consumer.stop()

    def run(self) -> None:
        self._inspector.start()
        self._health.start()
        self._feed.start()
        if self._upkeep is not None:
            self._upkeep.start()
        try:
            self._consumer.run()
        finally:
            # At once: each waits for the database, which may leave them all without an answer.
            stops = [self._feed.stop, self._inspector.stop, self._health.stop]
            if self._upkeep is not None:
                stops.append(self._upkeep.stop)
            ending = [threading.Thread(target=stop, daemon=True) for stop in stops]
            for thread in ending:
                thread.start()
            for thread in ending:
                thread.join()


def _source_options(options: ConsumerOptions) -> SourceOptions:
    return SourceOptions(
        queue=options.queue,
        max_length=monitoring_settings.QUEUE_MAX_LENGTH,
        max_bytes=monitoring_settings.QUEUE_MAX_BYTES,
        # One batch is written while the next is read; each may be of single events.
        prefetch=2 * options.batch_size,
    )
