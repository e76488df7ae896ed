"""RabbitMQ over AMQP alone: a passive declaration says how many messages are ready, and how many consume."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import kombu
from amqp.exceptions import NotFound, ResourceLocked

from ..control.connecting import broken_off, faults, unreachable
from .contract import BrokerAdapter, BrokerReading, QueueReading

#: UTF-8 bytes of the longest name that AMQP can say (a short string). What events name may be longer: no queue is.
LONGEST_NAME = 255


class PassiveAdapter(BrokerAdapter):
    supports_consumers = True
    #: Why no better adapter is used, where that is no choice.
    problem = ""

    def read(self, names: Collection[str], seconds: float) -> BrokerReading:
        """Cost: one round trip for each queue, one more channel for each that does not exist."""
        with self.connect(seconds) as connection:
            try:
                queues = {name: self._queue(connection, name) for name in names}
                properties: Any = getattr(connection.connection, "server_properties", {}) or {}
            except faults(connection) as error:
                raise unreachable(error) from error
        return BrokerReading(
            str(properties.get("product") or "RabbitMQ"),
            str(properties.get("version") or ""),
            problem=self.problem,
            queues=queues,
        )

    def purge(self, name: str, seconds: float) -> int:
        if not _can_be_said(name):
            raise LookupError(name)
        with self.connect(seconds) as connection:
            try:
                channel: Any = connection.channel()
                return int(channel.queue_purge(name) or 0)
            except NotFound as error:
                raise LookupError(name) from error
            except faults(connection) as error:
                raise broken_off(connection, error) from error

    def _queue(self, connection: kombu.Connection, name: str) -> QueueReading:
        if not _can_be_said(name):
            return QueueReading(name, exists=False)
        # A refused declaration closes its channel.
        channel: Any = connection.channel()
        try:
            declared = channel.queue_declare(name, passive=True)
        except NotFound:
            return QueueReading(name, exists=False)
        except ResourceLocked:  # somebody's exclusive queue
            return QueueReading(name, is_internal=True)
        channel.close()
        return QueueReading(name, ready=declared.message_count, consumers=declared.consumer_count)


def _can_be_said(name: str) -> bool:
    return len(name.encode()) <= LONGEST_NAME
