"""The loop: read, decode, hand over, acknowledge, and come back after every fault."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import kombu
from django.db import Error as DatabaseFault
from django.db import connections

from monitoring.faults import first_line
from monitoring.ingest.buffer import Buffer
from monitoring.ingest.decoding import Decoder
from monitoring.ingest.events import Event
from monitoring.ingest.figures import Figures
from monitoring.ingest.gaps import GapWatch
from monitoring.ingest.reading import Reading
from monitoring.ingest.sources import EventSource
from monitoring.ingest.stores.columns import to_datetime, to_microseconds
from monitoring.ingest.stores.contract import Batch, Store
from monitoring.ingest.stream_time import StreamTime
from monitoring.ingest.text import storable
from monitoring.ingest.writer import LAST_TRY, Job, Writer

logger = logging.getLogger(__name__)

#: Seconds between two tries to reach the broker: doubled from the first to the last.
FIRST_PAUSE, LAST_PAUSE = 0.5, 15.0
#: Seconds that one look at the broker lasts at most, so that commits are acknowledged soon.
LONGEST_READ = 0.1
#: Seconds that a stopping consumer gives the database to take what has been read; it comes again otherwise.
LAST_WRITE = 10.0
#: Seconds more for a try that is under way then.
LAST_MOMENT = 1.0
#: Seconds between two heartbeats of the connection, and between two looks at the queue's length and the lease.
TICK, LOOK = 1.0, 5.0
#: How far behind a read that found nothing the horizon stays: what was sent just before it may be on its way.
MARGIN = timedelta(seconds=1)
#: Characters of an error that are reported: it may quote what somebody else sent.
LONGEST_ERROR = 2_000
#: Seconds after which a draining consumer believes that another one lives: a dead one's turn has ended by then.
LONGEST_TENURE = 30.0


class Turn(Protocol):
    """Says in a thread of its own which process may consume, where a broker gives every subscriber every event."""

    @property
    def has_it(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class TakenOver(ConnectionError):
    """The right to subscribe is another process' by now."""


class EventConsumer:
    """Consumes until :meth:`stop` is called, or until no task event has come for `drain_seconds`.

    Two threads: the caller's reads, decodes and acknowledges; the writer's writes. `make_source` gives a new connection
    to the broker each time, and `make_turn` a new contender for the right to subscribe. `on_workers` is told of the
    worker events of each committed batch, and `on_commit` of every batch, by the writer's thread, which it must not
    hold up.
    """

    def __init__(
        self,
        make_source: Callable[[], EventSource],
        decoder: Decoder,
        store: Store,
        using: str,
        *,
        batch_size: int,
        batch_seconds: float,
        make_turn: Callable[[], Turn],
        figures: Figures,
        drain_seconds: float | None = None,
        on_workers: Callable[[list[Event]], None] = lambda events: None,
        on_commit: Callable[[Batch], None] = lambda batch: None,
    ) -> None:
        self._make_source = make_source
        self._using = using
        self._batch_seconds = batch_seconds
        self._make_turn = make_turn
        self._turn: Turn | None = None
        self._figures = figures
        self._drain_seconds = drain_seconds
        self._on_workers = on_workers
        self._on_commit = on_commit
        self._stopping = threading.Event()
        self._committed: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._writer = Writer(store, using, self._has_committed, self._note_error)
        self._reading = Reading(decoder, figures, batch_size)
        self._buffer = Buffer()
        self._stream_time = StreamTime()
        #: Whether other consumers take some of the events, and up to when those of this one have been committed lately.
        self._is_shared = False
        self._reached: datetime | None = None
        self._gaps = GapWatch(using, self._reading, self._buffer, figures)
        self._generation = 0
        #: When a consumer that has been asked to stop leaves what is not written, by the monotonic clock.
        self._ends_at = 0.0
        self._ticked_at = self._looked_at = self._handed_over_at = 0.0

    def stop(self) -> None:
        """Finish the batch and leave :meth:`run`. Safe to call from a signal handler and from any thread."""
        self._stopping.set()

    def run(self) -> None:
        """Consume. Raises what ended the writer thread, should that ever happen, and `EventsNotCarried`."""
        self._writer.start()
        try:
            pause = FIRST_PAUSE
            while not self._stopping.is_set():
                source = self._make_source()
                faults: tuple[type[Exception], ...] = (*source.errors, DatabaseFault)
                fault: Exception | None = None
                taken, lasts_from = self._taken, float("inf")
                try:
                    if self._may_consume(source):
                        self._open(source)
                        lasts_from = time.monotonic() + LAST_PAUSE
                        self._consume(source)
                except Exception as error:
                    # What is no message at all makes drivers raise whatever comes: no reason to end, and lose what has
                    # been read.
                    if not isinstance(error, faults):
                        logger.exception("A fault in consuming")
                    fault = error
                    # That it could be opened is no success: what ends it at once may come first each time.
                    if self._taken > taken or time.monotonic() > lasts_from:
                        pause = FIRST_PAUSE
                    self._report(source, error, pause)
                finally:
                    self._hang_up(source)
                if fault is not None:
                    self._wait(pause)
                    pause = min(pause * 2, LAST_PAUSE)
            self._write_the_rest()
        finally:
            # A try that has had LAST_WRITE is not given as much once more.
            self._writer.stop(LAST_TRY if self._ends_at == 0.0 else LAST_MOMENT)
        if self._writer.failure is not None:
            raise self._writer.failure

    @property
    def _taken(self) -> int:
        """Messages taken from brokers so far, as far as there was room for them."""
        return self._reading.total_messages + len(self._buffer)

    def _report(self, source: EventSource, fault: Exception, pause: float) -> None:
        self._note_error(fault)
        # What was never reached cannot be lost, and neither the database nor another consumer takes a broker away.
        was_lost = isinstance(fault, source.errors) and not isinstance(fault, TakenOver)
        self._figures.reconnects += self._figures.connected and was_lost
        what = "Database" if isinstance(fault, DatabaseFault) else f"Broker {source}"
        logger.error("%s: %s. Next try in %.1f s.", what, first_line(fault), pause)

    def _may_consume(self, source: EventSource) -> bool:
        """Whether this process may consume; waits where another one does, a draining one not for ever."""
        if source.is_durable:
            return True
        self._turn = self._make_turn()
        self._turn.start()
        begun = time.monotonic()
        is_said = False
        while not self._turn.has_it:
            waited = time.monotonic() - begun
            if waited > LOOK and not is_said:
                is_said = True
                logger.info("Another consumer reads from %s; standing by", source)
            if self._drain_seconds is not None and waited > max(self._drain_seconds, LONGEST_TENURE):
                logger.info("Another consumer reads from %s; there is nothing to drain", source)
                self.stop()
            if self._stopping.wait(LONGEST_READ):
                return False
        return True

    def _open(self, source: EventSource) -> None:
        try:
            self._gaps.opening(source)
        finally:
            # It is needed again after the next fault only, and would be dead by then if the database has restarted.
            connections[self._using].close()
        self._is_shared = source.is_durable
        source.open(self._reading.add if source.is_durable else self._hold)
        logger.info("Consuming from %s", source)
        self._figures.broker, self._figures.connected = str(source), True
        self._gaps.opened(source)
        # Connecting may have taken longer than the silence that ends a drain.
        self._reading.task_event_at = time.monotonic()

    def _hold(self, message: kombu.Message) -> None:
        """Take a message that comes only once. One read may bring such without end, so what waits is handed over."""
        self._buffer.add(message)
        if time.monotonic() - self._handed_over_at > LONGEST_READ:
            self._figures.listening_until = datetime.now(UTC)
            self._hand_over()
            self._count_committed()

    def _consume(self, source: EventSource) -> None:
        """Read until there is a reason to stop; then write and acknowledge what has been read."""
        while not self._stopping.is_set():
            if source.is_durable and self._reading.is_full:
                source.hold()
                if not self._writer.is_idle:
                    self._writer.prepare(self._reading.batch)
                self._writer.wait(LONGEST_READ)
            else:
                self._read(source)
            self._acknowledge(source)
            self._hand_over()
            self._keep_going(source)
            if self._is_drained(source):
                self.stop()
        self._gaps.closed()
        self._write_the_rest()
        self._acknowledge(source)

    def _read(self, source: EventSource) -> None:
        """Wait for what comes next, and take some more with it that has come already."""
        begun = datetime.now(UTC)
        if not source.read(self._patience()):
            self._found_nothing(source, begun)
            return
        if source.is_durable:
            source.read_more(lambda: self._reading.is_full)

    def _hand_over(self) -> None:
        """Give the writer what has been read, if it is time and the writer has nothing to do."""
        self._handed_over_at = time.monotonic()
        self._buffer.empty_into(self._reading)
        if not self._writer.is_idle:
            return
        if self._writer.failure is not None:
            self.stop()  # nobody would take another batch
            return
        # Only now, so that it is one gap however long the database has not kept up.
        self._gaps.look_for_dropped()
        if self._reading.has_any and self._is_due:
            self._writer.submit(self._reading.take(self._generation))

    def _write_the_rest(self) -> None:
        """Write what has been read, as far as the database takes it in time."""
        self._ends_at = self._ends_at or time.monotonic() + LAST_WRITE
        while self._writer.wait(max(0.0, self._ends_at - time.monotonic())) and self._writer.failure is None:
            self._buffer.empty_into(self._reading)
            self._gaps.look_for_dropped()
            if not self._reading.has_any:
                return
            self._writer.submit(self._reading.take(self._generation))

    def _wait(self, seconds: float) -> None:
        """Let time pass without a connection to the broker; what has been read before is written meanwhile."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._stopping.wait(LONGEST_READ):
            self._hand_over()
            self._count_committed()

    def _keep_going(self, source: EventSource) -> None:
        """What is done once a second, and every few seconds."""
        now = time.monotonic()
        if now - self._ticked_at >= TICK:
            self._ticked_at = now
            source.keep_alive()
            self._figures.listening_until = datetime.now(UTC)
        if now - self._looked_at >= LOOK:
            self._looked_at = now
            self._look(source)

    def _look(self, source: EventSource) -> None:
        self._figures.queue_length = source.waiting()
        self._gaps.look(source, self._figures.queue_length)
        if self._turn is not None and not self._turn.has_it:
            raise TakenOver("another consumer has taken over")

    @property
    def _is_due(self) -> bool:
        return self._reading.is_full or self._reading.age >= self._batch_seconds

    def _patience(self) -> float:
        """Seconds to wait for the next message: short while a batch waits to be handed over."""
        if not self._reading.has_any or not self._writer.is_idle:
            return LONGEST_READ
        return min(LONGEST_READ, max(0.001, self._batch_seconds - self._reading.age))

    def _is_drained(self, source: EventSource) -> bool:
        """Whether ``--drain`` was asked for, and everything but the last heartbeats has been read and committed."""
        if (
            self._drain_seconds is None
            or time.monotonic() - self._reading.task_event_at < self._drain_seconds
        ):
            return False
        if self._has_work or not source.is_empty():
            return False
        # What the broker has handed out by then may be on its way still.
        source.read(LONGEST_READ)
        self._buffer.empty_into(self._reading)
        return not self._has_work

    @property
    def _has_work(self) -> bool:
        """Whether anything but heartbeats has been read and is not committed."""
        batch = self._reading.batch
        has_any = bool(batch.tasks or batch.dead_letters or batch.gaps or self._buffer)
        return has_any or not self._writer.is_idle

    def _found_nothing(self, source: EventSource, read_at: datetime) -> None:
        """A read came back empty: if nothing is on its way to the database, all up to then is committed."""
        if self._reading.has_any or self._buffer:
            return
        if self._writer.is_idle and self._committed.empty():
            self._advance_horizon(source.settled_until(read_at) - MARGIN)

    def _has_committed(self, job: Job) -> None:
        self._committed.put(job)
        self._on_commit(job.batch)

    def _acknowledge(self, source: EventSource) -> None:
        """Acknowledge what has been committed, as far as it came over this connection."""
        for job in self._count_committed():
            if job.generation == self._generation:
                source.acknowledge(job.delivery_tags)
        if self._reached is not None:
            # What another consumer holds, or held when it was killed, may be older than what has come.
            self._advance_horizon(source.settled_until(self._reached))
            self._reached = None

    def _count_committed(self) -> list[Job]:
        """The jobs that have been committed since the last call."""
        jobs = []
        while not self._committed.empty():
            job = self._committed.get()
            jobs.append(job)
            self._count(job)
            if job.batch.workers:
                self._on_workers(job.batch.workers)
        return jobs

    def _count(self, job: Job) -> None:
        figures, batch = self._figures, job.batch
        events = len(batch.tasks) + len(batch.workers)
        figures.events += events - job.refused
        figures.batches += 1
        figures.dead_letters += len(batch.dead_letters) + job.refused
        figures.gaps += len(batch.gaps)
        figures.batch_seconds = job.seconds
        if events:
            now = datetime.now(UTC)
            reached = self._stream_time.reached(
                batch.tasks, batch.workers, to_microseconds(now), time.monotonic()
            )
            if reached is not None:
                newest = to_datetime(reached)
                figures.last_event_at = max(figures.last_event_at or newest, newest)
                figures.lag = (now - newest).total_seconds()
                if self._is_shared:
                    self._reached = newest
                else:
                    self._advance_horizon(newest)

    def _advance_horizon(self, moment: datetime) -> None:
        if self._figures.horizon is None or moment > self._figures.horizon:
            self._figures.horizon = moment

    def _note_error(self, error: Exception) -> None:
        self._figures.last_error = storable(first_line(error), LONGEST_ERROR)
        self._figures.last_error_at = datetime.now(UTC)

    def _hang_up(self, source: EventSource) -> None:
        source.close()
        self._generation += 1
        self._reading.forget_deliveries()
        self._figures.connected = False
        if self._turn is not None:
            self._turn.stop()
            self._turn = None
