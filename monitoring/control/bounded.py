"""Calls of drivers that have no deadline of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connections
from django.utils.translation import gettext as _

from .connecting import ControlUnavailable

Value = TypeVar("Value")


class BackendUnavailable(ControlUnavailable):
    """The result backend cannot be reached."""


def within(seconds: float, call: Callable[[], Value]) -> Value:
    """What `call` answers, in a thread of its own. Raises BackendUnavailable when it takes longer, or raises itself.

    A call that takes longer goes on to its own end, which nobody waits for.
    """
    found: list[Value] = []
    problem: list[Exception] = []

    def run() -> None:
        try:
            found.append(call())
        except Exception as error:  # of a driver that is not known here; told to the caller below
            problem.append(error)
        finally:
            connections.close_all()

    thread: Any = threading.Thread(target=run, daemon=True, name="monitoring-backend")
    thread.start()
    thread.join(seconds)
    if found:
        return found[0]
    name = (
        type(problem[0]).__name__
        if problem
        else _("no answer within %(seconds)s s") % {"seconds": f"{seconds:g}"}
    )
    raise BackendUnavailable(_("The result backend cannot be reached (%(error)s)") % {"error": name})
