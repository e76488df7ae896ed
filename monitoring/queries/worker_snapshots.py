"""What workers last answered when they were asked. How to read an answer is in ``worker_parts/``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..inspection.kinds import KINDS
from ..models import WorkerSnapshot
from .visibility import Visibility


@dataclass(frozen=True)
class Snapshot:
    """One answer. `content` is redacted JSON of any shape: what hostile or unknown workers say is not checked here.

    `asked_at`: the newest question, None: never asked. `answered_at`: how old the content is, None: never answered.
    `problem`: in words what came of the newest question instead of an answer, "" where it was answered; may quote the
    worker. `items`: of a list, how many it had before it was cut. `is_hidden`: there may be one, which is not for a
    user of limited visibility.
    """

    kind: str
    content: Any = None
    items: int | None = None
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    problem: str = ""
    is_hidden: bool = False


def snapshot(visibility: Visibility, hostname: str, kind: str) -> Snapshot:
    """One worker's newest answer to one question. Cost: the primary key.

    Of what tells of tasks a limited user gets nothing here; ``worker_tasks.py`` picks what they may see, and leaves out
    arguments where there is no permission for them. Raises KeyError for a kind there is none of.
    """
    return snapshots(visibility, hostname, [kind])[kind]


def snapshots(
    visibility: Visibility, hostname: str, kinds: Iterable[str] | None = None
) -> dict[str, Snapshot]:
    """Several of them, or all, by kind; each kind is there, asked or not. Cost: a range of the primary key."""
    asked = list(KINDS) if kinds is None else list(kinds)
    readable = [kind for kind in asked if not KINDS[kind].is_of_everything or visibility.is_everything]
    hidden = {kind: Snapshot(kind, is_hidden=True) for kind in asked}
    return hidden | unlimited_snapshots(hostname, readable)


def unlimited_snapshots(hostname: str, kinds: Iterable[str]) -> dict[str, Snapshot]:
    """As :func:`snapshots`, whoever asks: for queries that look themselves at what may be seen."""
    found = {kind: Snapshot(kind) for kind in kinds}
    if "\0" in hostname:  # no name has one, and PostgreSQL refuses to look
        return found
    for row in WorkerSnapshot.objects.filter(hostname=hostname, kind__in=list(found)):
        found[row.kind] = Snapshot(
            row.kind, row.content, row.items, row.asked_at, row.answered_at, _problem(row)
        )
    return found


def _problem(row: WorkerSnapshot) -> str:
    """``did not answer in time``, with what the worker said where it said anything."""
    return ": ".join(filter(None, (str(row.get_problem_display()), row.words)))
