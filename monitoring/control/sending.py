"""Sending a task to a queue, on a broker connection of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import celery
import kombu
from kombu.exceptions import EncodeError, SerializerNotInstalled

from ..conf import monitoring_settings
from .connecting import control_connection, faults, lost


def send_task(
    app: celery.Celery, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], **options: Any
) -> str:
    """Send a task, registered here or not; its id. `options` are those of Celery's `send_task`.

    On RabbitMQ it returns once the broker has the message. Raises ControlUnavailable; of that, ConnectionLost where
    nobody knows whether the task was sent. What else is raised is of arguments and options that Celery or the broker
    refuses: nothing was sent.
    """
    with control_connection(app, monitoring_settings.CONTROL_TIMEOUT, confirm=True) as connection:
        return send_over(connection, app, name, args, kwargs, **options)


def send_over(
    connection: kombu.Connection,
    app: celery.Celery,
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    **options: Any,
) -> str:
    """As :func:`send_task`, on a connection that the caller has: for several tasks."""
    try:
        # The class's own: a project's `send_task` may well start something else.
        send: Any = celery.Celery.send_task
        sent = send(
            _WithoutBackend(app),
            name,
            list(args),
            dict(kwargs),
            connection=connection,
            result_cls=_Sent,
            add_to_parent=False,
            retry=False,
            **options,
        )
    except (EncodeError, SerializerNotInstalled):  # which are faults of kombu, too
        raise
    except connection.channel_errors:
        # The broker has refused it, and closed the channel: the next task gets another.
        connection.revive(None)  # type: ignore[arg-type]  # the stubs want a channel
        raise
    except faults(connection) as error:
        raise lost(error) from error
    return str(sent.id)


class _Sent(SimpleNamespace):
    def __init__(self, task_id: str) -> None:
        super().__init__(id=task_id)


class _WithoutBackend:
    """The app as `send_task` sees it, with a result backend that is left alone.

    Nobody waits for the result here. Celery would subscribe to it first, which hangs where the backend is down.
    """

    backend = SimpleNamespace(on_task_call=lambda producer, task_id: None)

    def __init__(self, app: celery.Celery) -> None:
        self._app = app

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)
