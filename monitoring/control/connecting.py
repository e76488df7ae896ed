"""Broker connections for control: one of its own per call, at most four at once in a process, every wait bounded."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import celery
import kombu
from django.utils.asyncio import async_unsafe
from django.utils.translation import gettext as _

#: Connections that control has at once in one process. On Celery's shared pool, as many calls as it has connections
#: would wait for each other for ever: each holds one and wants a producer, which needs another.
AT_ONCE = 4

_slots = threading.BoundedSemaphore(AT_ONCE)


class ControlUnavailable(Exception):
    """Nothing could be sent; its text says why."""


class BrokerUnavailable(ControlUnavailable):
    """The broker cannot be reached."""


class ConnectionLost(BrokerUnavailable):
    """The broker went away while something was sent to it: nobody knows whether it was."""


class TooManyCalls(ControlUnavailable):
    """Other calls of this process had all connections until the deadline."""


@contextmanager
def control_connection(
    app: celery.Celery, seconds: float, *, confirm: bool = False
) -> Iterator[kombu.Connection]:
    """An open connection of the caller's own, closed afterwards.

    Waiting for its turn and connecting take at most `seconds` together. On the connection every single wait for the
    broker is bounded by them too, where the transport can be told so (RabbitMQ and Redis can). With `confirm`
    publishing returns when RabbitMQ has the message. Raises TooManyCalls and BrokerUnavailable, and Django's
    SynchronousOnlyOperation on an event loop.
    """
    until = time.monotonic() + seconds
    _refuse_event_loop()
    if not _slots.acquire(timeout=seconds):
        raise TooManyCalls(
            _("%(count)s other commands wait for their answers; try again in a few seconds")
            % {"count": AT_ONCE}
        )
    try:
        # What is left is never nothing: a turn that came late still gets a fair try.
        connection = open_connection(app, max(until - time.monotonic(), seconds / 4), confirm=confirm)
        try:
            yield connection
        finally:
            # The answer is in hand; a broker that has just gone is no reason to lose it.
            with suppress(*faults(connection)):
                connection.release()
    finally:
        _slots.release()


@async_unsafe(
    "Control waits for workers; call it in a thread, with sync_to_async(..., thread_sensitive=False)."
)
def _refuse_event_loop() -> None:
    """Raise SynchronousOnlyOperation where an event loop runs: it would stand still while a worker is awaited."""


def open_connection(app: celery.Celery, seconds: float, *, confirm: bool = False) -> kombu.Connection:
    """An open connection, which the caller releases; no wait on it takes longer. Raises BrokerUnavailable."""
    connection: kombu.Connection = app.connection_for_write()
    hosts = max(1, len(connection.alt))
    connection.connect_timeout = seconds / hosts
    connection.transport_options = {
        **(connection.transport_options or {}),
        **_bounds(connection.transport.driver_type, seconds / hosts),
        **({"confirm_publish": True} if confirm else {}),
    }
    try:
        # One round through the hosts of a cluster, without pauses.
        connection.ensure_connection(max_retries=hosts - 1, interval_start=0, interval_step=0, interval_max=0)
    except faults(connection) as error:
        connection.release()
        raise unreachable(error) from error
    return connection


def faults(connection: Any) -> tuple[type[Exception], ...]:
    """What a broker that is away, refuses or comes and goes makes its connection raise."""
    found = (OSError, kombu.exceptions.KombuError, *connection.connection_errors, *connection.channel_errors)
    return tuple(dict.fromkeys(found))


def unreachable(error: BaseException) -> BrokerUnavailable:
    """In words. Not with the broker's URL, which has a password in it."""
    return BrokerUnavailable(
        _("The broker cannot be reached (%(error)s); nothing was sent") % {"error": type(error).__name__}
    )


def lost(error: BaseException) -> ConnectionLost:
    """In words, as :func:`unreachable`."""
    return ConnectionLost(
        _("The connection to the broker was lost in the middle (%(error)s); the effect may still come")
        % {"error": type(error).__name__}
    )


def broken_off(connection: Any, error: BaseException) -> BrokerUnavailable:
    """Of something that was asked of the broker: what it refused (a channel's error) was certainly not done."""
    return unreachable(error) if isinstance(error, connection.channel_errors) else lost(error)


def _bounds(driver: str, seconds: float) -> dict[str, Any]:
    """Options that bound each wait on the socket, by the transport's driver."""
    match driver:
        case "py-amqp" | "amqp":
            return {"read_timeout": seconds, "write_timeout": seconds}
        case "redis":
            return {"socket_connect_timeout": seconds, "socket_timeout": seconds}
        case _:
            return {}
