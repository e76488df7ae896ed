"""Attempts in words and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from .. import formatting
from ..queries.attempts import Attempt, Ending, Origin
from ..queries.phases import Bar, bars

STATES = frozenset({Ending.RETRY, Ending.SUCCESS, Ending.FAILURE, Ending.REVOKED, Ending.REJECTED})


@dataclass(frozen=True)
class AttemptRow:
    """One attempt: `state` is a badge, or empty where `ended` says it in words."""

    number: int
    attempt: Attempt
    state: str
    ended: str
    origin: str
    bars: list[Bar]
    exception: str


def attempt_rows(attempts: Sequence[Attempt], until: datetime, with_payload: bool) -> list[AttemptRow]:
    """`until`: when the task ended, or now. Without `with_payload` an exception is only its class."""
    drawn = bars(attempts, until)
    return [
        AttemptRow(
            number,
            attempt,
            state=attempt.ended_as.value if attempt.ended_as in STATES else _present(attempt),
            ended=_ended(attempt),
            origin=_origin(attempt),
            bars=drawn[number - 1],
            exception=_exception(attempt, with_payload),
        )
        for number, attempt in enumerate(attempts, 1)
    ]


def _present(attempt: Attempt) -> str:
    """The state of an attempt that goes on."""
    if attempt.ended_as is not None:
        return ""
    return "STARTED" if attempt.started_at else "RECEIVED" if attempt.received_at else "PENDING"


def _ended(attempt: Attempt) -> str:
    if attempt.ended_as is Ending.REQUEUED:
        return _("put back into its queue")
    if attempt.ended_as is Ending.CANCELLED:
        return _("given up: its worker lost the broker")
    if attempt.ended_as is Ending.VANISHED:
        return _("no end was reported")
    return ""


def _origin(attempt: Attempt) -> str:
    return {
        Origin.FIRST: _("first run"),
        Origin.RETRY: _("retry %(number)s") % {"number": attempt.retries},
        Origin.REDELIVERED: _("delivered again by the broker"),
        Origin.REQUEUED: _("taken from its queue again"),
        Origin.SENT_AGAIN: _("sent again under the same id"),
        Origin.UNKNOWN: _("how it came is not known"),
    }[attempt.origin]


def _exception(attempt: Attempt, with_payload: bool) -> str:
    name, message = formatting.exception_parts(attempt.exception or "")
    if not with_payload:
        return name
    return name or formatting.cut(message, 80)
