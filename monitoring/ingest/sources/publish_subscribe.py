"""Brokers that carry events by publish/subscribe and keep none: Redis, Valkey, and whatever else kombu can do it with.

Each subscriber gets every event, and a server cuts off a subscriber that does not read (Redis: at 32 MB). So the
consumer always reads from this source, into ``monitoring.ingest.buffer`` while the database is busy.
"""

from __future__ import annotations

from typing import Any

import kombu
from celery.events.event import get_exchange

from monitoring.ingest.sources.contract import EventSource, OnMessage

#: Messages that one read takes at most, where the transport hands them out one by one.
_BURST = 100


class PublishSubscribeSource(EventSource):
    is_durable = False

    def consume(self, on_message: OnMessage) -> None:
        queue = kombu.Queue(
            self.options.queue,
            exchange=get_exchange(self.connection, name=self.app.conf.event_exchange),
            routing_key="#",
            durable=False,
            auto_delete=True,
        )
        kombu.Consumer(
            self.channel,
            [queue],
            on_message=on_message,
            # What is not compressed as its header says comes as it is: a dead letter, not the end of the consumer.
            on_decode_error=lambda message, error: on_message(message),
            accept=["json"],
            no_ack=True,
        ).consume()

    def read(self, timeout: float) -> bool:
        if not super().read(timeout):
            return False
        for _ in range(_BURST):
            if not super().read(0):
                break
        return True

    def acknowledge(self, delivery_tags: list[Any]) -> None:
        """Nothing to do: publish/subscribe has nothing to forget."""
