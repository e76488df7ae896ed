"""The event queue as the consumer declares it, before, beside and behind a consumer."""

from __future__ import annotations

import time

import celery

from bench import servers
from monitoring.conf import MonitoringSettings
from monitoring.ingest.sources.contract import SourceOptions
from monitoring.ingest.sources.rabbitmq import RabbitMQSource

NAME = MonitoringSettings.QUEUE_NAME
#: Messages that a reader is given before it must acknowledge: as many as the consumer asks for.
PREFETCH = 2 * MonitoringSettings.BATCH_SIZE


def make_source(broker_url: str) -> RabbitMQSource:
    """A source on the consumer's own queue, with the arguments that the consumer declares it with."""
    return RabbitMQSource(
        celery.Celery(broker=broker_url, set_as_current=False),
        SourceOptions(
            NAME,
            max_length=MonitoringSettings.QUEUE_MAX_LENGTH,
            max_bytes=MonitoringSettings.QUEUE_MAX_BYTES,
            prefetch=PREFETCH,
        ),
    )


def declare(broker_url: str) -> None:
    """Make the queue, so that what is published waits in it."""
    source = make_source(broker_url)
    try:
        source.connection.connect()
        source.channel = source.connection.channel()
        source.declare()
    finally:
        source.close()


def delete(broker_url: str) -> None:
    with servers.connect(broker_url) as connection, connection.channel() as channel:
        channel.queue_delete(NAME)


def wait_for_length(broker_url: str, messages: int, seconds: float = 60) -> None:
    """Wait until so many messages are ready in the queue. Raises RuntimeError after `seconds` without one more."""
    deadline, found = time.monotonic() + seconds, -1
    with servers.connect(broker_url) as connection, connection.channel() as channel:
        while (length := channel.queue_declare(NAME, passive=True).message_count) < messages:
            if length > found:
                deadline, found = time.monotonic() + seconds, length
            if time.monotonic() > deadline:
                raise RuntimeError(f"{length:,} of {messages:,} messages have come into the queue")
            time.sleep(0.1)
