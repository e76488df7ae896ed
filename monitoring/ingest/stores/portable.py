"""The store for every database: reads the rows that a batch touches, joins them in Python, writes them back."""

from __future__ import annotations

from typing import Any

from django.db import connections, transaction

from monitoring.ingest import states
from monitoring.ingest.counting import count_events
from monitoring.ingest.events import Event
from monitoring.ingest.folding import Row
from monitoring.ingest.minutes import COUNTED_BY, minute_of, retry_minutes
from monitoring.ingest.stores.columns import TASK_COLUMNS, WORKER_COLUMNS, to_datetime
from monitoring.ingest.stores.contract import Batch, Written
from monitoring.ingest.stores.merging import chunks, merge
from monitoring.ingest.stores.side_tables import write_counts, write_marks, write_side_tables
from monitoring.ingest.stores.worker_history import write_worker_history
from monitoring.models import TaskEvent

#: Rows of one INSERT into the event log: seven parameters each, and old SQLite takes 999.
_EVENT_ROWS = 140

_RETRY = TASK_COLUMNS.rule_columns.index("retry_ts")
_COUNTED_BY = [TASK_COLUMNS.rule_columns.index(column) for column in COUNTED_BY]
_FINISHED = states.DERIVED_COLUMNS.index("finished_at")


class PortableStore:
    """Writes by what Django itself knows of a database.

    On SQLite it relies on IMMEDIATE transactions, which admit one writer at a time.
    """

    def __init__(self, using: str) -> None:
        self.using = using

    def prepare(self, batch: Batch) -> None:
        """Nothing: what takes time here needs the rows that are there."""

    def write(self, batch: Batch) -> Written:
        with transaction.atomic(using=self.using):
            rows, before = merge(self.using, TASK_COLUMNS, batch.tasks)
            new = self._log(batch.tasks)
            facts = {subject: states.facts_of(row, states.derive(row)) for subject, row in rows.items()}
            write_counts(self.using, count_events(batch.tasks, new, facts))
            write_marks(self.using, *_marks(batch.tasks, rows, before))
            merge(self.using, WORKER_COLUMNS, batch.workers)
            write_worker_history(self.using, batch.workers)
            write_side_tables(self.using, batch)
        return Written(new_events=len(new))

    def _log(self, events: list[Event]) -> set[int]:
        """Insert the events that are not in the log yet; the ties of those."""
        adapt = connections[self.using].ops.adapt_datetimefield_value
        new: set[int] = set()
        with connections[self.using].cursor() as cursor:
            for chunk in chunks(sorted(events, key=lambda e: (e.subject, e.ts, e.type, e.tie)), _EVENT_ROWS):
                rows = ", ".join(["(%s, %s, %s, %s, %s, %s, %s)"] * len(chunk))
                parameters: list[Any] = []
                for e in chunk:
                    moment = adapt(to_datetime(e.ts))
                    parameters += (e.subject, moment, e.type, e.tie, e.worker, e.clock, e.payload)
                cursor.execute(
                    f"INSERT INTO {TaskEvent._meta.db_table}"
                    " (task_id, timestamp, type, tie, worker, clock, payload)"
                    f" VALUES {rows} ON CONFLICT DO NOTHING RETURNING tie",
                    parameters,
                )
                new.update(tie for (tie,) in cursor.fetchall())
        return new


def _marks(events: list[Event], rows: dict[str, Row], before: dict[str, Row]) -> tuple[set[int], list[str]]:
    """The minutes that rows were and are counted in, and the tasks whose retries are counted otherwise now."""
    minutes, retried = retry_minutes(events), []
    for subject, row in rows.items():
        for each in (row, before.get(subject)):
            end = states.derive(each)[_FINISHED] if each is not None else None
            if end is not None:
                minutes.add(minute_of(end))
        if subject in before:
            now, then = TASK_COLUMNS.fold.flatten(row), TASK_COLUMNS.fold.flatten(before[subject])
            if now[_RETRY] is not None and any(now[index] != then[index] for index in _COUNTED_BY):
                retried.append(subject)
    return minutes, retried
