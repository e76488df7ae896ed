"""Taking the marks that consumers append: which minutes have to be counted anew."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max, QuerySet

from monitoring.ingest.stores.merging import chunks
from monitoring.models import StatisticMark, Task, TaskEvent
from monitoring.time_steps import MINUTE, start_of

#: Marks that are looked at in one transaction, and ids of one IN list (old SQLite takes 999 parameters).
READ, _IDS = 5_000, 900


def newest_mark(using: str) -> int:
    """The id of the newest mark that can be seen; 0: there is none. Cost: the primary key."""
    newest: int | None = StatisticMark.objects.using(using).aggregate(newest=Max("pk"))["newest"]
    return newest or 0


def resolve_tasks(using: str, until: int) -> int:
    """Turn marks of retried tasks into marks of the minutes of their retries; how many. Must run in a transaction.

    Cost: for each of up to READ marks the primary keys of its task, and of the log in the days in which the task lived.
    """
    rows = _locked(using, until).filter(task_id__isnull=False)[:READ]
    marks = {pk: task_id for pk, task_id in rows.values_list("pk", "task_id") if task_id is not None}
    minutes: set[datetime] = set()
    for ids in chunks(sorted(set(marks.values())), _IDS):
        lived = Task.objects.using(using).filter(pk__in=ids).values_list("pk", "first_seen", "updated_at")
        minutes.update(_retry_minutes(using, [(pk, begun, end) for pk, begun, end in lived]))
    StatisticMark.objects.using(using).bulk_create([StatisticMark(minute=each) for each in sorted(minutes)])
    _delete(using, list(marks))
    return len(marks)


def take_minutes(using: str, until: int, most: int) -> list[datetime]:
    """Up to `most` marked minutes, newest first; their marks are deleted. Must run in a transaction.

    A mark is committed with what it is for, so whatever is read after this sees that. Cost: up to READ marks.
    """
    rows = _locked(using, until).filter(minute__isnull=False)[:READ]
    marks = {pk: minute for pk, minute in rows.values_list("pk", "minute") if minute is not None}
    taken = sorted(set(marks.values()), reverse=True)[:most]
    chosen = set(taken)
    _delete(using, [pk for pk, minute in marks.items() if minute in chosen])
    return taken


def _locked(using: str, until: int) -> QuerySet[StatisticMark]:
    return StatisticMark.objects.using(using).filter(pk__lte=until).order_by("pk").select_for_update()


def _retry_minutes(using: str, lived: list[tuple[str, datetime, datetime]]) -> set[datetime]:
    """The minutes in which these tasks (id, first and last event) were retried."""
    if not lived:
        return set()
    events = TaskEvent.objects.using(using).filter(
        task_id__in=[pk for pk, _, _ in lived],
        type="task-retried",
        timestamp__gte=min(begun for _, begun, _ in lived),
        timestamp__lte=max(end for _, _, end in lived),
    )
    return {start_of(moment, MINUTE) for moment in events.values_list("timestamp", flat=True)}


def _delete(using: str, ids: list[int]) -> None:
    for chunk in chunks(ids, _IDS):
        StatisticMark.objects.using(using).filter(pk__in=chunk).delete()
