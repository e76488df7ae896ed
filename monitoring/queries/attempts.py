"""From a task's events to its attempts. Pure: neither Django nor Celery.

What Celery says of an attempt is spread over events that do not name it: only ``task-sent`` and ``task-received`` carry
the number of retries. The rest is matched by order and worker (docs of Celery, "Monitoring and Management Guide", Event
Reference; the orders that really occur are listed in tests/queries/test_attempts.py). What cannot be known stays None.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from ..ingest.fields import moment_of


class EventRow(Protocol):
    """A row of the event log."""

    timestamp: datetime
    type: str
    worker: str
    payload: dict[str, Any]


class Origin(StrEnum):
    """Why there was an attempt."""

    FIRST = "first"
    RETRY = "retry"
    REDELIVERED = "redelivered"  # the broker gave the same message out again
    REQUEUED = "requeued"  # the task itself had its message put back
    SENT_AGAIN = "sent again"  # somebody sent the id once more, or the task replaced itself
    UNKNOWN = "unknown"  # neither its sending nor its receipt was seen


class Ending(StrEnum):
    """How an attempt ended; the first five are states of the task."""

    RETRY = "RETRY"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    REVOKED = "REVOKED"
    REJECTED = "REJECTED"
    REQUEUED = "requeued"
    CANCELLED = "cancelled"  # the worker lost its broker and gave the task up
    VANISHED = "vanished"  # no event tells its end, and another attempt took its place


ENDINGS = {
    "task-retried": Ending.RETRY,
    "task-succeeded": Ending.SUCCESS,
    "task-failed": Ending.FAILURE,
    "task-revoked": Ending.REVOKED,
    "task-cancelled": Ending.CANCELLED,
}


@dataclass
class Attempt:
    """One delivery of the task to a worker. Times are those of the events; durations are in seconds."""

    origin: Origin
    retries: int | None = None
    sent_at: datetime | None = None
    received_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    ended_as: Ending | None = None
    eta: datetime | None = None
    worker: str | None = None
    pid: int | None = None
    exception: str | None = None
    traceback: str | None = None
    reported_runtime: float | None = None
    events: list[EventRow] = field(default_factory=list, repr=False)

    @property
    def wait(self) -> float | None:
        """From its sending, or its ETA where that is later, to its start; None where its sending was not seen."""
        if self.sent_at is None or self.started_at is None:
            return None
        due = max(self.sent_at, self.eta) if self.eta is not None else self.sent_at
        return max(0.0, (self.started_at - due).total_seconds())

    @property
    def runtime(self) -> float | None:
        """What the worker measured, else its end less its start; None while it runs and where either was not seen."""
        if self.reported_runtime is not None:
            return self.reported_runtime
        if self.started_at is None or self.ended_at is None or self.ended_as is Ending.VANISHED:
            return None
        return max(0.0, (self.ended_at - self.started_at).total_seconds())


def attempts_of(events: Iterable[EventRow]) -> list[Attempt]:
    """The attempts of one task in the order in which they were first heard of. `events`: oldest first."""
    attempts: list[Attempt] = []
    for event in events:
        if event.type == "task-sent":
            _sent(attempts, event)
        elif event.type == "task-received":
            _received(attempts, event)
        elif event.type == "task-started":
            _started(attempts, event)
        elif event.type == "task-rejected":
            requeued = bool(event.payload.get("requeue"))
            _ended(attempts, event, Ending.REQUEUED if requeued else Ending.REJECTED)
        elif event.type in ENDINGS:
            _ended(attempts, event, ENDINGS[event.type])
    _mark_vanished(attempts)
    return attempts


def _sent(attempts: list[Attempt], event: EventRow) -> None:
    retries = _retries(event)
    # A worker on another host, or a fast one, may have reported the receipt with an earlier time.
    for attempt in reversed(attempts):
        if attempt.retries == retries and attempt.sent_at is None and attempt.started_at is None:
            attempt.sent_at, attempt.eta = event.timestamp, _eta(event)
            attempt.events.append(event)
            return
    again = any(attempt.retries == retries and attempt.sent_at is not None for attempt in attempts)
    origin = Origin.SENT_AGAIN if again else Origin.RETRY if retries else Origin.FIRST
    _begin(attempts, event, Attempt(origin, retries, sent_at=event.timestamp, eta=_eta(event)))


def _received(attempts: list[Attempt], event: EventRow) -> None:
    retries = _retries(event)
    same = [attempt for attempt in attempts if attempt.retries == retries]
    for attempt in same:
        if attempt.received_at is None and attempt.started_at is None and attempt.ended_as is None:
            attempt.received_at, attempt.worker = event.timestamp, event.worker
            attempt.eta = attempt.eta or _eta(event)
            attempt.events.append(event)
            return
    if not same:
        origin = Origin.RETRY if retries else Origin.FIRST
    elif same[-1].ended_as is Ending.REQUEUED:
        origin = Origin.REQUEUED
    else:
        origin = Origin.REDELIVERED
    attempt = Attempt(origin, retries, received_at=event.timestamp, eta=_eta(event), worker=event.worker)
    if origin in (Origin.REDELIVERED, Origin.REQUEUED):
        # The same message: it was sent once.
        attempt.sent_at = None
    _begin(attempts, event, attempt)


def _started(attempts: list[Attempt], event: EventRow) -> None:
    waiting = [attempt for attempt in attempts if attempt.started_at is None and attempt.ended_as is None]
    here = [attempt for attempt in waiting if attempt.worker == event.worker]
    unclaimed = [attempt for attempt in waiting if attempt.worker is None]
    if not (here or unclaimed):
        _begin(attempts, event, Attempt(Origin.UNKNOWN))
        attempt = attempts[-1]
    else:
        attempt = (here or unclaimed)[0]
        attempt.events.append(event)
    attempt.started_at, attempt.worker, attempt.pid = event.timestamp, event.worker, _pid(event)


def _ended(attempts: list[Attempt], event: EventRow, ending: Ending) -> None:
    attempt = _that_ends(attempts, event, ending)
    if attempt is None:
        _begin(attempts, event, Attempt(Origin.UNKNOWN))
        attempt = attempts[-1]
    else:
        attempt.events.append(event)
    attempt.worker = attempt.worker or event.worker
    attempt.pid = attempt.pid or _pid(event)
    payload = event.payload
    if attempt.ended_as is None:
        attempt.ended_at, attempt.ended_as = event.timestamp, ending
    if ending is Ending.SUCCESS:
        attempt.reported_runtime = _number(payload.get("runtime"))
    # The last report says most: of a process that died, the first says only that it did.
    attempt.exception = _text(payload.get("exception")) or attempt.exception
    attempt.traceback = _text(payload.get("traceback")) or attempt.traceback


def _that_ends(attempts: list[Attempt], event: EventRow, ending: Ending) -> Attempt | None:
    """The attempt that an end belongs to: the one that runs on its worker, else one that waits, else the same again."""
    running = [attempt for attempt in attempts if attempt.started_at is not None and attempt.ended_as is None]
    for attempt in reversed(running):
        if attempt.worker == event.worker:
            return attempt
    here = [attempt for attempt in attempts if attempt.worker in (None, event.worker)]
    # A hard time limit is reported twice, a rejection by the task as failed and then rejected.
    if here and here[-1].ended_as in (Ending.FAILURE, Ending.REVOKED) and ending is not Ending.SUCCESS:
        return here[-1]
    for attempt in here:
        if attempt.ended_as is None:
            return attempt
    return running[-1] if running else None


def _mark_vanished(attempts: list[Attempt]) -> None:
    """An attempt without an end, after which the same message was given out again: nobody will report its end."""
    for index, attempt in enumerate(attempts):
        followed = any(
            later.origin is Origin.REDELIVERED and later.retries == attempt.retries
            for later in attempts[index + 1 :]
        )
        if attempt.ended_as is None and followed:
            attempt.ended_as = Ending.VANISHED


def _begin(attempts: list[Attempt], event: EventRow, attempt: Attempt) -> None:
    attempt.events.append(event)
    attempts.append(attempt)


def _retries(event: EventRow) -> int:
    value = event.payload.get("retries")
    return value if isinstance(value, int) and value > 0 else 0


def _eta(event: EventRow) -> datetime | None:
    return moment_of(event.payload.get("eta"))


def _pid(event: EventRow) -> int | None:
    value = event.payload.get("pid")
    return value if isinstance(value, int) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
