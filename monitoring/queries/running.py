"""What runs now, and what has just finished, of the tasks that a question asks for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db.models import Count, DateTimeField, F, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from ..models import Task
from .newest import EVER, as_rows
from .one_after_the_other import one_after_the_other
from .reading import OutOfTime, Reading
from .task_list import Asked

#: States in which an attempt is over. A task that is to be retried has ended one, and will start another.
FINISHED_STATES = ("SUCCESS", "FAILURE", "REVOKED", "REJECTED", "LOST", "RETRY")
#: Newest tasks that are looked through for those that have just finished.
RECENT = 2_000


@dataclass(frozen=True)
class Running:
    """The tasks that have run longest, and how many run in all."""

    rows: list[Task]
    total: int


def running(asked: Asked, *, size: int) -> Running:
    """The `size` matching tasks whose newest attempt has run longest, and how many match.

    Cost: one query that reads each row of state STARTED twice by the index of states, as many as run at once and those
    whose end nobody has reported, and the primary keys of the rows.
    """
    started = asked.tasks().filter(state="STARTED")
    longest_first = (F("attempt_started_at").asc(nulls_last=True), "task_id")
    # The long texts of the rows that are shown, not of all that are counted and sorted.
    shown = Task.objects.filter(pk__in=started.order_by(*longest_first).values("pk")[:size])
    counted = (
        started.order_by().annotate(one=Value(1)).values("one").annotate(number=Count("*")).values("number")
    )
    rows: list[Any] = list(as_rows(asked, shown).annotate(number=Subquery(counted)).order_by(*longest_first))
    return Running(rows, rows[0].number if rows else 0)


def just_finished(asked: Asked, *, size: int) -> list[Task]:
    """The `size` matching tasks whose attempt ended last, newest first, as `ended_at`, among the RECENT newest tasks.

    Where those are fewer, also those that began last among all: what a narrow filter wants may be old.

    Cost: one question, at most RECENT rows by the index of the list, and where those are too few what an index serves;
    where that takes too long a second one, for the RECENT newest alone.
    """
    finished, since = _finished(asked), _since(RECENT)
    recent = finished.filter(first_seen__gte=since).order_by("-ended_at")[:size]
    older = finished.filter(first_seen__lt=since).order_by("-first_seen", "-task_id")[:size]
    found = _first_in_time([[recent, older], [recent]], size)
    for task in found:
        task.ended_at = task.finished_at or task.updated_at
    return sorted(found, key=lambda task: (task.ended_at, task.task_id), reverse=True)


def finished_among(asked: Asked, task_ids: Collection[str]) -> list[Task]:
    """Those of `task_ids` that match and whose attempt has ended, with `ended_at`. Cost: a primary key each."""
    return list(_finished(asked).filter(pk__in=task_ids)) if task_ids else []


def _finished(asked: Asked) -> QuerySet[Any]:
    ended = asked.tasks().filter(state__in=FINISHED_STATES)
    return as_rows(asked, ended).annotate(ended_at=Coalesce("finished_at", "updated_at"))


def _since(count: int) -> Coalesce:
    """When the first of the newest `count` tasks was first seen, for a query: an index scan over so many."""
    times = Task.objects.order_by("-first_seen", "-task_id").values("first_seen")[count : count + 1]
    return Coalesce(Subquery(times), Value(EVER, DateTimeField()))


def _first_in_time(attempts: Sequence[Sequence[QuerySet[Any]]], size: int) -> list[Any]:
    with Reading() as reading:
        for parts in attempts:
            try:
                return reading.ask(partial(one_after_the_other, parts, size))
            except OutOfTime:
                continue
    return []
