"""Writes what workers answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..ingest.fields import MAX_IDENTIFIER
from ..models import Worker, WorkerSnapshot
from ..queries.worker_parts import typed
from ..queries.worker_parts.pool import pool
from ..queries.worker_parts.system import up_since
from .intake import Taken

#: What two answers may differ by on when a process began: it says its uptime in whole seconds, and an answer takes its
#: time. Less than the time in which a worker is started again.
_SAME_START = timedelta(seconds=3)


@dataclass(frozen=True)
class Asked:
    """What came of one question to one worker: an answer at `answered_at`, or a `Problem`."""

    hostname: str
    kind: str
    asked_at: datetime
    taken: Taken | None = None
    answered_at: datetime | None = None
    problem: str = ""
    words: str = ""


def store(asked: Iterable[Asked], using: str | None = None) -> None:
    """Keep every answer, and of each question without one that it was asked; what was answered before stays.

    Cost: two upserts, and a read and an UPDATE of each worker whose pool or queues have changed.
    """
    ordered = sorted(asked, key=lambda one: (one.hostname, one.kind))
    _upsert([one for one in ordered if one.taken is not None], ("content", "items", "answered_at"), using)
    _upsert([one for one in ordered if one.taken is None], (), using)
    answered: dict[str, dict[str, Asked]] = {}
    for one in ordered:
        if one.taken is not None:
            answered.setdefault(one.hostname, {})[one.kind] = one
    _describe(answered, using)


def _upsert(asked: Sequence[Asked], columns: tuple[str, ...], using: str | None) -> None:
    WorkerSnapshot.objects.using(using).bulk_create(
        [
            WorkerSnapshot(
                hostname=one.hostname,
                kind=one.kind,
                asked_at=one.asked_at,
                answered_at=one.answered_at,
                content=one.taken.content if one.taken else None,
                items=one.taken.items if one.taken else None,
                problem=one.problem,
                words=one.words,
            )
            for one in asked
        ],
        update_conflicts=True,
        unique_fields=["hostname", "kind"],
        update_fields=["asked_at", "problem", "words", *columns],
    )


def _describe(answered: Mapping[str, Mapping[str, Asked]], using: str | None) -> None:
    """Keep the rows of workers in step with their newest `stats` and `active_queues`."""
    known = [hostname for hostname, found in answered.items() if {"stats", "active_queues"} & set(found)]
    for worker in Worker.objects.using(using).filter(pk__in=known).order_by("pk"):
        facts = _facts(worker, answered[worker.hostname])
        Worker.objects.using(using).filter(pk=worker.pk).update(**facts)


def _facts(worker: Worker, answered: Mapping[str, Asked]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if (stats := answered.get("stats")) is not None and stats.taken is not None:
        described = pool(stats.taken.content)
        began = up_since(stats.taken.content, stats.answered_at)
        facts |= {
            "pool": described.name and described.name[:MAX_IDENTIFIER],
            "concurrency": described.concurrency,
            "inspected_at": stats.answered_at,
        }
        if began is None or worker.up_since is None or abs(began - worker.up_since) > _SAME_START:
            facts["up_since"] = began
    if (queues := answered.get("active_queues")) is not None and queues.taken is not None:
        names = [typed.text(queue.get("name")) for queue in typed.records(queues.taken.content)]
        facts["queues"] = sorted(name for name in names if name is not None)
        facts.setdefault("inspected_at", queues.answered_at)
    return facts
