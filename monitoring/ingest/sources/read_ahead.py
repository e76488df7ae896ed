"""Fewer system calls for the same messages: takes from the socket what is there, not what py-amqp asks for at the time.

py-amqp asks for seven bytes, then for what they announce, then for one byte, three times for each message, and each
time Python lets go of its lock and has to get it back from the thread that writes. A message of one event is read in
four fifths of the time without that (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Bytes taken at once: about 100 events.
SIZE = 65_536
#: Where py-amqp's transports, plain and TLS, keep the function that they read with.
_ATTRIBUTE = "_quick_recv"


class ReadAhead:
    """Stands for a socket's `receive`: gives at most the number of bytes that it is asked for, and none at the end."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._data = b""
        self._position = 0

    def __call__(self, size: int) -> bytes:
        position = self._position
        if position == len(self._data):
            if size >= SIZE:
                return self._receive(size)
            self._data, position = self._receive(SIZE), 0
        self._position = min(position + size, len(self._data))
        return self._data[position : self._position]


def read_ahead(transport: Any) -> bool:
    """Let `transport`, one of py-amqp's, read ahead; whether it can, which is up to its version."""
    receive = getattr(transport, _ATTRIBUTE, None)
    if receive is None:
        return False
    setattr(transport, _ATTRIBUTE, ReadAhead(receive))
    return True
