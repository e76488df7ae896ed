"""Fold the event counts that consumers append into totals. Exact whenever it is killed, and however many do it.

Cost: proportional to what was appended since the last run; per :data:`CHUNK` rows one transaction. On PostgreSQL that
is one statement (``counts_postgresql.py``); elsewhere a locking read of the rows and one DELETE of them by id, and for
each hundred distinct totals a locking read and an upsert.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from django.db import connections
from django.db.models import Sum
from django.db.models.query import RawQuerySet

from monitoring.ingest import buckets
from monitoring.ingest.counting import label
from monitoring.ingest.stores.merging import chunks
from monitoring.ingest.stores.worker_history import add_events
from monitoring.models import EventDelta, EventTotal, Task, Worker
from monitoring.upkeep.clock import read_clock
from monitoring.upkeep.jobs import counts_postgresql
from monitoring.upkeep.jobs.counts_folded import Folded
from monitoring.upkeep.lease import LeaseHolder

#: Rows of one transaction, and transactions of one run; the next run goes on.
CHUNK, CHUNKS = 10_000, 5
#: How long an event whose task has no name waits for it; then it counts with an empty one.
NAME_WAIT = timedelta(seconds=60)
#: Totals of one query: five parameters each, and old SQLite takes 999.
_KEYS = 100

_KEY_FIELDS = ("type", "name", "worker", "queue", "exception_type")
_SUM_FIELDS = (
    "count", "runtime_sum", "runtime_buckets", "wait_sum", "wait_buckets", "newest_ts", "prefetch", "created_at",
    "updated_at",
)  # fmt: skip
Key = tuple[str, str, str, str, str]


@dataclass(slots=True)
class _Delta:
    """A row of `EventDelta`: there are too many of them for instances of the model."""

    id: int
    created_at: datetime
    type: str
    name: str
    worker: str
    queue: str
    exception_type: str
    count: int
    runtime_sum: float
    runtime_buckets: list[int] | None
    wait_sum: float
    wait_buckets: list[int] | None
    newest_ts: int | None
    prefetch: float | None


_DELTA_FIELDS = [field.name for field in fields(_Delta)]


def run(lease: LeaseHolder) -> str:
    """Name what can be named by now, and fold what has a name, in the order of ids."""
    using = lease.using
    with lease.transaction():
        waiting = _name(using, read_clock(using) - NAME_WAIT)
    fold = counts_postgresql.fold if connections[using].vendor == "postgresql" else _fold
    folded = 0
    for _ in range(CHUNKS):
        with lease.transaction():
            counted = fold(using, CHUNK)
            _set_failed(using, sorted(counted.failed))
            _add_to_samples(using, counted.events)
        folded += counted.rows
        if counted.rows < CHUNK:
            break
    with lease.transaction():
        # A worker whose failures came before its first heartbeat.
        new = Worker.objects.using(using).filter(failed__isnull=True)
        _set_failed(using, list(new.values_list("pk", flat=True)))
    return f"Folded: {folded}; waiting for their task's name: {waiting}."


def _name(using: str, waited: datetime) -> int:
    """Give rows the name and queue of their task where those have become known; after the wait they go without.

    Must run in a transaction. Looks at the oldest :data:`CHUNK` rows; how many of these still wait.
    """
    rows = EventDelta.objects.using(using).filter(task_id__isnull=False)
    looked_at = list(
        rows.order_by("pk")
        .select_for_update()
        .values_list("pk", "task_id", "name", "queue", "created_at")[:CHUNK]
    )
    tasks: dict[str, tuple[str, str | None]] = {}
    for ids in chunks(sorted({task_id for _, task_id, *_ in looked_at if task_id is not None}), 900):
        named = Task.objects.using(using).filter(pk__in=ids, name__isnull=False)
        tasks |= {pk: (label(name), queue) for pk, name, queue in named.values_list("pk", "name", "queue")}
    ready: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for pk, task_id, name, queue, created_at in looked_at:
        if task_id in tasks:
            known, its_queue = tasks[task_id]
            ready[known, queue or label(its_queue)].append(pk)
        elif created_at <= waited:
            ready[name, queue].append(pk)
    for (name, queue), pks in sorted(ready.items()):
        for some in chunks(pks, 900):
            EventDelta.objects.using(using).filter(pk__in=some).update(name=name, queue=queue, task_id=None)
    return len(looked_at) - sum(map(len, ready.values()))


def _fold(using: str, most: int) -> Folded:
    """Add the first rows that have a name to the totals and delete them. Must run in a transaction."""
    deltas = _lock_chunk(using, most)
    sums: dict[Key, EventTotal] = {}
    counted = Folded(rows=len(deltas))
    for delta in deltas:
        key = _key(delta)
        if key not in sums:
            sums[key] = _zero(key, delta.created_at)
        _add(sums[key], delta)
        sums[key].created_at = min(sums[key].created_at, delta.created_at)
        sums[key].updated_at = max(sums[key].updated_at, delta.created_at)
        counted.events[delta.worker, delta.created_at.replace(second=0, microsecond=0)] += delta.count
        if delta.type == "task-failed":
            counted.failed.add(delta.worker)
    for keys in chunks(sorted(sums), _KEYS):
        totals = _lock_totals(using, keys, sums)
        for key in keys:
            add_up(totals[key], sums[key])
        EventTotal.objects.using(using).bulk_create(
            [totals[key] for key in keys],
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=_SUM_FIELDS,
        )
    if deltas:
        with connections[using].cursor() as cursor:
            # Numbers in the text of the statement: thousands of parameters cost more than all the rest.
            ids = ", ".join([str(delta.id) for delta in deltas])
            cursor.execute(f"DELETE FROM {EventDelta._meta.db_table} WHERE id IN ({ids})")  # noqa: S608
    return counted


def _lock_chunk(using: str, most: int) -> list[_Delta]:
    """The first rows, locked. A second folder waits here until the first has deleted them, and then finds others."""
    rows = EventDelta.objects.using(using).filter(task_id__isnull=True).order_by("pk").select_for_update()
    return [_Delta(*row) for row in rows.values_list(*_DELTA_FIELDS)[:most]]


def _zero(key: Key, created_at: datetime) -> EventTotal:
    fields = dict(zip(_KEY_FIELDS, key, strict=True))
    return EventTotal(**fields, count=0, created_at=created_at, updated_at=created_at)


def _lock_totals(using: str, keys: Sequence[Key], sums: Mapping[Key, EventTotal]) -> dict[Key, EventTotal]:
    """The totals of `keys`, locked in key order; new ones, of zero, for those that there are none of."""
    # Inserted before anything is locked: of two folders that both need a new row, the second waits for the first's.
    known = {_key(total) for total in _totals(using, keys)}
    EventTotal.objects.using(using).bulk_create(
        [_zero(key, sums[key].created_at) for key in keys if key not in known],
        ignore_conflicts=True,
    )
    lock = "FOR UPDATE" if connections[using].features.has_select_for_update else ""
    return {_key(total): total for total in _totals(using, keys, lock)}


def _totals(using: str, keys: Sequence[Key], lock: str = "") -> RawQuerySet[EventTotal]:
    """The totals of `keys` that there are, in key order. The ORM takes twenty times as long for so many conditions."""
    columns = ", ".join(_KEY_FIELDS)
    marks = ", ".join(["(%s, %s, %s, %s, %s)"] * len(keys))
    return EventTotal.objects.using(using).raw(
        f"SELECT * FROM {EventTotal._meta.db_table} WHERE ({columns}) IN (VALUES {marks}) ORDER BY {columns} {lock}",  # noqa: S608
        [part for key in keys for part in key],
    )


def _key(row: _Delta | EventTotal) -> Key:
    return (row.type, row.name, row.worker, row.queue, row.exception_type)


def add_up(total: EventTotal, other: EventTotal) -> None:
    """Make `total` that of the events of both. Writes nothing."""
    _add(total, other)
    total.created_at = min(total.created_at, other.created_at)
    total.updated_at = max(total.updated_at, other.updated_at)


def _add(total: EventTotal, counted: _Delta | EventTotal) -> None:
    total.count += counted.count
    total.runtime_sum += counted.runtime_sum
    total.runtime_buckets = buckets.add_counts(total.runtime_buckets, counted.runtime_buckets)
    total.wait_sum += counted.wait_sum
    total.wait_buckets = buckets.add_counts(total.wait_buckets, counted.wait_buckets)
    if counted.newest_ts is not None and (total.newest_ts is None or counted.newest_ts >= total.newest_ts):
        total.newest_ts, total.prefetch = counted.newest_ts, counted.prefetch


def _set_failed(using: str, hostnames: Sequence[str]) -> None:
    """Write how many tasks have failed on each of these workers, as the totals say. Must run in a transaction."""
    totals = EventTotal.objects.using(using).filter(type="task-failed")
    for names in chunks(hostnames, 900):
        labels = [label(name) for name in names]
        failed = dict(totals.filter(worker__in=labels).values_list("worker").annotate(failed=Sum("count")))
        for hostname in names:
            count = failed.get(label(hostname), 0)
            Worker.objects.using(using).filter(pk=hostname).exclude(failed=count).update(failed=count)


def _add_to_samples(using: str, events: Mapping[tuple[str, datetime], int]) -> None:
    """Add what each known worker sent to its samples, by the minutes in which it was stored."""
    known: set[str] = set()
    for names in chunks(sorted({sender for sender, _minute in events}), 900):
        known.update(Worker.objects.using(using).filter(pk__in=names).values_list("pk", flat=True))
    add_events(using, {key: count for key, count in events.items() if key[0] in known})
