"""How many messages wait for the workers."""

from typing import Any

from tasksdemo.broker import broker_connection
from tasksdemo.routes import QUEUES


def waiting_messages() -> int:
    """Ready messages of all the demo's queues together; a queue that does not exist has none.

    Raises BrokerUnavailable. A few milliseconds.
    """
    count = 0
    with broker_connection() as connection:
        for queue in QUEUES:
            # A channel each: AMQP closes the one on which a missing queue was asked for.
            try:
                with connection.channel() as opened:
                    # The stubs know only what all transports' channels inherit.
                    channel: Any = opened
                    count += channel.queue_declare(queue.name, passive=True).message_count
            except connection.channel_errors:
                continue
    return count
