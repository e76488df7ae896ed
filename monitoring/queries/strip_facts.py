"""What the status strip is made of, read in one statement: every page has a strip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections

from ..models import Consumer, FeedEntry, Gap, Queue, Task, UpkeepJob, Worker
from .raw_times import moment_of
from .visibility import Visibility
from .waiting import MOST, Waiting, pending

#: Seconds over which the rate of events is measured.
RATE_SECONDS = 10.0
#: Seconds for which a reading of the broker tells of this moment.
FRESH = 60
#: Reports of consumers that are read, newest first; those older than a day are trimmed.
_MOST_CONSUMERS = 100
_COLUMNS = "kind, flag, at, since, seen, until, x, y, n, words"


@dataclass(frozen=True)
class StripFacts:
    """`cursor`: the id up to which the feed had been written, 0 for an empty one. `gap`: the one that ended last.
    `finished`: when each job of upkeep last ended, well or not.

    Of `consumers` and `workers` only those fields are set that the strip and the rule of presence read.
    """

    cursor: int
    events_per_second: float
    consumers: Sequence[Consumer]
    workers: Sequence[Worker]
    waiting: Waiting
    gap: Gap | None
    finished: Mapping[str, datetime]


def strip_facts(visibility: Visibility, now: datetime) -> StripFacts:
    """Cost: one statement over six small tables (the feed of ten minutes, workers, queues, the newest gap, consumers,
    upkeep jobs) and the waiting tasks, at most MOST + 1 of them by the index of states."""
    waiting_sql, waiting_params = _pending_queues(visibility)
    with connections[Task.objects.db].cursor() as cursor:
        cursor.execute(
            _SQL.format(waiting=waiting_sql), [now - timedelta(seconds=RATE_SECONDS), *waiting_params]
        )
        names = _COLUMNS.split(", ")
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    of_kind: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        of_kind.setdefault(row["kind"], []).append(row)
    [feed], [waiting] = of_kind["feed"], of_kind["waiting"]
    consumers = [_consumer(row) for row in of_kind.get("consumer", ())]
    return StripFacts(
        cursor=feed["n"] or 0,
        events_per_second=float(feed["x"] or 0) / RATE_SECONDS,
        consumers=sorted(consumers, key=lambda consumer: consumer.reported_at, reverse=True),
        workers=[_worker(row) for row in of_kind.get("worker", ())],
        waiting=_in_queues(of_kind.get("queue", ()), visibility, now)
        or Waiting(min(waiting["n"], MOST), int(waiting["x"]), waiting["n"] > MOST),
        gap=next((_gap(row) for row in of_kind.get("gap", ())), None),
        finished={row["words"]: _moment(row["at"]) for row in of_kind.get("job", ())},
    )


#: The first part says which types the columns have.
_SQL = f"""
SELECT 'consumer' AS kind, connected AS flag, reported_at AS at, stopped_at AS since, last_event_at AS seen,
       horizon AS until, lag AS x, CAST(NULL AS double precision) AS y, queue_length AS n, last_error AS words
FROM (SELECT * FROM "{Consumer._meta.db_table}" ORDER BY reported_at DESC LIMIT {_MOST_CONSUMERS}) consumers
UNION ALL SELECT 'worker', online, last_heartbeat, NULL, NULL, NULL, frequency, clock_skew, NULL, NULL
FROM "{Worker._meta.db_table}"
UNION ALL SELECT 'gap', NULL, ended_at, started_at, NULL, NULL, NULL, NULL, id, reason
FROM (SELECT * FROM "{Gap._meta.db_table}" ORDER BY ended_at DESC LIMIT 1) gaps
UNION ALL SELECT 'feed', NULL, NULL, NULL, NULL, NULL, sum(CASE WHEN at > %s THEN events END), NULL, max(id), NULL
FROM "{FeedEntry._meta.db_table}"
UNION ALL SELECT 'waiting', NULL, NULL, NULL, NULL, NULL, count(DISTINCT nullif(queue, '')), NULL, count(*), NULL
FROM ({{waiting}}) pending
UNION ALL SELECT 'queue', NULL, read_at, NULL, NULL, NULL, NULL, NULL, ready, name
FROM "{Queue._meta.db_table}" WHERE ready IS NOT NULL
UNION ALL SELECT 'job', NULL, finished_at, NULL, NULL, NULL, NULL, NULL, NULL, name
FROM "{UpkeepJob._meta.db_table}" WHERE finished_at IS NOT NULL
"""  # noqa: S608  names of tables and numbers of ours


def _pending_queues(visibility: Visibility) -> tuple[str, list[Any]]:
    queues = pending(visibility).values("queue")[: MOST + 1]
    try:
        sql, params = queues.query.get_compiler(using=Task.objects.db).as_sql()
    except EmptyResultSet:
        return "SELECT '' AS queue WHERE 1 = 0", []
    return sql, list(params)


def _in_queues(rows: Sequence[dict[str, Any]], visibility: Visibility, now: datetime) -> Waiting | None:
    """What the broker said waits; None where it was not read lately."""
    fresh = [row for row in rows if _moment(row["at"]) > now - timedelta(seconds=FRESH)]
    if not fresh:
        return None
    lengths = [int(row["n"]) for row in fresh if visibility.allows_queue(row["words"])]
    return Waiting(sum(lengths), sum(1 for length in lengths if length), by_broker=True)


def _consumer(row: dict[str, Any]) -> Consumer:
    return Consumer(
        connected=bool(row["flag"]),
        reported_at=_moment(row["at"]),
        stopped_at=_moment(row["since"]),
        last_event_at=_moment(row["seen"]),
        horizon=_moment(row["until"]),
        lag=row["x"],
        queue_length=row["n"],
        last_error=row["words"],
    )


def _worker(row: dict[str, Any]) -> Worker:
    return Worker(
        online=bool(row["flag"]), last_heartbeat=_moment(row["at"]), frequency=row["x"], clock_skew=row["y"]
    )


def _gap(row: dict[str, Any]) -> Gap:
    return Gap(
        id=row["n"], started_at=_moment(row["since"]), ended_at=_moment(row["at"]), reason=row["words"]
    )


def _moment(value: datetime | str | None) -> Any:
    return moment_of(value, connections[Gap.objects.db])
