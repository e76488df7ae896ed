"""What a store is. One contract suite, tests/ingest/stores/test_contract.py, runs against each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from monitoring.ingest.events import Event


@dataclass(slots=True)
class DeadLetterEntry:
    """A row of the dead-letter table to be."""

    received_at: datetime
    reason: str
    size: int
    digest: str
    content_type: str = ""
    routing_key: str = ""
    headers: dict[str, Any] = field(default_factory=dict)
    #: Whether it is known to have come before: whoever was given it then may have stored it.
    has_come_before: bool = False


@dataclass(slots=True)
class GapEntry:
    """A row of the table of gaps to be."""

    started_at: datetime
    ended_at: datetime
    reason: str


@dataclass(slots=True)
class Batch:
    """What one transaction writes."""

    tasks: list[Event] = field(default_factory=list)
    workers: list[Event] = field(default_factory=list)
    dead_letters: list[DeadLetterEntry] = field(default_factory=list)
    gaps: list[GapEntry] = field(default_factory=list)
    #: What :meth:`Store.prepare` has made of `tasks`.
    prepared: Any = None

    def __len__(self) -> int:
        return len(self.tasks) + len(self.workers) + len(self.dead_letters) + len(self.gaps)


@dataclass(slots=True)
class Written:
    """What one transaction changed."""

    #: Task events that were not in the log before.
    new_events: int = 0


class Store(Protocol):
    """Writes batches so that the database always equals the join of every event that was ever written to it."""

    def prepare(self, batch: Batch) -> None:
        """Do beforehand, perhaps in another thread, what writing `batch` needs no database for.

        Its task events must not change from then on. Raises what :meth:`write` would raise.
        """

    def write(self, batch: Batch) -> Written:
        """Write all of `batch` in one transaction, or nothing of it.

        Writing an event again, now or in another process, changes nothing, nor does writing a dead letter or a gap
        again. Raises ``django.db.DatabaseError``.
        """
