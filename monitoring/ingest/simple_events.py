"""A short way for the events that nearly all are: Celery's own, of a task that runs, with nothing unusual. Pure.

It gives exactly what the long way in ``decoding.py`` gives, in a third of the time, or nothing: then that one is taken.
tests/ingest/test_simple_events.py holds the two together.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..arguments import check
from ..tracebacks.fingerprint import Places
from . import quick_json
from .events import Event
from .fields import (
    ARGUMENTS,
    KINDS_WITHOUT_ARGUMENTS,
    MAX_BIGINT,
    MAX_IDENTIFIER,
    MAX_INTEGER,
    NAMES,
    STANDING,
    TRACE,
    exception_of,
    is_trace_id,
    received_kinds,
    said_beside,
    tie_of,
    time_of,
)
from .quick_json import PLAIN_FLOATS, encode_any
from .redaction import Redactor

#: Events older than 2000 or younger than 2100 come from a broken clock; seconds since the epoch.
MIN_TIMESTAMP = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
MAX_TIMESTAMP = datetime(2100, 1, 1, tzinfo=UTC).timestamp()

#: Fields of these events by the type that they have there, or None; `runtime` is a float.
_NAMES = frozenset(NAMES)
_TEXTS = frozenset({"args", "kwargs", "result", "exception", "traceback", "workflow"})
_TIMES = frozenset({"eta", "expires"})
_INTEGERS = frozenset({"pid", "utcoffset", "retries"})
_FIELDS = _NAMES | _TEXTS | _TIMES | _INTEGERS | {"runtime", TRACE}
#: Their kinds, as merge rules know them.
_KINDS = {
    f"task-{kind}": (f"task-{kind}",)
    for kind in ("sent", "received", "started", "succeeded", "failed", "retried")
}
_LEAST_FLOAT, _FLOAT_LIMIT = PLAIN_FLOATS

#: Redacted texts that are remembered: a task's arguments come twice, and many results are the same.
_REMEMBERED = 2_048
#: Characters of the longest text that is remembered.
_LONGEST_REMEMBERED = 1_024


class SimpleEvents:
    """Decodes simple events with one set of redaction rules, one limit of text length (characters), and one idea of
    which code is the project's own."""

    def __init__(self, redactor: Redactor, max_text_length: int, places: Places) -> None:
        self._redactor = redactor
        self._limit = max_text_length
        self._places = places
        #: Texts that came lately, and what is stored of them.
        self._redacted: dict[str, str] = {}
        #: A project's own rules may hide whole fields of Celery's.
        self._is_possible = not any(map(redactor.is_sensitive, _FIELDS - _NAMES - _TIMES))

    def may_be_in(self, body: bytes | str) -> bool:
        """Whether every text of a message can be stored as it is: short, and neither NUL nor beyond ASCII.

        In JSON both need an escape that begins with ``\\u``, or bytes beyond ASCII. True of nearly every message.
        """
        if len(body) > self._limit or not body.isascii() or not self._is_possible:
            return False
        return b"\\u" not in body if isinstance(body, bytes) else "\\u" not in body

    def decode(self, raw: Any) -> Event | None:
        """The event of one item of such a message; None if it is none, or holds anything that Celery does not send."""
        if raw.__class__ is not dict:
            return None
        values: dict[str, Any] = raw.copy()
        pop = values.pop
        kind, task_id, moment = pop("type", None), pop("uuid", None), pop("timestamp", None)
        worker, clock = pop("hostname", None), pop("clock", None)
        if (
            kind.__class__ is not str
            or kind not in _KINDS
            or task_id.__class__ is not str
            or not 0 < len(task_id) <= MAX_IDENTIFIER
            or moment.__class__ is not float
            or not MIN_TIMESTAMP <= moment < MAX_TIMESTAMP
            or worker.__class__ is not str
            or not 0 < len(worker) <= MAX_IDENTIFIER
            or clock.__class__ is not int
            or not 0 <= clock <= MAX_BIGINT
        ):
            return None
        kinds: tuple[str, ...] = _KINDS[kind]
        told: tuple[str | None, str] | None = None
        if kind == "task-received" and (STANDING in values or "queue" in values or TRACE in values):
            kinds = received_kinds(values)
            if STANDING in values:
                told = check(pop(ARGUMENTS, None), pop(STANDING), self._redactor, self._limit)
        encode = quick_json.encode
        redacted = self._redacted
        for name, value in values.items():
            type_ = value.__class__
            if type_ is str:
                if name in _TEXTS:
                    values[name] = redacted.get(value) or self._redact(value)
                elif name == TRACE:
                    if not is_trace_id(value):
                        return None
                elif len(value) > MAX_IDENTIFIER or (name not in _NAMES and name not in _TIMES):
                    return None
            elif type_ is int:
                if name not in _INTEGERS or not -MAX_INTEGER <= value <= MAX_INTEGER:
                    return None
            elif type_ is float:
                if name != "runtime" or not 0 <= value < _FLOAT_LIMIT:
                    return None
                if value < _LEAST_FLOAT:
                    encode = encode_any
            elif value is not None or name not in _FIELDS:
                return None
        if kind in KINDS_WITHOUT_ARGUMENTS:
            args, kwargs = pop("args", None), pop("kwargs", None)
            if told is not None:
                values[STANDING] = told[1]
            payload, said = encode(values), said_beside(args, kwargs, encode_any)
            if told is not None:
                values[ARGUMENTS] = told[0]
                said += encode_any(told[0])
            values["args"], values["kwargs"] = args, kwargs
        else:
            payload, said = encode(values), ""
        event = Event(task_id, kind, kinds, round(moment * 1_000_000), 0, worker, clock, values, payload)
        event.tie = tie_of(event, said)
        self._finish(values, worker)
        if kind == "task-failed":
            values["place"] = self._places.digest(values.get("exception_type"), values.get("traceback"))
        return event

    def _finish(self, values: dict[str, Any], worker: str) -> None:
        """Bring what registers take into the types of their columns; the types are known already."""
        values["worker"] = worker
        get = values.get
        if "exception" in values:
            values["exception"], values["exception_type"] = exception_of(get("exception"), get("traceback"))
        for name in _TIMES:
            if get(name) is not None:
                values[name] = time_of(values[name])
        if (get("retries") or 0) < 0:
            values["retries"] = 0

    def _redact(self, text: str) -> str:
        redacted = self._redactor.text(text)
        if len(text) <= _LONGEST_REMEMBERED:
            if len(self._redacted) >= _REMEMBERED:
                self._redacted.clear()
            self._redacted[text] = redacted
        return redacted
