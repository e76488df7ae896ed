"""Counts of events since the monitor was installed: what the metrics of tasks are made of.

They are totals, and what consumers have counted since upkeep last added it to them; together they are exact, and each
only grows. Both tell of everybody's tasks: nothing for a user whose visibility is limited.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

import msgspec
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ..models import EventDelta, EventTotal
from .raw_times import moment_of
from .visibility import Visibility

#: Rows that have not been added to the totals yet and are read all the same; should upkeep not run, the rest waits.
MOST_DELTAS = 50_000
#: Rows that are read at once.
CHUNK = 2_000


@dataclass(slots=True)
class EventCounts:
    """Events of one type, task name, sender, queue and exception type; the empty text is not known.

    As in ``models/event_count.py``; `created` is when the first was stored, in seconds since the epoch. Of one key
    there may be several, which add up.
    """

    name: str
    type: str
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
    created: float


@dataclass(frozen=True)
class KnownValues:
    """The first values that each column ever had, as many as were asked for, and when each sender last sent anything.

    The sets only ever gain values, until they have as many.
    """

    names: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    exception_types: frozenset[str] = frozenset()
    senders: dict[str, datetime] = field(default_factory=dict)


def known_values(visibility: Visibility, most: int) -> KnownValues:
    """Which task names, types, queues and exception types there are, at most `most` of each.

    What is not in the totals yet, and would not fit, is not there: its turn is decided when it is.

    Cost: one statement that reads the totals a few times: some 10 ms where there are 10,000 of them.
    """
    if not visibility.is_everything:
        return KnownValues()
    connection = connections[EventTotal.objects.db]
    found: dict[str, dict[str, Any]] = {part: {} for part in (*_VALUE_COLUMNS, "worker")}
    with connection.cursor() as cursor:
        cursor.execute(_VALUES.format(most=int(most)))
        for part, value, newest in cursor.fetchall():
            found[part][value] = newest
    senders = {sender: moment_of(newest, connection) for sender, newest in found["worker"].items()}
    return KnownValues(
        names=frozenset(found["name"]),
        types=frozenset(found["type"]),
        queues=frozenset(found["queue"]),
        exception_types=frozenset(found["exception_type"]),
        senders={sender: newest for sender, newest in senders.items() if newest is not None},
    )


def counts_by_name(visibility: Visibility) -> Generator[tuple[str, Iterator[EventCounts]]]:
    """Every count, by task name. Close it if it is not read to its end.

    Cost: one statement that reads and sorts the totals, and what was counted in the last seconds; CHUNK rows in memory.
    """
    if not visibility.is_everything:
        return
    connection = connections[EventTotal.objects.db]
    with closing(_cursor(connection)) as cursor:
        cursor.execute(_COUNTS)
        rows = (
            _counts(row, connection) for chunk in iter(lambda: cursor.fetchmany(CHUNK), []) for row in chunk
        )
        yield from groupby(rows, attrgetter("name"))


def _cursor(connection: BaseDatabaseWrapper) -> Any:
    """One that leaves at the server what was not read yet, unless settings say that a pool stands between."""
    if connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        return connection.cursor()
    return connection.chunked_cursor()


def _counts(row: tuple[Any, ...], connection: BaseDatabaseWrapper) -> EventCounts:
    values = list(row)
    for index in _JSON:
        if values[index] is not None:
            values[index] = msgspec.json.decode(values[index])
    created = moment_of(values[-1], connection)
    assert created is not None
    values[-1] = created.timestamp()
    return EventCounts(*values)


_TOTALS, _DELTAS = EventTotal._meta.db_table, EventDelta._meta.db_table
#: Oldest first, as they are added: what was read once is never left out later. Without a name they wait for one.
_SOME_DELTAS = f"SELECT * FROM {_DELTAS} WHERE task_id IS NULL ORDER BY id LIMIT {MOST_DELTAS}"  # noqa: S608
_COLUMNS = (
    "name, type, worker, queue, exception_type, count, runtime_sum, runtime_buckets, wait_sum, wait_buckets, "
    "newest_ts, prefetch, created_at"
)
_JSON = [_COLUMNS.split(", ").index(f"{value}_buckets") for value in ("runtime", "wait")]
#: Groups by name only, since the order of texts is not the same everywhere.
_COUNTS = f"""
SELECT {_COLUMNS} FROM (
  SELECT {_COLUMNS} FROM {_TOTALS} UNION ALL SELECT {_COLUMNS} FROM ({_SOME_DELTAS}) deltas
) counted ORDER BY name"""  # noqa: S608


def _values_of(column: str) -> str:
    """Those of the totals by age, and beside them new ones, if all of them fit."""
    where = "type = 'task-failed'" if column == "exception_type" else "1 = 1"
    return f"""
SELECT '{column}', {column}, CAST(NULL AS timestamp with time zone) FROM (
  SELECT {column} FROM {_TOTALS} WHERE {where} GROUP BY {column} ORDER BY min(id) LIMIT {{most}}) {column}s
UNION SELECT '{column}', {column}, NULL FROM deltas WHERE {where} AND (
  SELECT count(*) FROM (SELECT {column} FROM {_TOTALS} WHERE {where}
    UNION SELECT {column} FROM deltas WHERE {where}) every) <= {{most}}"""  # noqa: S608


_VALUE_COLUMNS = ("name", "type", "queue", "exception_type")
_VALUES = f"""
WITH deltas AS ({_SOME_DELTAS})
{" UNION ".join(map(_values_of, _VALUE_COLUMNS))}
UNION SELECT 'worker', worker, max(at) FROM (
  SELECT worker, updated_at AS at FROM {_TOTALS} UNION ALL SELECT worker, created_at FROM deltas) heard GROUP BY worker
"""  # noqa: S608
