"""The event log of one task."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..models import Task, TaskEvent

#: Most events of one task that a page reads: a task that reports its progress may have a hundred thousand.
MAX_EVENTS = 1_000


@dataclass(frozen=True)
class EventLog:
    """Events, oldest first; `cut` says that older ones were left out."""

    events: list[TaskEvent]
    cut: bool


def events_of(task: Task, limit: int = MAX_EVENTS) -> EventLog:
    """The newest `limit` events of a task that the caller was allowed to read (queries.tasks.task).

    Cost: the primary key, in those days' partitions only that the task lived in: `first_seen` and `updated_at` are the
    least and greatest time of all its events.
    """
    # Times are stored in microseconds; the margin costs nothing and keeps a rounded one inside.
    margin = timedelta(milliseconds=1)
    newest = TaskEvent.objects.filter(
        task_id=task.task_id, timestamp__range=(task.first_seen - margin, task.updated_at + margin)
    ).order_by("-timestamp", "-clock", "-tie")
    events = list(newest[: limit + 1])
    return EventLog(events[:limit][::-1], cut=len(events) > limit)
