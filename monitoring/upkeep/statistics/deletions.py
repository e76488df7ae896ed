"""Deleting tasks without changing what they were counted in.

Whoever deletes tasks calls :func:`keep_counted` in the same transaction: what they count for is kept beside the tasks,
and a recount of their minutes finds it there. Upkeep freezes those minutes as soon as they are old, and forgets it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from monitoring.ingest.stores.merging import chunks
from monitoring.models import StatisticDeletion, Task, TaskEvent
from monitoring.models.task import State
from monitoring.time_steps import MINUTE, start_of
from monitoring.upkeep.statistics.storing import freeze

#: How long a minute in which deleted tasks were counted stays open for the events of others.
OPEN_FOR = timedelta(hours=1)
#: Ids of one IN list (old SQLite takes 999 parameters), and deletions that are forgotten in one transaction.
_IDS, _FORGOTTEN = 900, 5_000


def keep_counted(using: str, task_ids: Sequence[str], begin: datetime, end: datetime) -> None:
    """Keep what these tasks, whose events are all between two times, count for. Must run in the deleting transaction.

    Cost: the primary key of each task, and of the log in those days; a row for each that ended, and for each retry.
    """
    for chunk in chunks(sorted(task_ids), _IDS):
        tasks = Task.objects.using(using).filter(pk__in=chunk)
        kept = [
            StatisticDeletion(
                task_id=task.pk,
                at=task.finished_at,
                outcome=task.state,
                exception_type=task.exception_type or "",
                fingerprint=task.fingerprint or "",
                runtime=task.runtime,
                wait=task.wait,
                **_by(task),
                worker=task.worker or "",
            )
            for task in tasks
            if task.finished_at is not None
        ]
        by_id = {task.pk: task for task in tasks}
        retries = TaskEvent.objects.using(using).filter(
            task_id__in=chunk, type="task-retried", timestamp__range=(begin, end)
        )
        kept += [
            StatisticDeletion(
                task_id=task_id, at=at, outcome=State.RETRY, tie=tie, **_by(by_id[task_id]), worker=worker
            )
            for task_id, at, tie, worker in retries.values_list("task_id", "timestamp", "tie", "worker")
            if task_id in by_id
        ]
        StatisticDeletion.objects.using(using).bulk_create(kept, ignore_conflicts=True)


def freeze_old(using: str, now: datetime) -> int:
    """Freeze the oldest minutes that deleted tasks were counted in, and forget those; how many were forgotten.

    Only when no mark is left to be taken. Must run in a transaction. Cost: up to 5,000 rows, and one of each minute.
    """
    old = StatisticDeletion.objects.using(using).filter(at__lt=start_of(now - OPEN_FOR, MINUTE))
    chosen = list(old.order_by("at").values_list("pk", "at")[:_FORGOTTEN])
    freeze(using, {start_of(at, MINUTE) for _, at in chosen})
    for ids in chunks([pk for pk, _ in chosen], _IDS):
        StatisticDeletion.objects.using(using).filter(pk__in=ids).delete()
    return len(chosen)


def _by(task: Task) -> dict[str, str]:
    return {"name": task.name or "", "queue": task.queue or ""}
