"""THE table of what can be searched: field, what it compares, and which columns of a task it means. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How the values of a field are compared."""

    STATE = "state"  # one of the states, in any case
    NAME = "name"  # the whole text, or a pattern with stars; case counts
    ID = "id"  # the beginning of an id, or a pattern; case counts
    TEXT = "text"  # anywhere in a long text; the case of A to Z does not count
    DURATION = "duration"  # 85ms, 2s, 1h30m; a bare number is in seconds
    COUNT = "count"  # a whole number
    TIME = "time"  # 2026-11-22, 2026-11-22T14:18, 14:18, -2h, now


#: Celery's states and ours, in the order in which pages list them.
STATES = ("PENDING", "RECEIVED", "STARTED", "RETRY", "SUCCESS", "FAILURE", "REVOKED", "REJECTED", "LOST")


@dataclass(frozen=True)
class Field:
    """`columns` of the model Task that are looked into, `public` those that a reader without ``view_payload`` may
    search in (none: the field is not for such a reader), and an example for the page."""

    name: str
    kind: Kind
    columns: tuple[str, ...]
    public: tuple[str, ...]
    example: str
    aliases: tuple[str, ...] = ()


def _field(name: str, kind: Kind, column: str, example: str, *aliases: str) -> Field:
    return Field(name, kind, (column,), (column,), example, aliases)


def _payload(name: str, example: str) -> Field:
    return Field(name, Kind.TEXT, (name,), (), example)


FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        _field("state", Kind.STATE, "state", "state:FAILURE,RETRY", "status"),
        _field("name", Kind.NAME, "name", "name:payments.*", "task"),
        _field("worker", Kind.NAME, "worker", "worker:celery@pay-1", "host", "hostname"),
        _field("queue", Kind.NAME, "queue", "-queue:archive"),
        _field("exception_type", Kind.NAME, "exception_type", "exception_type:KeyError"),
        _field("fingerprint", Kind.NAME, "fingerprint", "fingerprint:9f31c2d47ab01c55"),
        Field(
            "exception", Kind.TEXT, ("exception", "exception_type"), ("exception_type",),
            'exception:"504 Gateway"',
        ),
        _payload("args", "args:48213"),
        _payload("kwargs", "kwargs:\"'order_id': 48213\""),
        _payload("result", "result:created"),
        _payload("traceback", "traceback:checkout.py"),
        _field("id", Kind.ID, "task_id", "id:9f31c2d4", "task_id", "uuid"),
        _field("root", Kind.ID, "root_id", "root:9f31c2d4", "root_id"),
        _field("parent", Kind.ID, "parent_id", "parent:9f31c2d4", "parent_id"),
        _field("runtime", Kind.DURATION, "runtime", "runtime:>10s"),
        _field("wait", Kind.DURATION, "wait", "wait:1m..5m"),
        _field("retries", Kind.COUNT, "retries", "retries:>=1"),
        _field("first_seen", Kind.TIME, "first_seen", "first_seen:2026-11-22", "seen"),
        _field("sent", Kind.TIME, "sent_at", "sent:<-1h", "sent_at"),
        _field("received", Kind.TIME, "received_at", "received:14:00..14:30", "received_at"),
        _field("started", Kind.TIME, "started_at", "started:>-2h", "started_at"),
        _field("attempt_started", Kind.TIME, "attempt_started_at", "attempt_started:<-10m", "attempt_started_at"),
        _field("finished", Kind.TIME, "finished_at", "finished:-15m", "finished_at"),
        _field("eta", Kind.TIME, "eta", "eta:>now"),
    )
}  # fmt: skip

#: Every name that a field answers to.
BY_NAME: dict[str, Field] = {
    name: field for field in FIELDS.values() for name in (field.name, *field.aliases)
}

#: What a bare word is looked for in, beside the beginning of the id.
BARE_WORD = Field(
    "",
    Kind.TEXT,
    ("name", "exception", "exception_type", "args", "kwargs", "result"),
    ("name", "exception_type"),
    '"504 Gateway"',
)
