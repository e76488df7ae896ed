"""RabbitMQ: a durable quorum queue that every consumer shares.

Celery's own EventReceiver reads without acknowledgement from a queue that drops what is older than five seconds.
"""

from __future__ import annotations

import dataclasses
import logging
import re
import time
from collections.abc import Callable
from typing import Any

import amqp.exceptions
import celery
import kombu
from celery.events.event import get_exchange

from monitoring.ingest.sources.contract import BRIEFLY, BURST, NO_CAP, EventSource, OnMessage, SourceOptions
from monitoring.ingest.sources.read_ahead import read_ahead
from monitoring.ingest.sources.unreadable_frames import hand_over_unreadable

logger = logging.getLogger(__name__)

#: RabbitMQ 4 drops a message after 20 deliveries by default, which a crash loop would reach; this is as good as never.
DELIVERY_LIMIT = 2_000_000_000
#: Seconds that taking leave of the broker may last, which sees to acknowledgements on their way whether it ends or not.
FAREWELL = 3.0
#: How RabbitMQ says which argument of a queue is another one, and what it is: of numbers in two ways.
_OTHER = re.compile(r"arg '(x-[a-z-]+)' .* but current is (?:none|(?:the value )?'([^']*)')", re.DOTALL)
#: AMQP has 16 bits for it.
MAX_PREFETCH = 65_535


class RabbitMQSource(EventSource):
    is_durable = True
    patience = "read_timeout"

    def __init__(self, app: celery.Celery, options: SourceOptions) -> None:
        super().__init__(app, options)
        # An answer on the connection that consumes stands behind every delivery on its way, which would have to be
        # taken first, batch or no batch: up to `prefetch` messages, each of up to 24 events.
        self._questions = self.connect(heartbeat=None)  # nobody would send any
        self._is_held = False
        self._is_silent = False

    def consume(self, on_message: OnMessage) -> None:
        amqp_connection: Any = self.connection.connection
        read_ahead(amqp_connection.transport)
        hand_over_unreadable(amqp_connection, self.channel)
        kombu.Consumer(
            self.channel,
            [self._queue(no_declare=True)],
            on_message=on_message,
            # What is not compressed as its header says comes as it is: a dead letter, not the end of the consumer.
            on_decode_error=lambda message, error: on_message(message),
            accept=["json"],
            prefetch_count=min(self.options.prefetch, MAX_PREFETCH),
        ).consume()

    def declare(self) -> None:
        """Make the queue and bind it to the event exchange.

        A queue that exists with other arguments is used as it is: to declare it would fail at each start.
        """
        self.is_new = not self._exists()
        try:
            self._queue()(self.channel).declare()
        except amqp.exceptions.PreconditionFailed as error:
            logger.warning(
                "Queue %s exists with other arguments and is used as it is: %s. To change it, stop all consumers, "
                "let one drain it, delete it, and start them again.",
                self.options.queue,
                error.reply_text,
            )
            self._learn_caps(error.reply_text)
            queue = self._queue()(self.channel)
            queue.exchange(self.channel).declare()
            queue.queue_declare(passive=True)
            queue.queue_bind()

    def _exists(self) -> bool:
        # On a channel of its own: the broker closes it with its refusal.
        channel: Any = self.connection.channel()
        try:
            channel.queue_declare(self.options.queue, passive=True)
        except amqp.exceptions.NotFound:
            return False
        channel.close()
        return True

    def _learn_caps(self, refusal: str | None) -> None:
        """Find out at which length the queue drops events. The broker names one argument with each refusal."""
        caps = {"x-max-length": self.options.max_length, "x-max-length-bytes": self.options.max_bytes}
        arguments = self._arguments()
        named: set[str] = set()
        while (found := _OTHER.search(refusal or "")) and found[1] not in named:
            name, value = found.groups()
            named.add(name)
            arguments.pop(name, None)
            if value is not None:
                arguments[name] = int(value) if value.isdecimal() else value
            if name in caps:
                caps[name] = arguments.get(name, NO_CAP)
            self.channel = self.connection.channel()  # the broker closes one with each refusal
            try:
                self.channel.queue_declare(
                    self.options.queue, durable=True, auto_delete=False, arguments=arguments
                )
                break
            except amqp.exceptions.PreconditionFailed as error:
                refusal = error.reply_text
        else:
            self.channel = self.connection.channel()
        max_length, max_bytes = caps.values()
        self.options = dataclasses.replace(self.options, max_length=max_length, max_bytes=max_bytes)

    def _queue(self, **options: Any) -> kombu.Queue:
        return kombu.Queue(
            self.options.queue,
            exchange=get_exchange(self.connection, name=self.app.conf.event_exchange),
            routing_key="#",
            durable=True,
            auto_delete=False,
            queue_arguments=self._arguments(),
            **options,
        )

    def _arguments(self) -> dict[str, Any]:
        return {
            "x-queue-type": "quorum",  # a durable classic queue loses transient messages when the broker restarts
            "x-max-length": self.options.max_length,
            "x-max-length-bytes": self.options.max_bytes,
            "x-overflow": "drop-head",
            "x-delivery-limit": DELIVERY_LIMIT,
        }

    def acknowledge(self, delivery_tags: list[Any]) -> None:
        if delivery_tags:
            self.channel.basic_ack(delivery_tags[-1], multiple=True)

    def waiting(self) -> int:
        try:
            channel: Any = self._questions.channel()
            count = int(channel.queue_declare(self.options.queue, passive=True).message_count)
            channel.close()
        except TimeoutError:
            self._is_silent = True
            raise
        return count

    def read(self, timeout: float) -> bool:
        self._is_held = False
        return super().read(timeout)

    def read_more(self, is_enough: Callable[[], bool]) -> None:
        amqp_connection: Any = self.connection.connection
        # Once for all: to set the timeout of a socket, and to set it back, are two system calls.
        with amqp_connection.transport.having_timeout(BRIEFLY):
            for _ in range(BURST):
                if is_enough():
                    return
                try:
                    amqp_connection.drain_events(timeout=BRIEFLY)
                except TimeoutError:
                    return

    def hold(self) -> None:
        self._is_held = True

    def keep_alive(self) -> None:
        if not self._is_held:
            super().keep_alive()
            return
        # The broker's heartbeats wait unread behind its deliveries: it has not gone away, but must not think so of us.
        amqp_connection: Any = self.connection.connection
        amqp_connection.send_heartbeat()

    def close(self) -> None:
        self._ignore_deliveries()
        if self._is_silent:
            for connection in (self.connection, self._questions):
                if connection.connected:
                    amqp_connection: Any = connection.connection
                    amqp_connection.collect()  # to take leave of the broker would be to wait for one more answer
        super().close()
        try:
            self._questions.release()
        except Exception as error:
            logger.debug("While hanging up: %s", error)

    def _ignore_deliveries(self) -> None:
        """Take nothing more: all that the broker has handed out in advance stands before its answer to a farewell.

        That may be :attr:`SourceOptions.prefetch` messages, more than fits in memory or into a transaction, and none of
        them could be acknowledged any more. It delivers them again.
        """
        until = time.monotonic() + FAREWELL

        def ignore(message: kombu.Message) -> None:
            if time.monotonic() > until:
                raise TimeoutError("what was handed out in advance takes too long to come")

        if self.channel is not None:
            self.channel.callbacks.update(dict.fromkeys(self.channel.callbacks, ignore))
