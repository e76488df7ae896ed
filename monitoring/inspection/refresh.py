"""A fresh look at one worker, where a page asks for it, or at all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum

from django.utils import timezone

from ..control.connecting import BrokerUnavailable, TooManyCalls
from ..models import Problem, WorkerSnapshot
from ..queries.workers import online_hostnames
from .asking import ask_workers
from .storing import Asked, store

#: Seconds for which what a page was told is fresh enough for the next one.
FRESH = 5.0


class Refreshed(StrEnum):
    """What came of a refresh; `Snapshot.problem` has the words."""

    #: What was asked was answered, or nothing had to be.
    DONE = "done"
    #: The worker did not answer everything.
    NOT_ANSWERED = "not answered"
    OFFLINE = "offline"
    BROKER_AWAY = "broker away"
    #: Other questions of this process wait for their answers.
    BUSY = "busy"


def refresh(
    hostname: str, kinds: Iterable[str], *, older_than: float = FRESH, timeout: float | None = None
) -> Refreshed:
    """Ask one worker again what it was asked more than `older_than` seconds ago.

    Waits at most about `timeout` seconds (``CONTROL_TIMEOUT``) for the worker, and as long to reach the broker; not at
    all for a worker that is offline. Never raises for a worker that is silent or a broker that is away: the stored
    answers stay, with their age and with what came of this question (``Snapshot.problem``).
    """
    due = _due(hostname, kinds, older_than)
    if not due:
        return Refreshed.DONE
    if hostname not in online_hostnames():
        return Refreshed.OFFLINE
    return _ask([hostname], due, timeout)


def refresh_all(kinds: Iterable[str], *, timeout: float | None = None) -> Refreshed:
    """Ask every worker that is online, whatever was asked before. As :func:`refresh`, it never raises."""
    hostnames = online_hostnames()
    return _ask(hostnames, list(kinds), timeout) if hostnames else Refreshed.DONE


def _ask(hostnames: Sequence[str], kinds: Sequence[str], timeout: float | None) -> Refreshed:
    try:
        asked = ask_workers(hostnames, kinds, timeout=timeout)
    except BrokerUnavailable:
        asked_at = timezone.now()
        store(
            Asked(hostname, kind, asked_at, problem=Problem.UNREACHABLE)
            for hostname in hostnames
            for kind in kinds
        )
        return Refreshed.BROKER_AWAY
    except TooManyCalls:
        return Refreshed.BUSY
    store(asked)
    return Refreshed.NOT_ANSWERED if any(one.problem for one in asked) else Refreshed.DONE


def _due(hostname: str, kinds: Iterable[str], older_than: float) -> list[str]:
    """Those that were not asked lately, answered or not."""
    if "\0" in hostname:  # no name has one, and PostgreSQL refuses to look
        return []
    lately = timezone.now() - timedelta(seconds=older_than)
    rows = WorkerSnapshot.objects.filter(hostname=hostname, asked_at__gt=lately)
    asked = set(rows.values_list("kind", flat=True))
    return [kind for kind in kinds if kind not in asked]
