"""``manage.py run_event_consumer``: the one process that the monitor needs."""

from __future__ import annotations

import gc
import logging
import math
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitoring.conf import monitoring_settings, why_no_queue_name
from monitoring.ingest.silence import limit_silence
from monitoring.ingest.sources import EventsNotCarried
from monitoring.ingest.wiring import ConsumerOptions, ConsumerProcess

logger = logging.getLogger("monitoring.run_event_consumer")

#: Seconds after which a consumer that has been asked to stop ends, whatever hangs. Each part gives up by itself before;
#: this is for a question in the main thread that a database leaves without any answer.
LAST_MOMENT = 30.0


class Command(BaseCommand):
    help = "Store every Celery event in the database. Run at least one of it, beside the web server."
    # Those of the admin and of addresses import every page and the API: 17 MB, which no consumer needs.
    requires_system_checks = ["monitoring"]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--batch-size", type=int, metavar="N", help="events that one transaction writes at most"
        )
        parser.add_argument(
            "--batch-seconds", type=float, metavar="S", help="seconds that an event waits for others"
        )
        parser.add_argument("--queue", metavar="NAME", help="name of the durable queue that consumers share")
        parser.add_argument("--no-upkeep", action="store_true", help="never do what runs on a clock")
        parser.add_argument(
            "--drain",
            type=float,
            metavar="S",
            help="exit once the queue is empty and no task event has come for S seconds; implies --no-upkeep",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        _log_to_stderr()
        limit_silence()
        settings, drain = monitoring_settings, options["drain"]
        batch_size, batch_seconds = options["batch_size"], options["batch_seconds"]
        chosen = ConsumerOptions(
            batch_size=settings.BATCH_SIZE if batch_size is None else batch_size,
            batch_seconds=settings.BATCH_SECONDS if batch_seconds is None else batch_seconds,
            queue=settings.QUEUE_NAME if options["queue"] is None else options["queue"],
            upkeep=not options["no_upkeep"] and drain is None,
            drain_seconds=drain,
        )
        # Written so that NaN, which is neither more nor less than anything, is refused.
        if (
            chosen.batch_size < 1
            or not 0 < chosen.batch_seconds < math.inf
            or not (drain is None or 0 <= drain < math.inf)
        ):
            raise CommandError(
                "--batch-size must be at least 1, --batch-seconds a number more than 0, --drain one not negative."
            )
        if words := why_no_queue_name(chosen.queue):
            raise CommandError(f"--queue {words}.")
        process = ConsumerProcess(chosen)
        last_moment = threading.Timer(LAST_MOMENT, _leave)
        last_moment.daemon = True

        def stop(*_: object) -> None:
            process.stop()
            with suppress(RuntimeError):  # it runs since the first signal
                last_moment.start()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        _tune()
        try:
            process.run()
        except EventsNotCarried as error:
            raise CommandError(str(error)) from error
        finally:
            last_moment.cancel()


def _leave() -> None:
    logger.error("Something hangs and is left. What was not acknowledged is delivered again.")
    os._exit(1)


def _tune() -> None:
    """Set the interpreter up for two busy threads and many objects that live for a batch (docs/performance.md)."""
    # A writer that has its answer waits for the reader to let go of the interpreter's lock; the default is 5 ms.
    sys.setswitchinterval(0.0005)
    # What has been imported stays; and what a batch is made of has no cycles to look for each 700 objects.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def _log_to_stderr() -> None:
    """Say what happens, where the project has not decided itself where that goes."""
    logger = logging.getLogger("monitoring")
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
