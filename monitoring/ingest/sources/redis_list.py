"""Redis or Valkey where the watched app uses ``monitoring.celery.DurableEvents``: an acknowledged list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import kombu

from monitoring.ingest.sources.contract import HEARTBEAT, EventSource, OnMessage

#: Seconds after which what a dead consumer held is delivered again.
VISIBILITY_TIMEOUT = 60


class RedisListSource(EventSource):
    """Reads the list that every process of the watched app publishes to, in addition to publish/subscribe."""

    is_durable = True
    patience = "socket_timeout"
    #: As :meth:`_oldest_held` said when it was last asked.
    _held_since: datetime | None = None

    def connect(self, heartbeat: int | None = HEARTBEAT, **options: Any) -> kombu.Connection:
        # kombu keeps what is not acknowledged in keys that all of a Redis database share. With a short visibility
        # timeout on the shared keys, the watched app's own running and ETA tasks would be delivered once more.
        prefix = self.options.queue
        self._unacked_index = f"{prefix}.unacked_index"
        return super().connect(
            heartbeat,
            visibility_timeout=VISIBILITY_TIMEOUT,
            unacked_key=f"{prefix}.unacked",
            unacked_index_key=self._unacked_index,
            unacked_mutex_key=f"{prefix}.unacked_mutex",
            **options,
        )

    def consume(self, on_message: OnMessage) -> None:
        queue = kombu.Queue(self.options.queue, exchange=kombu.Exchange(""), routing_key=self.options.queue)
        kombu.Consumer(
            self.channel,
            [queue],
            on_message=on_message,
            # What is not compressed as its header says comes as it is: a dead letter, not the end of the consumer.
            on_decode_error=lambda message, error: on_message(message),
            accept=["json"],
            prefetch_count=self.options.prefetch,
        ).consume()
        self._held_since = self._oldest_held()

    def acknowledge(self, delivery_tags: list[Any]) -> None:
        # kombu's Redis transport ignores `multiple`: what is not acknowledged by itself comes back for ever.
        for tag in delivery_tags:
            self.channel.basic_ack(tag)

    def waiting(self) -> int:
        # Not the channel's own connection: that one is blocked in BRPOP.
        with self.channel.conn_or_acquire() as client:
            return int(client.llen(self.options.queue))

    def settled_until(self, moment: datetime) -> datetime:
        # What another consumer holds, or held when it was killed, is in no list until it is delivered again. A read
        # that found nothing may have put it back there itself, so what was held before that read counts as well.
        before, self._held_since = self._held_since, self._oldest_held()
        return min(held for held in (moment, before, self._held_since) if held is not None)

    def _oldest_held(self) -> datetime | None:
        """When the oldest of the messages that some consumer holds was given to it; None where none is held."""
        with self.channel.conn_or_acquire() as client:
            oldest = client.zrange(self._unacked_index, 0, 0, withscores=True)
        return datetime.fromtimestamp(oldest[0][1], UTC) if oldest else None
