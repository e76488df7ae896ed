"""Counting minutes from the tasks, the log of events, and what deleted tasks still count for.

A task counts in the minute of its `finished_at`, by the name, queue and worker that it has now; a retry in the minute
of its event, by the event's worker and the task's name and queue. Both databases give the same figures; PostgreSQL adds
them up itself, since a minute may hold hundreds of thousands of tasks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db import connections

from monitoring.ingest.counting import label
from monitoring.ingest.stores.merging import chunks
from monitoring.models import StatisticDeletion, Task, TaskEvent
from monitoring.models.statistic import OUTCOMES
from monitoring.models.task import State
from monitoring.time_steps import MINUTE, start_of
from monitoring.upkeep.statistics import counting_sql
from monitoring.upkeep.statistics.figures import Bucket, Failure

#: What is counted of a task that ended: its id, when, how, and by what.
_ENDED = ("at", "outcome", "name", "queue", "worker", "exception_type", "runtime", "wait", "fingerprint")
#: Ids of one IN list: old SQLite takes 999 parameters.
_IDS = 900
Buckets = dict[datetime, Bucket]


def count_minutes(using: str, minutes: Iterable[datetime]) -> Buckets:
    """The buckets of these minutes; an empty one where nothing happened.

    Cost: for each run of adjacent minutes the tasks that ended in them, by the index on `finished_at`, and the retries
    in them, by an index of their own, with the task of each.
    """
    buckets: Buckets = {minute: Bucket() for minute in minutes}
    count = _count_postgresql if connections[using].vendor == "postgresql" else _count_portable
    for begin, end in _runs(sorted(buckets)):
        count(using, begin, end, buckets)
    return buckets


def _runs(minutes: list[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Adjacent minutes as ranges, the end excluded."""
    step = timedelta(seconds=MINUTE)
    begin = end = None
    for minute in minutes:
        if begin is not None and end is not None and minute != end:
            yield begin, end
            begin = None
        begin, end = begin or minute, minute + step
    if begin is not None and end is not None:
        yield begin, end


# --- In the database ---


def _count_postgresql(using: str, begin: datetime, end: datetime, buckets: Buckets) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(counting_sql.ENDED, counting_sql.parameters(begin, end))
        for row in cursor.fetchall():
            _add_group(buckets[row[1]], *row)
        cursor.execute(counting_sql.RETRIED, counting_sql.parameters(begin, end))
        for minute, name, queue, worker, count in cursor.fetchall():
            _add_outcome(buckets[minute], State.RETRY, name, queue, worker, count)


def _add_group(
    bucket: Bucket,
    kind: str,
    _minute: datetime,
    name: str | None,
    queue: str | None,
    worker: str | None,
    word: str | None,
    duration: int | None,
    count: int,
    microseconds: int | None,
    fingerprint: str | None,
    first: datetime,
    last: datetime,
) -> None:
    """Add one row of :data:`counting_sql.ENDED`."""
    by, _, what = kind.partition(" ")
    rows = bucket.of_task(label(name), label(queue)) if by == "task" else bucket.of_worker(label(worker))
    if what == "exception":
        bucket.add_failure(
            Failure(label(name), label(queue), label(word), fingerprint or ""),
            label(worker),
            count,
            first,
            last,
        )
        return
    for figures in rows:
        if word is not None:
            figures.outcomes[OUTCOMES[word]] += count
        elif duration is not None:
            durations = figures.runtimes if what == "runtime" else figures.waits
            durations.add(duration, count, microseconds or 0)


# --- In Python ---


def _count_portable(using: str, begin: datetime, end: datetime, buckets: Buckets) -> None:
    deletions = StatisticDeletion.objects.using(using).filter(at__gte=begin, at__lt=end)
    deleted = {(each.task_id, each.at, each.outcome == State.RETRY): each for each in deletions}
    tasks = Task.objects.using(using).filter(finished_at__gte=begin, finished_at__lt=end)
    columns = ["task_id", *("finished_at" if c == "at" else "state" if c == "outcome" else c for c in _ENDED)]
    for task_id, at, *values in tasks.values_list(*columns).iterator():
        if (task_id, at, False) not in deleted:
            _add_end(buckets[start_of(at, MINUTE)], at, *values)
    retries: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    events = TaskEvent.objects.using(using).filter(
        type="task-retried", timestamp__gte=begin, timestamp__lt=end
    )
    for task_id, at, worker in events.values_list("task_id", "timestamp", "worker"):
        if (task_id, at, True) not in deleted:
            retries[task_id].append((at, worker))
    for task_id, name, queue in _named(using, list(retries)):
        for at, worker in retries[task_id]:
            _add_outcome(buckets[start_of(at, MINUTE)], State.RETRY, name, queue, worker, 1)
    for each in deletions:
        if each.outcome == State.RETRY:
            _add_outcome(
                buckets[start_of(each.at, MINUTE)], State.RETRY, each.name, each.queue, each.worker, 1
            )
        else:
            _add_end(buckets[start_of(each.at, MINUTE)], *(getattr(each, c) for c in _ENDED))


def _named(using: str, ids: list[str]) -> Iterator[tuple[str, str | None, str | None]]:
    for chunk in chunks(sorted(ids), _IDS):
        yield from Task.objects.using(using).filter(pk__in=chunk).values_list("pk", "name", "queue")


def _add_end(
    bucket: Bucket,
    at: datetime,
    outcome: str,
    name: str | None,
    queue: str | None,
    worker: str | None,
    exception_type: str | None,
    runtime: float | None,
    wait: float | None,
    fingerprint: str | None,
) -> None:
    if outcome not in OUTCOMES:
        return
    _add_outcome(bucket, outcome, name, queue, worker, 1)
    if outcome == State.FAILURE:
        failure = Failure(label(name), label(queue), label(exception_type), fingerprint or "")
        bucket.add_failure(failure, label(worker), 1, at, at)
    for figures in (*bucket.of_task(label(name), label(queue)), *bucket.of_worker(label(worker))):
        figures.runtimes.add_seconds(runtime)
        figures.waits.add_seconds(wait)


def _add_outcome(
    bucket: Bucket, outcome: str, name: str | None, queue: str | None, worker: str | None, count: int
) -> None:
    for figures in (*bucket.of_task(label(name), label(queue)), *bucket.of_worker(label(worker))):
        figures.outcomes[OUTCOMES[outcome]] += count
