"""From the bytes of a message to typed events: JSON only, redacted, in a form that every database takes. Pure.

Fields are those of Celery 5.6 and 5.7 (docs: "Monitoring and Management Guide", section Event Reference). Nothing that
a task can send stops the decoder: what is no event becomes an :class:`Undecodable`, and the events around it are kept.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..arguments import check
from ..tracebacks.fingerprint import Places
from .events import CELERY_TASK_TYPES, Decoded, Event, Undecodable
from .fields import (
    ARGUMENTS,
    KINDS_WITHOUT_ARGUMENTS,
    MAX_BIGINT,
    MAX_IDENTIFIER,
    NAMES,
    STANDING,
    TRACE,
    bigint,
    interval_of,
    is_trace_id,
    normalise,
    number_of,
    received_kinds,
    said_beside,
    tie_of,
    time_of,
)
from .quick_json import encode_any, parse_any, split_group
from .redaction import MARK, Redactor
from .simple_events import MAX_TIMESTAMP, MIN_TIMESTAMP, SimpleEvents
from .text import ends_of_traceback, storable, storable_json

logger = logging.getLogger(__name__)

_WORKER_TYPES = frozenset({"worker-online", "worker-heartbeat", "worker-offline"})
#: Columns of the event log, so not repeated in its payload.
_ENVELOPE = frozenset({"uuid", "type", "timestamp", "hostname", "clock", "local_received"})
#: The task row has the newest of these, so that the log need not keep them once more for each sending and receipt.
_ARGUMENTS = frozenset({"args", "kwargs", ARGUMENTS})
#: All other text is redacted, and so is every field of an event of the user's own kind.
_PLAIN_TEXT = frozenset(NAMES)
#: Times stay as they are; nobody says that a text in their place is one.
_TIMES = ("eta", "expires")
#: Names of fields that need no look, since Celery or we gave them.
_KNOWN_FIELDS = _PLAIN_TEXT | _ENVELOPE | _ARGUMENTS | frozenset(
    {*_TIMES, "signum", "utcoffset", "pid", "retries", "result", "runtime", "exception", "traceback", "terminated",
     "expired", "requeue", "current", "total", "message", STANDING, TRACE, "workflow"}
)  # fmt: skip


#: The content type that a source gives to what it could not read, followed by why.
_UNREADABLE = "application/x-unreadable; because="
#: Items of one message that become dead letters of their own; the others become one for all of them. A list of a
#: million numbers must not become a million rows; and who ran out of memory over it would be given it again.
MOST_TOLD = 100


class NotAnEvent(ValueError):
    """The reason why something is no event, in words for the dead-letter table."""


@dataclass(slots=True, frozen=True)
class _Unreadable:
    """An item of a list that cannot be read itself: why, and its text."""

    reason: str
    text: bytes


class Decoder:
    """Decodes messages with one set of redaction rules and one limit of text length (characters).

    `own_code`: ``MONITORING["OWN_CODE"]``, by which places of failures are told (tracebacks/fingerprint.py).
    """

    def __init__(self, redactor: Redactor, max_text_length: int, own_code: Sequence[str] = ()) -> None:
        self._redactor = redactor
        self._places = Places(own_code)
        self._simple = SimpleEvents(redactor, max_text_length, self._places)
        self._redact = redactor.text
        self._redact_value = redactor.value
        self._is_sensitive = redactor.is_sensitive
        self._limit = max_text_length

    def decode(self, body: bytes | str, content_type: str | None) -> Decoded:
        """The events of one message: a JSON object, or a list of them, as workers send them in groups."""
        decoded = Decoded()
        try:
            items = self._take_simple(body, content_type, decoded)
        except NotAnEvent as error:
            decoded.undecodable.append(_undecodable(str(error), body))
            return decoded
        untold = 0
        for item in items:
            try:
                self._decode_one(item, decoded)
                continue
            except NotAnEvent as error:
                reason = str(error)
            except Exception as error:  # a fault of ours must not stop the stream at the event that shows it
                logger.exception("A fault in decoding")
                reason = f"fault in decoding: {type(error).__name__}"
            if len(decoded.undecodable) < MOST_TOLD:
                decoded.undecodable.append(_undecodable(reason, _text(item, body)))
            else:
                untold += 1
        if untold:
            rest = f"{untold:,} more items of this message are no events"
            decoded.undecodable.append(_undecodable(rest, body))
        return decoded

    def _take_simple(self, body: bytes | str, content_type: str | None, decoded: Decoded) -> list[Any]:
        """Decode the simple events of a message; the items that are not, for a closer look.

        Raises :class:`NotAnEvent` for what is no JSON.
        """
        if content_type not in ("application/json", "application/x-json"):
            if isinstance(content_type, str) and content_type.startswith(_UNREADABLE):
                raise NotAnEvent(f"could not be read: {content_type.removeprefix(_UNREADABLE):.100}")
            raise NotAnEvent(f"content type {content_type!r:.100} is not accepted, only JSON is")
        others = self._simple.take(body, decoded.tasks)
        if others == []:
            return []
        items = _items(body)
        return items if others is None else [items[index] for index in others]

    def describe(self, properties: dict[str, Any]) -> dict[str, Any]:
        """A message's properties as they may be stored; what is no JSON is shown as its repr."""
        try:
            plain = json.loads(json.dumps(properties, default=repr, skipkeys=True), parse_constant=str)
        except (ValueError, RecursionError):
            plain = properties  # a number or a nesting that no encoder takes; what is deep is cut below
        return {name: self._redact_value(storable_json(value, self._limit)) for name, value in plain.items()}

    def _decode_one(self, raw: Any, decoded: Decoded) -> None:
        if isinstance(raw, _Unreadable):
            raise NotAnEvent(raw.reason)
        if not isinstance(raw, dict):
            raise NotAnEvent(f"not an event: a JSON {type(raw).__name__}")
        kind = raw.get("type")
        if not isinstance(kind, str) or not kind:
            raise NotAnEvent("no event type")
        if kind.startswith("task-"):
            decoded.tasks.append(self._task_event(raw, kind))
        elif kind in _WORKER_TYPES:
            decoded.workers.append(self._worker_event(raw, kind))
        else:
            decoded.dropped += 1

    def _task_event(self, raw: dict[str, Any], kind: str) -> Event:
        task_id = _identifier(raw.get("uuid"), "task id (uuid)")
        ts = _microseconds(raw.get("timestamp"))
        worker = _identifier(raw.get("hostname"), "host name")
        if len(kind) > MAX_IDENTIFIER:
            raise NotAnEvent(f"event type longer than {MAX_IDENTIFIER} characters")
        plain = _PLAIN_TEXT if kind in CELERY_TASK_TYPES else frozenset()
        if plain and is_trace_id(raw.get(TRACE)) and not self._is_sensitive(TRACE):
            plain |= {TRACE}
        if plain:
            plain |= {name for name in _TIMES if time_of(raw.get(name)) is not None}
        told = ARGUMENTS if kind == "task-received" and STANDING in raw else ""
        values = {
            name if name in _KNOWN_FIELDS else self._field_name(name): self._value(name, value, name in plain)
            for name, value in raw.items()
            if name not in _ENVELOPE and name != told
        }
        if told:
            values[ARGUMENTS], values[STANDING] = check(
                raw.get(told), raw[STANDING], self._redactor, self._limit
            )
        clock = bigint(raw.get("clock"))
        kind = storable(kind, MAX_IDENTIFIER)
        if kind in KINDS_WITHOUT_ARGUMENTS:
            kept = {name: value for name, value in values.items() if name not in _ARGUMENTS}
            payload = self._encode(kept)
            said = said_beside(values.get("args"), values.get("kwargs"), self._encode)
            if ARGUMENTS in values:
                said += self._encode(values[ARGUMENTS])
        else:
            payload, said = self._encode(values), ""
        tie = tie_of(task_id, ts, clock, worker, kind, payload, said)
        event = Event(task_id, kind, _rule_kinds(kind, values), ts, tie, worker, clock, values, payload)
        normalise(values, worker)
        if kind == "task-failed":
            values["place"] = self._places.digest(values["exception_type"], values.get("traceback"))
        return event

    def _worker_event(self, raw: dict[str, Any], kind: str) -> Event:
        hostname = _identifier(raw.get("hostname"), "host name")
        ts = _microseconds(raw.get("timestamp"))
        active, load = raw.get("active"), raw.get("loadavg")
        values: dict[str, Any] = {
            "worker": hostname,
            "pid": bigint(raw.get("pid")),
            "clock": bigint(raw.get("clock")),
            "software": self._redact(
                storable(" ".join(str(raw[f]) for f in ("sw_ident", "sw_ver", "sw_sys") if raw.get(f)), 255)
            ),
            "freq": interval_of(raw.get("freq")),
            "active": bigint(active),
            "processed": bigint(raw.get("processed")),
            "loadavg": [number_of(x) for x in load[:3]] if isinstance(load, list) else None,
        }
        kinds = (kind,) if values["active"] is None or kind == "worker-offline" else (kind, "worker-measured")
        said = self._encode(storable_json(raw, self._limit))
        tie = tie_of(hostname, ts, values["clock"], hostname, kind, "", said)
        return Event(hostname, kind, kinds, ts, tie, hostname, values["clock"], values)

    def _field_name(self, name: str) -> str:
        return storable(self._redact(name), MAX_IDENTIFIER)

    def _value(self, name: str, value: Any, is_plain: bool) -> Any:
        """One field as it may be stored: redacted, of bounded length, without characters that a database refuses.

        What is long is cut before it is redacted, so that one event cannot keep the consumer busy for seconds; the
        redactor knows a cut text by its mark.
        """
        if value is None or value is True or value is False:
            return value
        if not is_plain and self._is_sensitive(name):
            return MARK
        if isinstance(value, str):
            if len(value) > self._limit and name == "traceback":
                ends = ends_of_traceback(value, self._limit)
                if ends is not None:
                    beginning, mark, end = ends
                    return self._redact(beginning) + mark + self._redact(end)
            text = storable(value, self._limit)
            return text if is_plain else self._redact(text)
        if isinstance(value, int):
            return value if -MAX_BIGINT <= value <= MAX_BIGINT else str(value)
        if isinstance(value, float):
            return value if value - value == 0 else str(value)
        return self._redact_value(storable_json(value, self._limit))

    def _encode(self, value: Any) -> str:
        try:
            return encode_any(value)
        except (
            ValueError,
            RecursionError,
        ):  # infinite numbers or a nesting that no encoder takes, deep in a field
            return encode_any(storable_json(value, self._limit))


def unreadable(why: str) -> str:
    """The content type of a message of which nothing but its body is known; `why` is told as the reason."""
    return _UNREADABLE + why


def _items(body: bytes | str) -> list[Any]:
    """What a message holds: one item, or a list of them, in which what cannot be read is :class:`_Unreadable`."""
    try:
        message = parse_any(body)
    except (ValueError, RecursionError) as error:
        texts = split_group(body)
        if texts is None:
            raise NotAnEvent(_no_json(error)) from None
        return [_item(text) for text in texts]
    return message if isinstance(message, list) else [message]


def _item(text: bytes) -> Any:
    try:
        return parse_any(text)
    except (ValueError, RecursionError) as error:
        return _Unreadable(_no_json(error), text)


def _no_json(error: Exception) -> str:
    # The text of the error is left out: it may quote the body.
    return f"not JSON: {type(error).__name__}"


def _identifier(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise NotAnEvent(f"no {what}")
    if len(value) > MAX_IDENTIFIER:
        raise NotAnEvent(f"{what} longer than {MAX_IDENTIFIER} characters")
    return storable(value, MAX_IDENTIFIER)


def _microseconds(value: Any) -> int:
    """The event's own time. Celery's receiver would shift it by whole hours between time zones; it is UTC already."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotAnEvent("no timestamp")
    if not MIN_TIMESTAMP <= value < MAX_TIMESTAMP:
        raise NotAnEvent("timestamp outside the years 2000 to 2100")
    return round(value * 1_000_000)


def _rule_kinds(kind: str, values: dict[str, Any]) -> tuple[str, ...]:
    if kind == "task-rejected":
        return ("requeued",) if values.get("requeue") else ("rejected",)
    if kind == "task-received":
        return received_kinds(values)
    return (kind,)


def _text(item: Any, body: bytes | str) -> bytes | str:
    """One item of a message as text; the whole message where its nesting is too deep to be written again."""
    if isinstance(item, _Unreadable):
        return item.text
    try:
        return json.dumps(item)
    except (ValueError, RecursionError):
        return body


def _undecodable(reason: str, body: bytes | str) -> Undecodable:
    data = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    return Undecodable(reason, len(data), hashlib.sha256(data).hexdigest())
