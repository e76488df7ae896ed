"""Whether database, broker and event consumer are well, asked all at once, with one deadline."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import Any

from django.db import connections
from django.utils.translation import gettext as _

from ..celery_app import watched_app
from ..conf import monitoring_settings
from ..control.connecting import ControlUnavailable, open_connection
from ..queries.consumer_state import ConsumerTrouble, consumer_trouble
from .probe import Probe

#: Seconds that all checks together may take, and after which a check that hangs is asked anew.
DEADLINE, GIVE_UP = 1.0, 30.0


def troubles() -> dict[str, str]:
    """What is not well: ``database``, ``broker``, ``consumer``, each with a sentence; empty where all is.

    Nothing in the sentences comes from an error's text, which may hold an address with a password.

    Cost: a new connection to the database and two small statements, and a new connection to the broker.
    """
    until = time.monotonic() + DEADLINE
    database, broker = _database.start(), _broker.start()
    found: dict[str, str] = {}
    if words := _problem(database, until):
        found["database"] = words
        found["consumer"] = _("Not known, since the database does not answer.")
    elif trouble := database.result():
        found["consumer"] = _words(trouble)
    if words := _problem(broker, until):
        found["broker"] = words
    return found


def _ask_database() -> ConsumerTrouble | None:
    """What is wrong with the consumers. Raises what the driver of a database raises that does not answer."""
    if monitoring_settings.DATABASE != "default":
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
    return consumer_trouble()


def _ask_broker() -> None:
    open_connection(watched_app(), DEADLINE).release()


def _problem(answer: Future[Any], until: float) -> str:
    """Why there is no answer in time; empty: there is one."""
    try:
        error = answer.exception(max(0.0, until - time.monotonic()))
    except TimeoutError:
        return _("No answer within %(seconds)s s.") % {"seconds": f"{DEADLINE:g}"}
    if error is None:
        return ""
    cause = error.__cause__ if isinstance(error, ControlUnavailable) and error.__cause__ else error
    return _("Cannot be reached (%(error)s).") % {"error": type(cause).__name__}


def _words(trouble: ConsumerTrouble) -> str:
    if not trouble.running:
        return _("No event consumer is running.")
    if not trouble.connected:
        return _("The event consumer is not connected to its broker.")
    if trouble.behind is None:
        return _("The event consumer has not committed anything yet.")
    return _("The event consumer is %(seconds)s s behind.") % {"seconds": f"{trouble.behind:.0f}"}


_database, _broker = Probe(_ask_database, GIVE_UP), Probe(_ask_broker, GIVE_UP)
