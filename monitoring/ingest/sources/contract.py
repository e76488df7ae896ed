"""What a source is."""

from __future__ import annotations

import logging
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, cast

import amqp.exceptions
import celery
import kombu
from kombu.exceptions import KombuError

logger = logging.getLogger(__name__)

#: Seconds between heartbeats on the broker connection, where the transport has them.
HEARTBEAT = 20
#: Seconds in which a broker must answer a question. One that does not has gone, as far as anybody can tell: a host that
#: has died says nothing, and a consumer that waited for it would never connect to its successor, nor end when asked to.
ANSWER = 10
#: Messages that are read beside one at most before the consumer looks around again: a turn costs as much as a small
#: message. And the seconds that each of them waits; if it did not wait at all, TLS could lose half a frame.
BURST, BRIEFLY = 20, 0.001

#: The cap of a queue that has none.
NO_CAP = sys.maxsize

OnMessage = Callable[[kombu.Message], None]


class EventsNotCarried(Exception):
    """No events can come from this broker: its transport has no publish/subscribe, or cannot be loaded."""


@dataclass(frozen=True)
class SourceOptions:
    """`prefetch` is how many messages the broker hands out before the first of them must be acknowledged.

    `max_length` and `max_bytes` are the queue's caps; a source whose queue turns out to have others changes its own.
    """

    queue: str
    max_length: int
    max_bytes: int
    prefetch: int


class EventSource(ABC):
    """One connection to the broker.

    Methods may raise one of :attr:`errors`; the way on is then :meth:`close` and a new source. None of them may be
    called from two threads at a time.
    """

    #: Whether what is read waits in the broker until it is acknowledged. Publish/subscribe keeps nothing, and gives
    #: every subscriber every event: only one process may then consume.
    is_durable: ClassVar[bool]
    #: Whether the queue had to be made, so that nothing has waited in it before. Known once it is open.
    is_new = False
    #: What the transport calls the seconds that it waits for an answer; empty where it has no such option.
    patience: str = ""

    def __init__(self, app: celery.Celery, options: SourceOptions) -> None:
        self.app = app
        self.options = options
        self.connection: kombu.Connection = self.connect()
        #: What a lost or refused connection raises.
        self.errors: tuple[type[Exception], ...] = (
            KombuError,
            OSError,
            amqp.exceptions.AMQPError,
            *cast("tuple[type[Exception], ...]", self.connection.connection_errors),
            *cast("tuple[type[Exception], ...]", self.connection.channel_errors),
        )
        self.channel: Any = None
        #: Messages that waited in the broker before this connection took the first; None where that is not known.
        self.found: int | None = None

    def connect(self, heartbeat: int | None = HEARTBEAT, **options: Any) -> kombu.Connection:
        """A connection that is not open yet. `options` of the transport go before the watched app's."""
        if self.patience and self.patience not in self.app.conf.broker_transport_options:
            options[self.patience] = ANSWER
        connection: kombu.Connection = self.app.connection_for_read(
            heartbeat=heartbeat, transport_options=options
        )
        return connection

    def open(self, on_message: OnMessage) -> None:
        """Connect and start to consume; `on_message` is called from :meth:`read`."""
        self.connection.connect()
        self.channel = self.connection.channel()
        self.declare()
        self.found = self.waiting()
        self.consume(on_message)

    def declare(self) -> None:  # noqa: B027  # not every broker needs it
        """Make what must exist before anything can be read from :attr:`channel`."""

    @abstractmethod
    def consume(self, on_message: OnMessage) -> None:
        """Start to consume on :attr:`channel`."""

    def read(self, timeout: float) -> bool:
        """Deliver what has come to `on_message`, waiting for it at most `timeout` seconds; whether anything came."""
        try:
            self.connection.drain_events(timeout=timeout)
        except TimeoutError:
            return False
        return True

    def read_more(self, is_enough: Callable[[], bool]) -> None:
        """Deliver what has come by now as well, up to :data:`BURST` messages, and none once there `is_enough`."""
        for _ in range(BURST):
            if is_enough() or not self.read(BRIEFLY):
                return

    def hold(self) -> None:  # noqa: B027  # most brokers wait by themselves
        """Deliver nothing until the next :meth:`read`: the batch is full and the database is busy.

        Called a few times a second, on durable sources only: the others are always read.
        """

    @abstractmethod
    def acknowledge(self, delivery_tags: list[Any]) -> None:
        """Let the broker forget these deliveries, which are in the order that they came in."""

    def waiting(self) -> int | None:
        """Messages that wait in the broker and that no consumer has been given; None where that is not known."""
        return None

    def is_empty(self) -> bool:
        """Whether nothing waits in the broker, nor may come again that a consumer held when it died."""
        return not self.waiting()

    def settled_until(self, moment: datetime) -> datetime:
        """The time up to which nothing is on its way to a consumer, after a read at `moment` found nothing."""
        return moment

    def keep_alive(self) -> None:
        """Send and check heartbeats; to be called about once a second."""
        if self.connection.supports_heartbeats:
            self.connection.heartbeat_check()

    def close(self) -> None:
        """Hang up. Never raises: the connection may be in any state, and is not used again."""
        try:
            self.connection.release()
        except Exception as error:
            logger.debug("While hanging up: %s", error)

    def __str__(self) -> str:
        """The broker's address without its password."""
        return str(self.connection.as_uri())
