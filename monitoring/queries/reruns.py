"""What a task was run again as, and what it is a rerun of; and what a rerun needs to know of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When

from ..models import Rerun, Task
from .visibility import Visibility

#: Reruns of one task that its page names.
MAX_RERUNS = 3

#: What decides whether and how a task can be run again.
COLUMNS = (
    "task_id", "state", "name", "worker", "queue", "first_seen", "updated_at", "finished_at", "eta", "expires",
    "root_id", "parent_id", "args", "kwargs", "arguments", "arguments_are", "workflow",
    "full_ts", "full_tie", "received_ts", "received_tie", "sent_ts",
)  # fmt: skip


@dataclass(frozen=True)
class Relative:
    """A task by its id. `state` is None where nothing was heard of it (yet)."""

    task_id: str
    at: datetime
    state: str | None


@dataclass(frozen=True)
class Lineage:
    """`rerun_as`: newest first; there are `more` than are named."""

    rerun_of: Relative | None
    rerun_as: Sequence[Relative]
    more: bool


def lineage(visibility: Visibility, task_id: str) -> Lineage:
    """Both ways, one step each; tasks that may not be seen are left out.

    Cost: one question: two indexes, and the primary key of each relative.
    """
    other = Task.objects.filter(pk=OuterRef("other"))
    rows: list[Any] = list(
        Rerun.objects.filter(Q(pk=task_id) | Q(rerun_of=task_id))
        .annotate(other=Case(When(pk=task_id, then=F("rerun_of")), default=F("pk")))
        .annotate(place=Case(When(pk=task_id, then=Value(0)), default=Value(1)))
        .annotate(is_known=Exists(other), state=Subquery(visibility.limit(other).values("state")[:1]))
        .order_by("place", "-at")[: MAX_RERUNS + 2]
    )
    seen = [row for row in rows if row.state is not None or not row.is_known]
    later = [row for row in seen if row.rerun_of == task_id]
    return Lineage(
        rerun_of=next((_relative(row) for row in seen if row.pk == task_id), None),
        rerun_as=[_relative(row) for row in later[:MAX_RERUNS]],
        more=len(later) > MAX_RERUNS,
    )


def _relative(row: Any) -> Relative:
    return Relative(row.other, row.at, row.state)


def to_run_again(visibility: Visibility, ids: Sequence[str]) -> Mapping[str, Task]:
    """Those of `ids` that exist and may be seen, with COLUMNS: payloads too. Cost: the primary key of each."""
    wanted = [task_id for task_id in ids if "\0" not in task_id]
    tasks = visibility.limit(Task.objects.filter(pk__in=wanted)).order_by().only(*COLUMNS)
    return {task.pk: task for task in tasks}


def newest_reruns(ids: Collection[str], using: str | None = None) -> Mapping[str, tuple[str, datetime]]:
    """The newest rerun of each task that has one: its id, and when. Cost: an index."""
    rows = Rerun.objects.using(using).filter(rerun_of__in=list(ids)).order_by("at")
    return {row.rerun_of: (row.pk, row.at) for row in rows}
