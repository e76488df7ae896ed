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

    def connect(self) -> kombu.Connection:
        # kombu keeps what is not acknowledged in keys that all of a Redis database share. With a short visibility
        # timeout on the shared keys, the watched app's own running and ETA tasks would be delivered once more.
        prefix = self.options.queue
        self._unacked_index = f"{prefix}.unacked_index"
        connection: kombu.Connection = self.app.connection_for_read(
            heartbeat=HEARTBEAT,
            transport_options={
                "visibility_timeout": VISIBILITY_TIMEOUT,
                "unacked_key": f"{prefix}.unacked",
                "unacked_index_key": self._unacked_index,
                "unacked_mutex_key": f"{prefix}.unacked_mutex",
            },
        )
        return connection

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

    def acknowledge(self, delivery_tags: list[Any]) -> None:
        # kombu's Redis transport ignores `multiple`: what is not acknowledged by itself comes back for ever.
        for tag in delivery_tags:
            self.channel.basic_ack(tag)

    def waiting(self) -> int:
        # Not the channel's own connection: that one is blocked in BRPOP.
        with self.channel.conn_or_acquire() as client:
            return int(client.llen(self.options.queue))

    def settled_until(self, moment: datetime) -> datetime:
        # What another consumer holds, or held when it was killed, is in no list until it is delivered again.
        with self.channel.conn_or_acquire() as client:
            oldest = client.zrange(self._unacked_index, 0, 0, withscores=True)
        return min([moment, *(datetime.fromtimestamp(given_at, UTC) for _, given_at in oldest)])
