"""A connection to the broker that says soon when there is none."""

from collections.abc import Iterator
from contextlib import contextmanager

from celery import current_app
from kombu import Connection
from kombu.exceptions import OperationalError

from tasksdemo.errors import BrokerUnavailable

CONNECT_SECONDS = 2
SILENCE_SECONDS = 5


@contextmanager
def broker_connection() -> Iterator[Connection]:
    """An established connection of one's own; BrokerUnavailable when the broker fails, also within the block.

    Not one of the pool: ten concurrent remote-control calls on pooled connections wait for each other for ever, and
    a pooled Redis connection has no time limit at all, so that a broker that accepts and says nothing would hang
    the caller.
    """
    connection = current_app.connection_for_write(
        connect_timeout=CONNECT_SECONDS,
        # The first two are kombu's names for Redis, the others py-amqp's; each ignores those of the other.
        transport_options={
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": SILENCE_SECONDS,
            "read_timeout": SILENCE_SECONDS,
            "write_timeout": SILENCE_SECONDS,
        },
    )
    failures: tuple[type[BaseException], ...] = (
        OperationalError,
        OSError,
        *connection.connection_errors,
        *connection.channel_errors,
    )
    try:
        with connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=CONNECT_SECONDS)
            yield connection
    except failures as error:
        raise BrokerUnavailable(f"{connection.as_uri()}: {error}") from error
