"""The store for PostgreSQL: COPY into staging tables, and one merge statement for each table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from django.db import IntegrityError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from monitoring.faults import STAGING_PREFIX
from monitoring.ingest.counting import Count, TaskFacts, count_events
from monitoring.ingest.events import Event
from monitoring.ingest.minutes import COUNTED_BY, retry_minutes
from monitoring.ingest.registers import TASK_RULES
from monitoring.ingest.states import DERIVED_COLUMNS, derive, facts_of
from monitoring.ingest.stores.columns import TASK_COLUMNS, WORKER_COLUMNS
from monitoring.ingest.stores.contract import Batch, Written
from monitoring.ingest.stores.copy_text import FROM_STDIN, EventFormat, RowFormat, line
from monitoring.ingest.stores.merge_sql import changes, merge_statement, staging_table
from monitoring.ingest.stores.merging import merge
from monitoring.ingest.stores.side_tables import write_marks, write_side_tables
from monitoring.ingest.stores.worker_history import write_worker_history
from monitoring.models import EventDelta, StatisticMark, Task, TaskEvent

_STAGED_TASKS = f"{STAGING_PREFIX}task"
_STAGED_EVENTS = f"{STAGING_PREFIX}event"
#: The merge as a prepared statement: to plan it takes 3 ms, for each batch.
_MERGE_TASKS = "monitoring_merge_tasks"
#: What counts need to know of a task: its id and the fields of `TaskFacts`.
_FACTS = ("task_id", *TaskFacts._fields)
#: What marks need to know beside it.
_MARKED = ("finished_at", "previous_finished_at", "retry_ts", "is_renamed")
_FACTS_OF = f"SELECT {', '.join(_FACTS)} FROM {Task._meta.db_table} WHERE task_id = ANY(%s)"
_COUNT_COLUMNS = tuple(field.name for field in fields(Count))
_DELTA_COLUMNS = (*_COUNT_COLUMNS, "created_at")
_counted = attrgetter(*_COUNT_COLUMNS)
#: How many rows are new and, for each of the others that were merged, what counts need to know; a line without a task
#: where there are none. What is new is all in the batch.
_MERGED = f"""SELECT made.number, {", ".join(f"merged.{fact}" for fact in _FACTS)}
FROM (SELECT count(*) AS number FROM merged WHERE is_new) AS made LEFT JOIN merged ON NOT is_new"""
#: The merge, and the minutes that the rows it changed were and are counted in. Where a task was retried and has another
#: name or queue now, the minutes of its retries are for upkeep to look up.
_MERGE_AND_MARK = f"""
WITH merged AS ({{merge}}),
ends AS (SELECT DISTINCT date_trunc('minute', moment) AS minute
  FROM merged, LATERAL (VALUES (finished_at), (previous_finished_at)) AS v (moment) WHERE moment IS NOT NULL),
marks AS (INSERT INTO {StatisticMark._meta.db_table} (minute, task_id)
  SELECT minute, NULL FROM ends UNION ALL SELECT NULL, task_id FROM merged WHERE is_renamed AND retry_ts IS NOT NULL)
{_MERGED}"""
_EVENT_COLUMNS = ("task_id", "timestamp", "type", "tie", "worker", "clock", "payload")


#: A way to add events to the log, given their lines for COPY, and to count them; it tells how many were not there.
_Log = Callable[[Any, list[Event], str, Mapping[str, TaskFacts]], int]


@dataclass(slots=True)
class _Prepared:
    """The task events of a batch as COPY takes them: lines in the order of their table's key.

    And the minutes of their retries, in microseconds since the epoch, and what follows from these events alone.
    """

    rows: str
    events: str
    retries: set[int]
    facts: dict[str, TaskFacts]


class PostgresStore:
    """Writes a batch in one round trip for each of its parts. Needs psycopg 3."""

    def __init__(self, using: str) -> None:
        self.using = using
        connection = connections[using]
        self._task_types = _types(connection, Task, TASK_COLUMNS.columns)
        self._event_types = _types(connection, TaskEvent, _EVENT_COLUMNS)
        self._row_format = RowFormat(TASK_RULES, derived=len(DERIVED_COLUMNS))
        self._event_format = EventFormat()
        merge_tasks = merge_statement(
            Task._meta.db_table,
            _STAGED_TASKS,
            TASK_RULES,
            self._task_types,
            beside={
                "previous_finished_at": "t.finished_at",
                "is_renamed": changes(TASK_RULES, *COUNTED_BY),
            },
            # Which transaction has locked or deleted this version of the row: none, where none was there before.
            returning=", ".join((*(f"t.{column}" for column in (*_FACTS, *_MARKED)), "t.xmax = 0 AS is_new")),
        )
        self._merge_tasks = _MERGE_AND_MARK.format(merge=merge_tasks)
        self._insert_events = (
            f"INSERT INTO {TaskEvent._meta.db_table} ({', '.join(_EVENT_COLUMNS)})"
            f" SELECT {', '.join(_EVENT_COLUMNS)} FROM {_STAGED_EVENTS} ORDER BY task_id, timestamp, type, tie"
            " ON CONFLICT DO NOTHING RETURNING tie"
        )
        #: Counts a batch while the database takes in its events.
        self._counting = ThreadPoolExecutor(1, "monitoring-count")
        #: The connection that has the staging tables; a new one has none.
        self._prepared: Any = None

    def prepare(self, batch: Batch) -> None:
        rows, line = TASK_COLUMNS.fold.fold(batch.tasks), self._row_format.line
        derived = {subject: derive(row) for subject, row in rows.items()}
        batch.prepared = _Prepared(
            "".join([line(rows[subject], derived[subject]) for subject in sorted(rows)]),
            "".join(sorted(self._event_format.lines(batch.tasks))),
            retry_minutes(batch.tasks),
            {subject: facts_of(row, derived[subject]) for subject, row in rows.items()},
        )

    def write(self, batch: Batch) -> Written:
        if batch.tasks:
            self._make_ready()  # not in the transaction: if that is rolled back, the staging tables must stay
            if batch.prepared is None:
                self.prepare(batch)
        try:
            return self._write(batch, self._log_all)
        except IntegrityError:  # some events have come before, as is rare; or a fault that comes again
            return self._write(batch, self._log_new)

    def _write(self, batch: Batch, log: _Log) -> Written:
        written = Written()
        with transaction.atomic(using=self.using):
            if batch.tasks:
                written.new_events = self._write_tasks(batch.tasks, batch.prepared, log)
            merge(self.using, WORKER_COLUMNS, batch.workers)
            write_worker_history(self.using, batch.workers)
            write_side_tables(self.using, batch)
        return written

    def _make_ready(self) -> None:
        """Staging tables and the prepared statement, which each connection has for itself."""
        connection = connections[self.using]
        connection.ensure_connection()
        if self._prepared is connection.connection:
            return
        with connection.cursor() as cursor:
            cursor.execute(staging_table(_STAGED_TASKS, self._task_types))
            cursor.execute(staging_table(_STAGED_EVENTS, self._event_types, times="timestamptz"))
            cursor.execute("SELECT FROM pg_prepared_statements WHERE name = %s", [_MERGE_TASKS])
            if not cursor.fetchall():
                cursor.execute(f"PREPARE {_MERGE_TASKS} AS {self._merge_tasks}")
        self._prepared = connection.connection

    def _write_tasks(self, events: list[Event], prepared: _Prepared, log: _Log) -> int:
        connection = connections[self.using]
        # A COPY is no call of a cursor's method, so Django does not turn what goes wrong in it into its own errors.
        with connection.wrap_database_errors, connection.cursor() as cursor:
            _copy(cursor, _STAGED_TASKS, self._task_types, prepared.rows)
            cursor.execute(f"EXECUTE {_MERGE_TASKS}")
            merged = cursor.fetchall()
            changed = {task_id: TaskFacts(*known) for _, task_id, *known in merged if task_id is not None}
            if merged[0][0] + len(changed) < len(prepared.facts):  # others are what they were
                cursor.execute(_FACTS_OF, [[task_id for task_id in prepared.facts if task_id not in changed]])
                changed |= {task_id: TaskFacts(*known) for task_id, *known in cursor.fetchall()}
            facts = prepared.facts | changed
            number = log(cursor, events, prepared.events, facts)
            write_marks(self.using, prepared.retries)
        return number

    def _log_all(self, cursor: Any, events: list[Event], lines: str, facts: Mapping[str, TaskFacts]) -> int:
        """Add the events to the log without a detour, and count them. IntegrityError if one of them is there already.

        They are counted while the database takes them in.
        """
        counts = self._counting.submit(_count_lines, events, {event.tie for event in events}, facts)
        _copy(cursor, TaskEvent._meta.db_table, _EVENT_COLUMNS, lines)
        _copy(cursor, EventDelta._meta.db_table, _DELTA_COLUMNS, counts.result())
        return len(events)

    def _log_new(self, cursor: Any, events: list[Event], lines: str, facts: Mapping[str, TaskFacts]) -> int:
        """Add those events that are not in the log yet, and count them."""
        _copy(cursor, _STAGED_EVENTS, _EVENT_COLUMNS, lines)
        cursor.execute(self._insert_events)
        new = {tie for (tie,) in cursor.fetchall()}
        _copy(cursor, EventDelta._meta.db_table, _DELTA_COLUMNS, _count_lines(events, new, facts))
        return len(new)


def _copy(cursor: Any, table: str, columns: Iterable[str], lines: str) -> None:
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) {FROM_STDIN}") as copy:
        copy.write(lines)


def _count_lines(events: list[Event], new: set[int], facts: Mapping[str, TaskFacts]) -> str:
    now = datetime.now(UTC).isoformat()
    return "".join([line((*_counted(count), now)) for count in count_events(events, new, facts)])


def _types(connection: BaseDatabaseWrapper, model: type[Model], columns: Iterable[str]) -> dict[str, str]:
    """The columns' types in this database, collation included."""
    types = {}
    for column in columns:
        field: Any = model._meta.get_field(column)
        parameters = field.db_parameters(connection)
        collation = parameters.get("collation")
        types[column] = (
            f'{parameters["type"]} COLLATE "{collation}"' if collation else str(parameters["type"])
        )
    return types
