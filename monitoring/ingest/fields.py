"""What the fields of an event are turned into: the types of their columns, whatever the event claimed. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from xxhash import xxh3_64_intdigest

from ..rejection import TYPE as REJECT
from ..rejection import reason_of
from .quick_json import encode_any
from .text import storable

#: Longest id of a task and longest name of a worker, in characters. Longer names of tasks and queues are cut, since
#: PostgreSQL refuses an index entry of more than 2,704 bytes.
MAX_IDENTIFIER = 255
MAX_INTEGER = 2**31 - 1
MAX_BIGINT = 2**63 - 1

#: Seconds that no task runs for. The sum of two of the greatest floats is none, and the counts would stop at it.
LONGEST_RUNTIME = 1e100
#: Seconds between two heartbeats at most: what is judged by some of them has to be a time.
LONGEST_INTERVAL = 86_400.0

#: Names and ids, which cannot hold a value that somebody wanted to hide.
NAMES = ("name", "root_id", "parent_id", "queue", "exchange", "routing_key")
#: Kinds of events of which the log does not keep the arguments: the task row has the newest of them.
KINDS_WITHOUT_ARGUMENTS = frozenset({"task-sent", "task-received"})

#: What the plug-in for workers tells of a task that was received (monitoring/celery).
ARGUMENTS, STANDING, TRACE = "arguments", "arguments_are", "trace_id"

_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC) + _DAY, datetime.max.replace(tzinfo=UTC) - _DAY
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_EXCEPTION_TYPE = re.compile(r"(?:[\w]+\.)*([^\W\d]\w*)(?=\(|:|$)")


def normalise(values: dict[str, Any], worker: str) -> None:
    """Bring the fields that registers take into the types of their columns, whatever the event claimed."""
    for name, value in values.items():
        if value.__class__ is str and name in _TEXTS:
            if len(value) > MAX_IDENTIFIER and name in NAMES:
                values[name] = storable(value, MAX_IDENTIFIER)
        elif name in _NORMALISED:
            values[name] = _NORMALISED[name](value)
    values["worker"] = worker
    values["exception"], values["exception_type"] = exception_of(
        values.get("exception"), values.get("traceback")
    )
    total, current = values.get("total"), values.get("current")
    values["progress"] = min(1.0, max(0.0, current / total)) if total and current is not None else None


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    return encode_any(value) if isinstance(value, list | dict) else str(value)


def _as_name(value: Any) -> str | None:
    text = _as_text(value)
    return None if text is None else storable(text, MAX_IDENTIFIER)


def _retries(value: Any) -> int | None:
    retries = bigint(value)
    return None if retries is None else min(max(0, retries), MAX_INTEGER)


def time_of(value: Any) -> int | None:
    """An ISO time of Celery's (naive: UTC) in microseconds since the epoch; None where it is none."""
    moment = moment_of(value)
    if moment is None:
        return None
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment_of(value: Any) -> datetime | None:
    """The same in UTC, as :func:`showable`."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    try:
        return showable(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC))
    except OverflowError:  # the last hours of the year 9999, or the first of the year 1, in another time zone
        return None


def showable(moment: datetime) -> datetime:
    """The nearest time that is one in every time zone: ``datetime.max`` in UTC, for never, is none east of it."""
    return min(max(moment, _FIRST), _LAST)


def exception_of(text: str | None, traceback: str | None) -> tuple[str | None, str | None]:
    """The exception's text and class name.

    A task that rejects its message has no class name in its text (``monitoring/rejection.py``).
    Where a pool process died or hit its hard limit, Celery reports ``ExceptionWithTraceback()``: the traceback's last
    line says what it was.
    """
    if text is not None and text.startswith("ExceptionWithTraceback(") and traceback:
        text = traceback.rstrip().rpartition("\n")[2].strip() or text
    if not text:
        return text, None
    if reason_of(text) is not None:
        return text, REJECT
    match = _EXCEPTION_TYPE.match(text)
    return text, storable(match.group(1), MAX_IDENTIFIER) if match else None


def is_trace_id(value: Any) -> bool:
    """Whether it is the id of a trace (https://www.w3.org/TR/trace-context/, section trace-id), and nothing else."""
    return isinstance(value, str) and _TRACE_ID.fullmatch(value) is not None


def received_kinds(values: dict[str, Any]) -> tuple[str, ...]:
    """What merge rules know a receipt by: what the plug-in for workers adds to it has registers of its own."""
    return (
        "task-received",
        *(("queue-told",) if values.get("queue") else ()),
        *(("arguments-told",) if STANDING in values else ()),
        *(("trace-told",) if is_trace_id(values.get(TRACE)) else ()),
    )


def bigint(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_BIGINT:
        return None
    return value


def number_of(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if number - number == 0 else None


def runtime_of(value: Any) -> float | None:
    """Seconds that a task ran; None where it cannot have run for so long."""
    seconds = number_of(value)
    return seconds if seconds is not None and 0 <= seconds < LONGEST_RUNTIME else None


def interval_of(value: Any) -> float | None:
    """Seconds between two heartbeats; None where nobody can mean them."""
    seconds = number_of(value)
    return seconds if seconds is not None and seconds <= LONGEST_INTERVAL else None


def tie_of(subject: str, ts: int, clock: int | None, worker: str, kind: str, payload: str, said: str) -> int:
    """63 bits over everything an event says, after redaction: the digest must not let anybody guess a secret.

    XXH3 (https://xxhash.com), which gives the same on every machine. It keeps nobody from making two events of one tie,
    and of two such events of one moment one is left out; who can do that can as well send the one alone.
    """
    text = f"{subject}\x1f{ts}\x1f{clock}\x1f{worker}\x1f{kind}\x1f{payload}\x1f{said}"
    return xxh3_64_intdigest(text.encode()) >> 1


def said_beside(args: Any, kwargs: Any, encode: Callable[[Any], str]) -> str:
    """What a sending or receipt says beside its payload, for its tie: two different ones give different texts."""
    if args.__class__ is str and kwargs.__class__ is str:
        return f"{len(args)}:{args}{kwargs}"
    return encode([args, kwargs])


#: How a field that a register takes is brought into its column's type, unless it is a text that should be one.
_NORMALISED: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(NAMES, _as_name),
    **dict.fromkeys(
        ("args", "kwargs", "result", "exception", "traceback", "signum", "message", "workflow"), _as_text
    ),
    "retries": _retries,
    **dict.fromkeys(("eta", "expires"), time_of),
    "runtime": runtime_of,
    **dict.fromkeys(("current", "total"), number_of),
    **dict.fromkeys(("terminated", "expired"), bool),
}
_TEXTS = frozenset(name for name, convert in _NORMALISED.items() if convert in (_as_name, _as_text))
