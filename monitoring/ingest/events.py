"""What a message from the event exchange turns into. Pure data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

#: What Celery itself says of a task; every other ``task-`` kind is the user's own, and so are its fields.
CELERY_TASK_TYPES = frozenset(
    {
        "task-sent",
        "task-received",
        "task-started",
        "task-succeeded",
        "task-failed",
        "task-retried",
        "task-revoked",
        "task-rejected",
        "task-cancelled",
    }
)


class Event(Struct, gc=False):
    """One decoded, redacted event of a task or a worker, in the form that the fold and the stores take.

    `subject` is the task's id or the worker's host name; `kinds` what merge rules know it by; `ts` microseconds since
    the epoch; `tie` a 63-bit digest of all that the event says; `payload` the JSON text that the event log keeps.
    It can be part of no cycle, so that the garbage collector need not look at it.
    """

    subject: str
    type: str
    kinds: tuple[str, ...]
    ts: int
    tie: int
    worker: str
    clock: int | None
    values: dict[str, Any]
    payload: str = ""


@dataclass(slots=True)
class Undecodable:
    """What could not become an event: why, how large it was, and its SHA-256, never its text (it may hold secrets)."""

    reason: str
    size: int
    digest: str


@dataclass(slots=True)
class Decoded:
    """What one message held."""

    tasks: list[Event] = field(default_factory=list)
    workers: list[Event] = field(default_factory=list)
    undecodable: list[Undecodable] = field(default_factory=list)
    #: Events that are none of ours: other groups, gossip's elections.
    dropped: int = 0
