"""The database's side of the consumer: a thread that writes one batch after the other and never gives one up."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import DataError, IntegrityError, OperationalError, connections
from django.db import Error as DatabaseFault

from monitoring.faults import first_line
from monitoring.ingest.events import Event
from monitoring.ingest.stores.columns import to_datetime
from monitoring.ingest.stores.contract import Batch, DeadLetterEntry, Store
from monitoring.models.partitions import DayPartitions

logger = logging.getLogger(__name__)

#: Seconds between two tries to write a batch: doubled from the first to the last.
FIRST_PAUSE, LAST_PAUSE = 0.2, 15.0
#: Seconds that a stopping consumer waits for a try that is under way: a database may leave it without any answer.
LAST_TRY = 10.0
#: A day in microseconds.
DAY = 86_400_000_000
#: What a database, or its driver, raises for what is in an event rather than for its own state.
REFUSALS = (DataError, IntegrityError, ValueError, TypeError, OverflowError)
#: Events in a row, none stored between, that become dead letters for an error of Python's own. What fails more is no
#: event's fault but a programming error or a wrong set-up, which must not make dead letters of all.
FEW = 10
#: PostgreSQL's error class "program limit exceeded", such as an index entry that is too long.
LIMIT_EXCEEDED = "54"
#: And its error for a key that is there already. It is never an event's: what has come before is left out.
UNIQUE_VIOLATION = "23505"


@dataclass(slots=True)
class Job:
    """A batch, and the deliveries to acknowledge once it is committed, which are those of one connection."""

    batch: Batch
    delivery_tags: list[Any]
    #: Counts the connections: what another one delivered cannot be acknowledged on this one.
    generation: int
    #: Seconds that the commit took, and how many events the database refused; set by the writer.
    seconds: float = 0.0
    refused: int = 0


class Writer(threading.Thread):
    """Takes one job at a time, so that one batch is written while the next is read.

    A batch that cannot be written for a reason that may pass (the database is away, full, read-only, in a deadlock) is
    tried again for ever. One that the database refuses for what is in it is halved until the events that it refuses
    stand alone; those become dead letters. An error of Python's own that fails one event after the other is ours, and
    the batch is kept as well. `committed` and `failed` are called in this thread, after each commit and after each try
    that failed for a reason that may pass.
    """

    def __init__(
        self, store: Store, using: str, committed: Callable[[Job], None], failed: Callable[[Exception], None]
    ) -> None:
        super().__init__(name="monitoring-writer", daemon=True)
        self._store = store
        self._using = using
        self._committed = committed
        self._failed = failed
        self._partitions = DayPartitions(using)
        self._jobs: queue.Queue[Job | None] = queue.Queue(maxsize=1)
        self._stopping = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        #: Events of the batch that is being written that the database has refused.
        self._refused = 0
        #: Dead letters for an error of Python's own since an event was stored last.
        self._in_a_row = 0
        #: What ended the thread, if not a request to stop.
        self.failure: BaseException | None = None

    @property
    def is_idle(self) -> bool:
        return self._idle.is_set()

    def submit(self, job: Job) -> None:
        """Hand over a batch; only when :attr:`is_idle`."""
        self._idle.clear()
        self._jobs.put(job)

    def prepare(self, batch: Batch) -> None:
        """Take work from the next try: called by the reader, while another batch is being written."""
        if batch.prepared is None:
            # What cannot be prepared fails once more when it is written, and there the guilty event is found.
            with suppress(*REFUSALS):
                self._store.prepare(batch)

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is being written; whether that is so."""
        return self._idle.wait(timeout)

    def stop(self, patience: float = LAST_TRY) -> None:
        """End after the current try: a batch that cannot be written now is left to be delivered again."""
        self._stopping.set()
        if self.is_alive():
            self._jobs.put(None)
        self.join(patience)

    def run(self) -> None:
        try:
            while (job := self._jobs.get()) is not None:
                begun = time.monotonic()
                if self._write_for_ever(job.batch):
                    job.seconds = time.monotonic() - begun
                    job.refused = self._refused
                    self._committed(job)
                self._idle.set()
        except BaseException as failure:
            logger.exception("The writer has failed")
            self.failure = failure
        finally:
            self._idle.set()
            connections.close_all()

    def _write_for_ever(self, batch: Batch) -> bool:
        """Whether all of the batch has been committed; False only when asked to stop."""
        pause = FIRST_PAUSE
        while True:
            self._refused = 0
            try:
                self._write(batch)
                return True
            except Exception as error:  # else nobody would write, and nobody be told why
                logger.error(
                    "%d events could not be written and are kept: %s. Next try in %.1f s.",
                    len(batch),
                    first_line(error),
                    pause,
                    # What is no fault of the database is for whoever mends the program.
                    exc_info=not isinstance(error, DatabaseFault),
                )
                self._failed(error)
                connections[self._using].close()
            if self._stopping.wait(pause):
                return False
            pause = min(pause * 2, LAST_PAUSE)

    def _write(self, batch: Batch) -> None:
        refused = self._write_all_but(batch)
        is_stored = len(refused or ()) < len(batch.tasks) + len(batch.workers)
        if is_stored:
            self._in_a_row = 0
        if refused is None:
            return
        own = [error for _, error in refused if not isinstance(error, DatabaseFault)]
        if own and not is_stored and self._in_a_row + len(own) > FEW:
            raise own[0]
        entries = [_refused(event, first_line(error)) for event, error in refused]
        for entry in entries:
            logger.error("An event that the database refuses becomes a dead letter: %s", entry.reason)
        self._store.write(Batch(dead_letters=[*batch.dead_letters, *entries], gaps=batch.gaps))
        self._refused = len(refused)
        if not is_stored:
            self._in_a_row += len(own)

    def _write_all_but(self, batch: Batch) -> list[tuple[Event, Exception]] | None:
        """Write the events that the database takes; those that it refuses, and why.

        None: it took the batch as it is. Else the dead letters and gaps of the batch are left to be written.
        """
        events = [*batch.tasks, *batch.workers]
        try:
            self._partitions.ensure(
                {to_datetime(day).date() for day in {e.ts - e.ts % DAY for e in batch.tasks}}
            )
            if batch:
                self._store.write(batch)
        except (*REFUSALS, OperationalError) as error:
            if not events or not _is_refusal(error):
                raise
            if len(events) == 1:
                return [(events[0], error)]
            half = len(events) // 2
            return [
                refused
                for part in (events[:half], events[half:])
                for refused in self._write_all_but(_part(batch, set(map(id, part)))) or ()
            ]
        return None


def _part(batch: Batch, wanted: set[int]) -> Batch:
    return Batch(
        [event for event in batch.tasks if id(event) in wanted],
        [event for event in batch.workers if id(event) in wanted],
    )


def _is_refusal(error: Exception) -> bool:
    """Whether it is about what is in an event. What is wrong with the database must not make dead letters of all."""
    state = getattr(error.__cause__, "sqlstate", None) or ""
    if isinstance(error, IntegrityError) and state:
        # Of a value PostgreSQL names the column or the constraint; where the log has no partition for it, neither.
        broken: Any = getattr(error.__cause__, "diag", None)
        return state != UNIQUE_VIOLATION and bool(broken and (broken.column_name or broken.constraint_name))
    return isinstance(error, REFUSALS) or state.startswith(LIMIT_EXCEEDED)


def _refused(event: Event, reason: str) -> DeadLetterEntry:
    return DeadLetterEntry(
        received_at=datetime.now(UTC),
        reason=f"refused by the database: {reason}",
        size=len(event.payload),
        digest=f"{event.tie:016x}",
        routing_key=event.type,
        has_come_before=True,  # who is to know: it is refused at each try, and by every consumer
    )
