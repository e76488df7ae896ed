"""What every broker adapter answers, and what each is asked whether it can."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import kombu

from ..control.connecting import BrokerUnavailable

__all__ = ["BrokerAdapter", "BrokerReading", "BrokerUnavailable", "Connect", "PeekedMessage", "QueueReading"]

#: Opens a connection of the caller's own whose waits take at most so many seconds. Raises BrokerUnavailable.
Connect = Callable[[float], AbstractContextManager[kombu.Connection]]


@dataclass(frozen=True)
class QueueReading:
    """One queue at this moment; None: the broker does not say. Rates are messages per second.

    `exists` is False where the broker knows no such queue. `settings` are its arguments (``x-max-length``, ...).
    `next_task_id` is of the message that is delivered next, where that can be looked at.
    """

    name: str
    exists: bool = True
    ready: int | None = None
    unacked: int | None = None
    consumers: int | None = None
    publish_rate: float | None = None
    deliver_rate: float | None = None
    ack_rate: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    next_task_id: str = ""
    #: Made by Celery for itself (answers to commands, delays): not shown, and nobody has to consume it.
    is_internal: bool = False


@dataclass(frozen=True)
class BrokerReading:
    """The broker itself at this moment, and its queues by name; None: it does not say. Sizes are in bytes.

    `problem` is a sentence where less could be read than the adapter is able to.
    """

    product: str
    version: str = ""
    connections: int | None = None
    channels: int | None = None
    memory_used: int | None = None
    memory_limit: int | None = None
    disk_free: int | None = None
    alarms: tuple[str, ...] = ()
    problem: str = ""
    queues: Mapping[str, QueueReading] = field(default_factory=dict)


@dataclass(frozen=True)
class PeekedMessage:
    """A message that waits, and whose place in the queue looking at it has not changed."""

    task_id: str
    task_name: str
    priority: int | None = None


class BrokerAdapter(ABC):
    """Reads a broker without disturbing it: nothing is declared, taken or put back.

    Every call raises BrokerUnavailable, whose text has no address and no password, and takes about `seconds` at most.
    What deletes raises ConnectionLost where nobody knows whether it did.
    """

    #: Whether it lists queues that nobody told it of.
    supports_listing: ClassVar[bool] = False
    #: Whether it says how many messages workers have that are not acknowledged.
    supports_unacked: ClassVar[bool] = False
    #: Whether it says how many consumers a queue has.
    supports_consumers: ClassVar[bool] = False
    #: Whether it says how many messages come and go a second.
    supports_rates: ClassVar[bool] = False
    #: Whether messages can be looked at in their place.
    supports_peek: ClassVar[bool] = False
    #: Whether one message can be taken out of a queue.
    supports_remove: ClassVar[bool] = False

    def __init__(self, connect: Connect, address: str) -> None:
        self.connect = connect
        #: Without a password.
        self.address = address

    @abstractmethod
    def read(self, names: Collection[str], seconds: float) -> BrokerReading:
        """The broker, `names`, and, where it lists queues, all others of its virtual host."""

    @abstractmethod
    def purge(self, name: str, seconds: float) -> int:
        """Delete every message that waits in a queue, not those that workers have; how many they were.

        Raises LookupError where there is no such queue and the broker tells that from an empty one.
        """

    def peek(self, name: str, most: int, seconds: float) -> list[PeekedMessage]:
        """The messages that are delivered next, at most `most`, in their order."""
        raise NotImplementedError(f"{type(self).__name__} cannot look at messages")

    def remove(self, name: str, task_id: str, seconds: float) -> bool | None:
        """Take the message of a task out of a queue; whether it was there. None: too many wait to look at them all."""
        raise NotImplementedError(f"{type(self).__name__} cannot take single messages out")
