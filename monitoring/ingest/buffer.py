"""What has been received from a broker that delivers nothing twice, until a batch has room for it."""

from __future__ import annotations

import logging
from collections import deque
from datetime import UTC, datetime

import kombu

from monitoring.ingest.reading import Reading
from monitoring.ingest.stores.contract import GapEntry

logger = logging.getLogger(__name__)

#: Bytes of memory that may be held for a database that does not keep up; the oldest messages go first beyond it.
MAX_BYTES = 64 * 1024 * 1024
#: What one of kombu's messages takes beside its body (measured: 2.5 kB).
_OVERHEAD = 3_000


class Buffer:
    """Bounded. It outlives connections, so that losing one does not lose what came over it."""

    def __init__(self, max_bytes: int | None = None) -> None:
        self._max_bytes = MAX_BYTES if max_bytes is None else max_bytes
        self._held: deque[tuple[kombu.Message, int, datetime]] = deque()
        self._bytes = 0
        self._dropped = 0
        self._dropped_from = self._dropped_to = datetime.min.replace(tzinfo=UTC)

    def __len__(self) -> int:
        return len(self._held)

    def add(self, message: kombu.Message) -> None:
        """Hold one message, and drop the oldest ones that there is no room for any more."""
        size = len(message.body or "") + _OVERHEAD
        self._held.append((message, size, datetime.now(UTC)))
        self._bytes += size
        while self._bytes > self._max_bytes and len(self._held) > 1:
            _, size, received_at = self._held.popleft()
            self._bytes -= size
            if not self._dropped:
                logger.warning("The oldest messages are dropped: the database does not keep up")
                self._dropped_from = received_at
            self._dropped += 1
            self._dropped_to = received_at

    def empty_into(self, reading: Reading) -> None:
        """Hand on, oldest first, as much as the batch has room for."""
        while self._held and not reading.is_full:
            message, size, _ = self._held.popleft()
            self._bytes -= size
            reading.add(message)

    def missed(self) -> GapEntry | None:
        """What has been dropped since the last call: when the first and the last of it were received."""
        if not self._dropped:
            return None
        reason = f"{self._dropped} messages were dropped, because the database did not keep up"
        self._dropped = 0
        return GapEntry(self._dropped_from, self._dropped_to, reason)
