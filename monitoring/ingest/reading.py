"""The batch that is being read."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Any

import kombu

from monitoring.ingest.decoding import Decoder
from monitoring.ingest.events import Undecodable
from monitoring.ingest.figures import Figures
from monitoring.ingest.stores.columns import to_datetime
from monitoring.ingest.stores.contract import Batch, DeadLetterEntry, GapEntry
from monitoring.ingest.worker_samples import note_delays
from monitoring.ingest.writer import Job

logger = logging.getLogger(__name__)

#: Bytes of message bodies in one batch at most: bounds the memory, however large the events.
MAX_BATCH_BYTES = 16 * 1024 * 1024


class Reading:
    """Collects what messages hold until the writer takes it."""

    def __init__(self, decoder: Decoder, figures: Figures, batch_size: int) -> None:
        self._decoder = decoder
        self._figures = figures
        self._batch_size = batch_size
        #: When the last task event came, by the monotonic clock.
        self.task_event_at = time.monotonic()
        #: Bytes and messages so far, for the mean size of a message.
        self.total_bytes = self.total_messages = 0
        self._begin()

    def _begin(self) -> None:
        self.batch = Batch()
        self._bytes = 0
        self._begun_at = 0.0
        self._delivery_tags: list[Any] = []

    @property
    def has_any(self) -> bool:
        return bool(self._delivery_tags) or len(self.batch) > 0

    @property
    def is_full(self) -> bool:
        return len(self.batch) >= self._batch_size or self._bytes >= MAX_BATCH_BYTES

    @property
    def age(self) -> float:
        """Seconds since the first of what waits was read; 0 while nothing does."""
        return time.monotonic() - self._begun_at if self.has_any else 0.0

    @property
    def newest(self) -> datetime:
        """The time of the newest event, or now where no event has been read. A clock may be ahead, but never this."""
        now = datetime.now(UTC)
        events = (*self.batch.tasks, *self.batch.workers)
        return min(now, to_datetime(max(event.ts for event in events))) if events else now

    def add(self, message: kombu.Message) -> None:
        """Decode one message. Never raises for what is in it."""
        now = time.monotonic()
        if not self.has_any:
            self._begun_at = now
        self._delivery_tags.append(message.delivery_tag)
        raw: Any = message.body
        if isinstance(raw, bytearray | memoryview):
            raw = bytes(raw)
        # Some transports take whatever JSON is for a body.
        body: bytes | str = raw if isinstance(raw, bytes | str) else str(raw or "")
        self._bytes += len(body)
        self.total_bytes += len(body)
        self.total_messages += 1
        decoded = self._decoder.decode(body, message.content_type)
        if decoded.tasks:
            self.task_event_at = now
            self.batch.tasks += decoded.tasks
            self.batch.prepared = None
        if decoded.workers:
            note_delays(decoded.workers, self._figures.horizon, datetime.now(UTC))
            self.batch.workers += decoded.workers
        self._figures.dropped += decoded.dropped
        for undecodable in decoded.undecodable:
            logger.warning("Dead letter: %s (%d bytes)", undecodable.reason, undecodable.size)
            self.batch.dead_letters.append(self._dead_letter(undecodable, message))

    def add_gap(self, gap: GapEntry) -> None:
        logger.warning("Gap from %s to %s: %s", gap.started_at, gap.ended_at, gap.reason)
        if not self.has_any:
            self._begun_at = time.monotonic()
        self.batch.gaps.append(gap)

    def take(self, generation: int) -> Job:
        """What has been read; reading goes on with nothing."""
        job = Job(self.batch, self._delivery_tags, generation)
        self._begin()
        return job

    def forget_deliveries(self) -> None:
        """The connection is gone. What came over it stays: publish/subscribe does not deliver it again."""
        self._delivery_tags = []

    def _dead_letter(self, undecodable: Undecodable, message: kombu.Message) -> DeadLetterEntry:
        delivery: Any = message.delivery_info if isinstance(message.delivery_info, dict) else {}
        try:
            described = self._decoder.describe(
                {
                    "content_type": message.content_type or "",
                    "routing_key": delivery.get("routing_key") or "",
                    "headers": message.headers or {},
                }
            )
        except Exception:  # what cannot be described is a dead letter all the same
            logger.exception("A fault in describing a dead letter")
            described = {}
        return DeadLetterEntry(
            datetime.now(UTC),
            undecodable.reason,
            undecodable.size,
            undecodable.digest,
            has_come_before=bool(delivery.get("redelivered")),
            **described,
        )
