"""What feed entries say together. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol


class Entry(Protocol):
    """A feed entry."""

    pk: int
    resync: bool
    many: bool
    tasks: list[str]
    changes: int
    succeeded: int
    failed: int
    retried: int
    ended: int


@dataclass(frozen=True)
class News:
    """`everything`: what is shown has to be read anew. `many`: more tasks have changed than `tasks` lists, which are
    then some of those that ended last.

    `changes` are task events, `ended` attempts that have ended.
    """

    everything: bool = False
    many: bool = False
    tasks: frozenset[str] = frozenset()
    changes: int = 0
    ended: int = 0

    #: Most task ids that are looked up one by one; above it is "many".
    MOST = 2_000

    @classmethod
    def of(cls, entries: Sequence[Entry], cut: bool = False) -> News:
        """`cut`: there are more entries than were read."""
        tasks = frozenset(task_id for entry in entries for task_id in entry.tasks)
        many = cut or len(tasks) > cls.MOST or any(entry.many for entry in entries)
        return cls(
            everything=any(entry.resync for entry in entries),
            many=many,
            tasks=frozenset(islice(tasks, cls.MOST)) if len(tasks) > cls.MOST else tasks,
            changes=sum(entry.changes for entry in entries),
            ended=sum(entry.succeeded + entry.failed + entry.retried + entry.ended for entry in entries),
        )

    @property
    def about_tasks(self) -> bool:
        return self.everything or self.many or bool(self.tasks)
