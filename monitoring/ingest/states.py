"""What follows from a task's registers: its state, and everything that follows the state. Pure.

The state is never "what the last event said". It is a function of the registers (CELERY.md 3.2 of the design notes;
docs/architecture.md), so it is the same whatever order the events came in. The same function stands once more in SQL,
in stores/derivation_sql.py, for rows that are merged inside the database; the store contract holds the two together.
"""

from __future__ import annotations

from typing import Any

from ..tracebacks.fingerprint import fingerprint_of
from .counting import TaskFacts
from .folding import Held, Row
from .registers import TASK_RULES

#: How far the clocks of two hosts may be apart, in microseconds, before a restart is told from an old event.
CLOCK_TOLERANCE = 5_000_000

#: States in which a task has ended, unless it is started again.
ENDED_STATES = ("SUCCESS", "FAILURE", "REVOKED", "REJECTED")

#: The columns that this module fills, in the order of :func:`derive`.
DERIVED_COLUMNS = (
    "state",
    "worker",
    "exception",
    "exception_type",
    "traceback",
    "runtime",
    "finished_at",
    "attempt_started_at",
    "wait",
    "fingerprint",
)

_INDEX = {register.name: index for index, register in enumerate(TASK_RULES.registers)}
_INFO, _SENT, _RECEIVED, _START = (_INDEX[name] for name in ("info", "sent", "received", "start"))
_RETRY, _SUCCESS, _FAILURE, _REVOKE = (_INDEX[name] for name in ("retry", "success", "failure", "revoke"))
_REJECT, _REQUEUE = (_INDEX[name] for name in ("reject", "requeue"))
_NAME = 2 + list(TASK_RULES.registers[_INFO].fields).index("name")
_ETA = 2 + list(TASK_RULES.registers[_INFO].fields).index("eta")
_ROUTE = _INDEX["route"]
_WAIT = DERIVED_COLUMNS.index("wait")


def _is_after(later: Held, earlier: tuple[Any, ...]) -> bool:
    """Whether `later` really came after `earlier`, with an allowance where two hosts' clocks are compared."""
    if later is None:
        return False
    return bool(later[0] > earlier[0] + (0 if later[2] == earlier[2] else CLOCK_TOLERANCE))


def _newest(*candidates: tuple[str, Held]) -> tuple[str, tuple[Any, ...]] | None:
    """The candidate with the greatest key."""
    written = [(state, held) for state, held in candidates if held is not None]
    return max(written, key=lambda candidate: candidate[1][:2]) if written else None


def state_of(registers: list[Held]) -> tuple[str, Held]:
    """The state, and the register that it comes from (None for PENDING without one).

    An end is sticky until a start or a receipt that is certainly later re-opens the task. `received` never beats
    `retried`, since a worker receives the next attempt before it reports that this one is retried.
    """
    end: tuple[str, tuple[Any, ...]] | None = _newest(
        ("SUCCESS", registers[_SUCCESS]), ("FAILURE", registers[_FAILURE]), ("REVOKED", registers[_REVOKE])
    )
    reject = registers[_REJECT]
    if end is None and reject is not None:
        end = ("REJECTED", reject)
    start, retry, requeue = registers[_START], registers[_RETRY], registers[_REQUEUE]
    received = registers[_RECEIVED]
    if end is not None:
        key = end[1]
        if not (_is_after(start, key) or _is_after(received, key)):
            return end
        since = key[0]
        start, retry, requeue = (
            held if held is not None and held[0] > since else None for held in (start, retry, requeue)
        )
    newest = _newest(("STARTED", start), ("RETRY", retry), ("PENDING", requeue))
    if newest is not None:
        return newest
    return ("RECEIVED", received) if received is not None else ("PENDING", None)


def derive(row: Row) -> tuple[Any, ...]:
    """The values of :data:`DERIVED_COLUMNS`: times in microseconds since the epoch, durations in seconds."""
    registers = row.registers
    state, source = state_of(registers)
    start = registers[_START]
    worker = source[2] if source is not None and state != "PENDING" else None
    exception: tuple[Any, ...] = (
        source[3:6] if source is not None and state in ("FAILURE", "RETRY") else (None,) * 3
    )
    finished_at = source[0] if source is not None and state in ENDED_STATES else None
    return (
        state,
        worker,
        *exception,
        _runtime(state, source, registers),
        finished_at,
        start[0] if start is not None else None,
        _wait(state, registers),
        _fingerprint(state, source, registers),
    )


def facts_of(row: Row, derived: tuple[Any, ...]) -> TaskFacts:
    """What counts need to know of a task, from its row and what :func:`derive` says of it."""
    info, route, start, received = (row.registers[index] for index in (_INFO, _ROUTE, _START, _RECEIVED))
    return TaskFacts(
        info[_NAME] if info is not None else None,
        route[2] if route is not None else None,
        start[0] if start is not None else None,
        derived[_WAIT],
        received[0] if received is not None else None,
        info[_ETA] if info is not None else None,
    )


def _runtime(state: str, source: Held, registers: list[Held]) -> float | None:
    """How long the newest attempt ran: what the worker measured, else the end less the start.

    None where that start was retried or put back before the end, as with a task that is revoked while it waits for its
    next attempt: the newest attempt never ran.
    """
    start, retry, requeue = registers[_START], registers[_RETRY], registers[_REQUEUE]
    if source is None or state not in (*ENDED_STATES, "RETRY"):
        return None
    if state == "SUCCESS" and source[4] is not None:
        return float(source[4])
    if start is None or source[0] < start[0]:
        return None
    if state != "RETRY" and any(
        held is not None and start[0] < held[0] <= source[0] for held in (retry, requeue)
    ):
        return None
    return float(source[0] - start[0]) / 1_000_000


def _wait(state: str, registers: list[Held]) -> float | None:
    """How long the newest attempt waited in its queue: start - max(newest sending, newest ETA), never below zero."""
    info, sent, start = registers[_INFO], registers[_SENT], registers[_START]
    if sent is None or start is None or state in ("PENDING", "RECEIVED", "RETRY"):
        return None
    eta = info[_ETA] if info is not None else None
    due = max(sent[0], eta) if eta is not None else sent[0]
    return float(max(0, start[0] - due)) / 1_000_000


def _fingerprint(state: str, source: Held, registers: list[Held]) -> str | None:
    """What failures like this one have in common; None while the task has not failed."""
    if state != "FAILURE" or source is None:
        return None
    info = registers[_INFO]
    return fingerprint_of(info[_NAME] if info is not None else None, source[6])
