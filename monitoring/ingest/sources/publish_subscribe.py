"""Brokers that carry events by publish/subscribe and keep none: Redis, Valkey, and whatever else kombu can do it with.

Each subscriber gets every event, and a server cuts off a subscriber that does not read (Redis: at 32 MB). So the
consumer always reads from this source, into ``monitoring.ingest.buffer`` while the database is busy.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import celery
import kombu
from celery.events.event import get_exchange

from monitoring.ingest.sources.contract import ANSWER, HEARTBEAT, EventSource, OnMessage, SourceOptions
from monitoring.ingest.sources.envelopes import hear_anything

#: Messages that one read takes at most, where the transport hands them out one by one.
_BURST = 100


class PublishSubscribeSource(EventSource):
    is_durable = False

    def __init__(self, app: celery.Celery, options: SourceOptions) -> None:
        super().__init__(app, options)
        #: The subscription of kombu's transport for Redis and Valkey; no other can be asked anything.
        self._subscription: Any = None
        #: When the server was asked for a sign of life, and when it was so that it has answered.
        self._asked_at: datetime | None = None
        self._answered_at = datetime.now(UTC)
        #: When it was asked, or was last heard, by the monotonic clock.
        self._heard = 0.0

    def connect(self, heartbeat: int | None = HEARTBEAT, **options: Any) -> kombu.Connection:
        with self.app.connection_for_read() as connection:
            if connection.transport.driver_type == "redis":
                self.patience = "socket_timeout"
        return super().connect(heartbeat, **options)

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
        self._subscription = getattr(self.channel, "subclient", None)
        if self._subscription is not None:
            hear_anything(self.channel)
        self._answered_at = datetime.now(UTC)

    def read(self, timeout: float) -> bool:
        if not super().read(timeout):
            return False
        for _ in range(_BURST):
            if not super().read(0):
                break
        self._heard = time.monotonic()
        return True

    def acknowledge(self, delivery_tags: list[Any]) -> None:
        """Nothing to do: publish/subscribe has nothing to forget."""

    def keep_alive(self) -> None:
        """Ask for a sign of life: who only listens cannot tell a server that has died from one with nothing to say."""
        super().keep_alive()
        if self._subscription is None or self._subscription.connection is None:
            return
        self._look_for_answer()
        if self._asked_at is None:
            # As redis-py does itself, which takes the answer out of the stream of messages and counts.
            ping = self._subscription.HEALTH_CHECK_MESSAGE
            self._subscription.connection.send_command("PING", ping, check_health=False)
            self._subscription.health_check_response_counter += 1
            self._asked_at, self._heard = datetime.now(UTC), time.monotonic()
        elif time.monotonic() - self._heard > ANSWER:
            raise ConnectionError(f"no sign of life for {ANSWER} s")

    def settled_until(self, moment: datetime) -> datetime:
        # The answer comes behind all that was published before the question was there.
        self._look_for_answer()
        return moment if self._subscription is None else min(moment, self._answered_at)

    def _look_for_answer(self) -> None:
        if self._asked_at is not None and not self._subscription.health_check_response_counter:
            self._answered_at, self._asked_at = self._asked_at, None
