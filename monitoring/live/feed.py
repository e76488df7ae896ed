"""Writes the feed: what was committed, coalesced, in an order that readers can rely on."""

from __future__ import annotations

import logging
import threading

from django.db import DatabaseError, InterfaceError, connections, transaction

from monitoring.faults import first_line
from monitoring.ingest.stores.contract import Batch
from monitoring.live.changes import Changes
from monitoring.live.layer import crossing_layer
from monitoring.live.nudge import Nudger
from monitoring.models import FeedEntry
from monitoring.upkeep.clock import database_now

logger = logging.getLogger(__name__)

#: Least seconds between two entries of one process, and between two tries while the database refuses them.
INTERVAL, PAUSE = 0.25, 2.0
#: Seconds that a stopping process gives to its last entry.
LAST_WRITE = 5.0
#: Names the advisory lock of PostgreSQL under which all entries of a database are written: "feed" in ASCII.
ADVISORY_LOCK = 0x66656564


def append(using: str, changes: Changes) -> None:
    """Write one entry, in a transaction of its own; call it after the commit that it tells of.

    Ids follow the order of commits: one writer at a time takes an id, and lets go only when its entry can be seen. On
    PostgreSQL an advisory lock sees to that, on SQLite the one write lock of the database. Raises ``DatabaseError``,
    also where another writer has kept the lock for five seconds.
    """
    with transaction.atomic(using=using):
        if connections[using].vendor == "postgresql":
            with connections[using].cursor() as cursor:
                # A process that is frozen in here must not hold up all others for ever.
                cursor.execute(
                    "SELECT set_config('lock_timeout', '5s', true),"
                    " set_config('idle_in_transaction_session_timeout', '10s', true)"
                )
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        FeedEntry.objects.using(using).create(
            at=database_now(using),
            resync=changes.resync,
            many=changes.many,
            tasks=sorted(changes.named),
            workers=sorted(changes.workers),
            events=changes.events,
            changes=changes.changes,
            succeeded=changes.succeeded,
            failed=changes.failed,
            retried=changes.retried,
            ended=changes.ended,
        )


class FeedWriter(threading.Thread):
    """A thread with a database connection of its own, between the consumer and the feed.

    :meth:`note` costs the consumer microseconds and never waits. While the database is slow or away, what changed
    shrinks to counts and the word "many"; it is written when the database is back. The first entry is a `resync`.
    """

    def __init__(self, using: str) -> None:
        super().__init__(name="monitoring-feed", daemon=True)
        self._using = using
        self._changes = Changes(resync=True)
        self._lock = threading.Lock()
        self._noted = threading.Event()
        self._noted.set()
        self._stopping = threading.Event()
        self._failing = False
        layer = crossing_layer()
        self._nudger = Nudger(layer) if layer is not None else None

    def note(self, batch: Batch) -> None:
        """Take down what a committed batch has changed. From any thread."""
        with self._lock:
            self._changes.add(batch.tasks, batch.workers)
        self._noted.set()

    def stop(self) -> None:
        """Write what is left, if the database takes it soon, and end."""
        self._stopping.set()
        self._noted.set()
        if self.is_alive():
            self.join(LAST_WRITE)

    def run(self) -> None:
        if self._nudger is not None:
            self._nudger.start()
        try:
            while not self._stopping.is_set():
                self._noted.wait()
                self._noted.clear()
                self._stopping.wait(INTERVAL if self._write() else PAUSE)
            self._write()
        finally:
            connections.close_all()
            if self._nudger is not None:
                self._nudger.stop()

    def _write(self) -> bool:
        """Write what was noted; False: it could not be, and is kept."""
        with self._lock:
            changes, self._changes = self._changes, Changes()
        if not changes:
            return True
        try:
            append(self._using, changes)
        except (DatabaseError, InterfaceError) as error:
            if not self._failing:
                logger.warning("The feed of live pages waits: %s", first_line(error))
            self._failing = True
            connections[self._using].close()
            changes.forget_tasks()
            with self._lock:
                changes.join(self._changes)
                self._changes = changes
            self._noted.set()
            return False
        self._failing = False
        if self._nudger is not None:
            self._nudger.nudge()
        return True
