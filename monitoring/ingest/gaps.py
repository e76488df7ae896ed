"""Stretches of time in which events may have been lost before they reached us."""

from __future__ import annotations

from datetime import UTC, datetime

from monitoring.ingest.buffer import Buffer
from monitoring.ingest.figures import Figures
from monitoring.ingest.health import committed_until, listened_until
from monitoring.ingest.reading import Reading
from monitoring.ingest.sources import EventSource
from monitoring.ingest.stores.contract import GapEntry

#: How near to its cap a queue counts as full. The broker says how many messages wait, not how large they are; and while
#: it drops the oldest, consumers take some out.
NEARLY = 0.95


class GapWatch:
    """Adds gaps to the batch that is being read, so that they are committed with what surrounds them."""

    def __init__(self, using: str, reading: Reading, buffer: Buffer, figures: Figures) -> None:
        self._using = using
        self._reading = reading
        self._buffer = buffer
        self._figures = figures
        self._since: datetime | None = None
        #: When the queue was found with so many messages, until their mean size is known.
        self._found: tuple[datetime, int] | None = None
        #: The newest event that was committed when the queue was last seen below its cap.
        self._reached: datetime | None = None
        #: The same while it is at its cap, and until all has been read that it may have been handed out before.
        self._full_since: datetime | None = None
        #: How many messages have been read by then; None while it is at its cap.
        self._read_by_then: int | None = None

    def opening(self, source: EventSource) -> None:
        """A connection is about to be made: since when might something have been missed?

        Raises ``django.db.Error``. Asked now, because a subscriber must not wait for a database.
        """
        if not source.is_durable:
            self._since = listened_until(self._using)
        else:
            self._since = self._figures.last_event_at or committed_until(self._using)

    def opened(self, source: EventSource) -> None:
        """A connection has just been made: was anything missed before it?"""
        now = datetime.now(UTC)
        if source.is_durable:
            self._reached = self._since
            # What had been handed out comes once more.
            self._read_by_then = None
            self._found = (now, source.found) if source.found else None
            self._judge(source)
            if source.is_new and self._since is not None:
                reason = "the event queue was not there, so nothing has kept what was sent meanwhile"
                self._reading.add_gap(GapEntry(min(self._since, now), now, reason))
        elif self._since is not None:
            reason = "no consumer was connected, and this broker keeps no events meanwhile"
            self._reading.add_gap(GapEntry(min(self._since, now), now, reason))

    def look(self, source: EventSource, waiting: int | None) -> None:
        """A few seconds have passed, and so many messages wait."""
        self._judge(source)
        if self._is_full(source, waiting):
            # The broker drops the oldest, so what is missing begins behind all that it has handed out, which it may
            # have done at any time since the last look.
            newest = self._figures.last_event_at or datetime.now(UTC)
            self._full_since = self._full_since or self._reached or newest
            self._read_by_then = None
        elif not waiting:
            self.closed()
        elif self._read_by_then is None:
            self._read_by_then = self._reading.total_messages + source.options.prefetch
        self._reached = self._figures.last_event_at or self._reached

    def look_for_dropped(self) -> None:
        """Has the buffer, or the broker, dropped something? To be asked when a batch is about to be written."""
        if (missed := self._buffer.missed()) is not None:
            self._reading.add_gap(missed)
        if self._read_by_then is not None and self._reading.total_messages > self._read_by_then:
            self._end(self._reading.newest)

    def closed(self) -> None:
        """Nothing more can be said of a queue that was at its cap a moment ago."""
        self._end(datetime.now(UTC))

    def _end(self, moment: datetime) -> None:
        """What the broker has dropped was sent before `moment`."""
        if self._full_since is not None:
            reason = "the event queue was at its cap, so the broker dropped the oldest events"
            self._reading.add_gap(GapEntry(self._full_since, max(self._full_since, moment), reason))
        self._full_since = self._read_by_then = None

    def _judge(self, source: EventSource) -> None:
        """Was the queue at its cap when it was found?"""
        if self._found is None:
            return
        found_at, waiting = self._found
        if self._is_full(source, waiting):
            reason = "the event queue had reached its cap, so the broker may have dropped the oldest events"
            self._reading.add_gap(GapEntry(min(self._since or found_at, found_at), found_at, reason))
            self._found = None
        elif self._reading.total_messages:
            self._found = None

    def _is_full(self, source: EventSource, waiting: int | None) -> bool:
        if not waiting:
            return False
        options = source.options
        if waiting >= NEARLY * options.max_length:
            return True
        reading = self._reading
        mean = reading.total_bytes / reading.total_messages if reading.total_messages else 0.0
        return waiting * mean >= NEARLY * options.max_bytes
