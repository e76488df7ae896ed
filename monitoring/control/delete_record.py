"""Delete the record of tasks that have ended: the row and its log. Totals stay: they counted what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import router, transaction
from django.utils.translation import gettext as _

from ..models import Task, TaskEvent
from ..models.task import State
from ..queries.visibility import Visibility
from .contract import Outcome, Result, Results
from .parameters import Parameters
from .tasks import gone

#: A record that is deleted while its task lives would come back with the next event, and lack what came before.
ENDED = frozenset({State.SUCCESS, State.FAILURE, State.REVOKED, State.REJECTED, State.LOST})


def why_not(task: Task) -> str:
    """Why the record of a task cannot be deleted, or nothing."""
    return why_not_in(task.state)


def why_not_in(state: str) -> str:
    """The same of all tasks of a state."""
    if state in ENDED:
        return ""
    words: Mapping[str, str] = {
        State.PENDING: _(
            "The record of a pending task cannot be deleted: the task still waits, and its next event would bring "
            "the record back"
        ),
        State.RECEIVED: _(
            "The record of a received task cannot be deleted: a worker has the task, and its next event would bring "
            "the record back"
        ),
        State.STARTED: _(
            "The record of a running task cannot be deleted: its next event would bring the record back"
        ),
        State.RETRY: _(
            "The record of a task that will be retried cannot be deleted: its next event would bring the record back"
        ),
    }
    return words[state]


def delete(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
    """Delete tasks and their events in one transaction; a task is judged again once its row is locked.

    Cost: the primary key of each task, and of the log in the days in which these tasks lived.

    The consumers' merge waits for the lock. An event that arrives afterwards for a task whose end was already known
    makes a new record of what it alone says, as for a task that was never seen before.
    """
    # In the order of keys, as the consumers write, so that neither waits for the other for ever.
    wanted = sorted(set(ids))
    with transaction.atomic(using=router.db_for_write(Task)):
        rows = Task.objects.using(router.db_for_write(Task)).filter(pk__in=wanted).order_by("pk")
        locked = (
            visibility.limit(rows).select_for_update().only("task_id", "state", "first_seen", "updated_at")
        )
        tasks = {task.pk: task for task in locked}
        ended = [task for task in tasks.values() if not why_not(task)]
        if ended:
            # All events of a task are between these two; the margin is for times that were rounded.
            margin = timedelta(milliseconds=1)
            span = (
                min(task.first_seen for task in ended) - margin,
                max(task.updated_at for task in ended) + margin,
            )
            keys = [task.pk for task in ended]
            events = TaskEvent.objects.using(router.db_for_write(TaskEvent))
            # Not at the top: workers of the watched project import the admin, and nothing that consumes or keeps up.
            from ..upkeep.statistics.deletions import keep_counted

            keep_counted(rows.db, keys, *span)
            events.filter(task_id__in=keys, timestamp__range=span).delete()
            rows.filter(pk__in=keys).order_by().delete()
    return {task_id: _result(task_id, tasks.get(task_id)) for task_id in ids}


def _result(task_id: str, task: Task | None) -> Result:
    if task is None:
        return gone(task_id)
    words = why_not(task)
    return Result(task_id, Outcome.LEFT_OUT if words else Outcome.DONE, words)
