"""A short way for the events that nearly all are: Celery's own, of a task that runs, with nothing unusual. Pure.

What such an event holds is told by the classes below, so that msgspec checks it while it reads the JSON. The short way
gives exactly what the long way in ``decoding.py`` gives, in a third of the time, or nothing: then that one is taken.
tests/ingest/test_simple_events.py holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ..arguments import check
from ..tracebacks.fingerprint import Places
from .events import Event
from .fields import (
    ARGUMENTS,
    MAX_BIGINT,
    MAX_IDENTIFIER,
    MAX_INTEGER,
    STANDING,
    TRACE,
    exception_of,
    is_trace_id,
    received_kinds,
    said_beside,
    tie_of,
    time_of,
)
from .quick_json import PLAIN_FLOATS, encode, encode_any
from .redaction import Redactor

#: Events older than 2000 or younger than 2100 come from a broken clock; seconds since the epoch.
MIN_TIMESTAMP = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
MAX_TIMESTAMP = datetime(2100, 1, 1, tzinfo=UTC).timestamp()

_LEAST_FLOAT, _FLOAT_LIMIT = PLAIN_FLOATS
_Id = Annotated[str, Meta(min_length=1, max_length=MAX_IDENTIFIER)]
_Name = Annotated[str, Meta(max_length=MAX_IDENTIFIER)]
_Int = Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]

#: Redacted texts that are remembered: a task's arguments come twice, and many results are the same.
_REMEMBERED = 2_048
#: Characters of the longest text that is remembered.
_LONGEST_REMEMBERED = 1_024


class _Simple(Struct, tag_field="type", forbid_unknown_fields=True, gc=False):
    """What each of Celery's events of a task has."""

    uuid: _Id
    hostname: _Id
    timestamp: Annotated[float, Meta(ge=MIN_TIMESTAMP, lt=MAX_TIMESTAMP)]
    clock: Annotated[int, Meta(ge=0, le=MAX_BIGINT)]
    pid: _Int | None
    utcoffset: _Int | None


class _Call(_Simple):
    name: _Name | None
    args: str | None
    kwargs: str | None
    root_id: _Name | None
    parent_id: _Name | None
    retries: _Int | None
    eta: _Name | None
    expires: _Name | None


class _Sent(_Call, tag="task-sent"):
    queue: _Name | None
    exchange: _Name | None
    routing_key: _Name | None


class _Received(_Call, tag="task-received"):
    """The last five are told by the plug-in for workers alone (monitoring/celery)."""

    queue: _Name | UnsetType | None = UNSET
    workflow: str | UnsetType | None = UNSET
    arguments: str | UnsetType | None = UNSET
    arguments_are: str | UnsetType = UNSET
    trace_id: str | UnsetType | None = UNSET


class _Started(_Simple, tag="task-started"):
    pass


class _Succeeded(_Simple, tag="task-succeeded"):
    result: str | None
    runtime: float | int | None


class _Thrown(_Simple):
    exception: str | None
    traceback: str | None


class _Failed(_Thrown, tag="task-failed"):
    pass


class _Retried(_Thrown, tag="task-retried"):
    pass


_Any = _Sent | _Received | _Started | _Succeeded | _Failed | _Retried
_parse_one: Callable[[bytes | str], Any] = msgspec.json.Decoder(_Any).decode
_parse_group: Callable[[bytes | str], list[Any]] = msgspec.json.Decoder(list[_Any]).decode
_split_group: Callable[[bytes | str], list[Any]] = msgspec.json.Decoder(list[msgspec.Raw]).decode
#: The fields of a receipt that the plug-in tells.
_TOLD = ("queue", "workflow", ARGUMENTS, STANDING, TRACE)
#: Fields that are redacted. A project's own rules may hide whole fields of Celery's: then there is no short way.
_REDACTED = (
    "args", "kwargs", "result", "exception", "traceback", "workflow", "pid", "utcoffset", "retries", "runtime", TRACE
)  # fmt: skip


class SimpleEvents:
    """Decodes simple events with one set of redaction rules, one limit of text length (characters), and one idea of
    which code is the project's own."""

    def __init__(self, redactor: Redactor, max_text_length: int, places: Places) -> None:
        self._redactor = redactor
        self._limit = max_text_length
        self._places = places
        #: Texts that came lately, and what is stored of them.
        self._redacted: dict[str, str] = {}
        self._is_possible = not any(map(redactor.is_sensitive, _REDACTED))
        self._ways: dict[type, Callable[[Any], Event | None]] = {
            _Sent: self._sent,
            _Received: self._received,
            _Started: self._started,
            _Succeeded: self._succeeded,
            _Failed: self._thrown,
            _Retried: self._thrown,
        }

    def take(self, body: bytes | str, tasks: list[Event]) -> list[int] | None:
        """Add the simple events of one message to `tasks`; the numbers of its items that are none.

        None where that takes a closer look at the whole message.
        """
        if not self._may_be_in(body):
            return None
        items = _items(body)
        if items is None:
            return None
        ways = self._ways
        others = []
        for index, raw in enumerate(items):
            event = None if raw is None else ways[raw.__class__](raw)
            if event is None:
                others.append(index)
            else:
                tasks.append(event)
        return others

    def _may_be_in(self, body: bytes | str) -> bool:
        """Whether every text of a message can be stored as it is: short, and neither NUL nor beyond ASCII.

        In JSON both need an escape that begins with ``\\u``, or bytes beyond ASCII. True of nearly every message.
        """
        if len(body) > self._limit or not body.isascii() or not self._is_possible:
            return False
        # Most messages have no backslash at all, and one character is found ten times as fast as two.
        if isinstance(body, bytes):
            return b"\\" not in body or b"\\u" not in body
        return "\\" not in body or "\\u" not in body

    def _sent(self, raw: _Sent) -> Event | None:
        if _has_odd_time(raw):
            return None
        values: dict[str, Any] = {
            "eta": raw.eta,
            "exchange": raw.exchange,
            "expires": raw.expires,
            "name": raw.name,
            "parent_id": raw.parent_id,
            "pid": raw.pid,
            "queue": raw.queue,
            "retries": raw.retries,
            "root_id": raw.root_id,
            "routing_key": raw.routing_key,
            "utcoffset": raw.utcoffset,
        }
        args, kwargs = self._text(raw.args), self._text(raw.kwargs)
        event = _event(
            raw, "task-sent", ("task-sent",), values, encode(values), said_beside(args, kwargs, encode_any)
        )
        _finish_call(raw, values, args, kwargs)
        return event

    def _received(self, raw: _Received) -> Event | None:
        if _has_odd_time(raw):
            return None
        values: dict[str, Any] = {
            "eta": raw.eta,
            "expires": raw.expires,
            "name": raw.name,
            "parent_id": raw.parent_id,
            "pid": raw.pid,
            "retries": raw.retries,
            "root_id": raw.root_id,
            "utcoffset": raw.utcoffset,
        }
        args, kwargs = self._text(raw.args), self._text(raw.kwargs)
        said = said_beside(args, kwargs, encode_any)
        kinds: tuple[str, ...] = ("task-received",)
        told: dict[str, Any] = {name: value for name in _TOLD if (value := getattr(raw, name)) is not UNSET}
        if told:
            trace_id = told.get(TRACE)
            if trace_id is not None and not is_trace_id(trace_id):
                return None
            if "workflow" in told:
                told["workflow"] = self._text(told["workflow"])
            arguments = told.pop(ARGUMENTS, UNSET)
            if STANDING in told:
                arguments, told[STANDING] = check(
                    None if arguments is UNSET else arguments, told[STANDING], self._redactor, self._limit
                )
                said += encode_any(arguments)
            elif arguments is not UNSET:
                return None
            values |= told
            kinds = received_kinds(values)
        event = _event(raw, "task-received", kinds, values, encode(values), said)
        if STANDING in told:
            values[ARGUMENTS] = arguments
        _finish_call(raw, values, args, kwargs)
        return event

    def _started(self, raw: _Started) -> Event:
        values: dict[str, Any] = {"pid": raw.pid, "utcoffset": raw.utcoffset}
        event = _event(raw, "task-started", ("task-started",), values, encode(values), "")
        values["worker"] = raw.hostname
        return event

    def _succeeded(self, raw: _Succeeded) -> Event | None:
        runtime = raw.runtime
        if runtime is not None and (runtime.__class__ is not float or not 0 <= runtime < _FLOAT_LIMIT):
            return None
        values: dict[str, Any] = {
            "pid": raw.pid,
            "result": self._text(raw.result),
            "runtime": runtime,
            "utcoffset": raw.utcoffset,
        }
        write = encode if runtime is None or runtime >= _LEAST_FLOAT else encode_any
        event = _event(raw, "task-succeeded", ("task-succeeded",), values, write(values), "")
        values["worker"] = raw.hostname
        return event

    def _thrown(self, raw: _Thrown) -> Event:
        kind = "task-failed" if raw.__class__ is _Failed else "task-retried"
        values: dict[str, Any] = {
            "exception": self._text(raw.exception),
            "pid": raw.pid,
            "traceback": self._text(raw.traceback),
            "utcoffset": raw.utcoffset,
        }
        event = _event(raw, kind, (kind,), values, encode(values), "")
        values["worker"] = raw.hostname
        values["exception"], values["exception_type"] = exception_of(values["exception"], values["traceback"])
        if kind == "task-failed":
            values["place"] = self._places.digest(values["exception_type"], values["traceback"])
        return event

    def _text(self, text: str | None) -> str | None:
        """`text` as it may be stored."""
        if not text:
            return text
        redacted = self._redacted.get(text)
        if redacted is None:
            redacted = self._redactor.text(text)
            if len(text) <= _LONGEST_REMEMBERED:
                if len(self._redacted) >= _REMEMBERED:
                    self._redacted.clear()
                self._redacted[text] = redacted
        return redacted


def _items(body: bytes | str) -> list[Any] | None:
    """The simple events of a message, each as its class, and None for each other item; None for what is no JSON."""
    is_group = body.startswith("[") if isinstance(body, str) else body.startswith(b"[")
    try:
        try:
            return _parse_group(body) if is_group else [_parse_one(body)]
        except msgspec.ValidationError:
            return [_simple(item) for item in _split_group(body)] if is_group else [None]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _simple(item: Any) -> Any:
    try:
        return _parse_one(item)
    except msgspec.ValidationError:
        return None


def _event(
    raw: _Simple, kind: str, kinds: tuple[str, ...], values: dict[str, Any], payload: str, said: str
) -> Event:
    task_id, worker, clock, ts = raw.uuid, raw.hostname, raw.clock, round(raw.timestamp * 1_000_000)
    tie = tie_of(task_id, ts, clock, worker, kind, payload, said)
    return Event(task_id, kind, kinds, ts, tie, worker, clock, values, payload)


def _has_odd_time(raw: _Call) -> bool:
    """Whether something else stands in place of a time: it has to be redacted."""
    return (raw.eta is not None and time_of(raw.eta) is None) or (
        raw.expires is not None and time_of(raw.expires) is None
    )


def _finish_call(raw: _Call, values: dict[str, Any], args: str | None, kwargs: str | None) -> None:
    """Bring what registers take into the types of their columns; most types are known already."""
    values["args"], values["kwargs"], values["worker"] = args, kwargs, raw.hostname
    if raw.eta is not None:
        values["eta"] = time_of(raw.eta)
    if raw.expires is not None:
        values["expires"] = time_of(raw.expires)
    if raw.retries is not None and raw.retries < 0:
        values["retries"] = 0
