"""What heartbeats add to the history of workers: samples, and the log of who came and went. On any database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from django.db import connections

from monitoring.ingest.events import Event
from monitoring.ingest.stores.columns import to_datetime
from monitoring.ingest.stores.merging import chunks
from monitoring.ingest.stores.rollup_marks import mark_late_hours
from monitoring.ingest.worker_samples import Sample, fold_samples
from monitoring.models import WorkerEvent, WorkerSample

_COLUMNS = tuple(field.name for field in fields(Sample))
#: What the first heartbeat of a minute says.
_FIRST = ("first_ts", "first_tie", "active", "processed", "load_1", "load_5", "load_15")
#: Extremes, and how a new one compares with the old.
_EXTREMES = {"most_active": ">", "least_pid": "<", "greatest_pid": ">", "clock_skew": "<"}
#: Rows of one statement: old SQLite takes 999 parameters.
_ROWS = 900 // (len(_COLUMNS) + 1)


def write_worker_history(using: str, events: Sequence[Event]) -> None:
    """Join the samples of `events`, and log those that say who came and went. Must run in a transaction.

    Cost: one statement for each, of few rows: a worker sends a heartbeat every other second. One more where they come
    late.
    """
    samples = fold_samples(events)
    if samples:
        adapt = connections[using].ops.adapt_datetimefield_value
        with connections[using].cursor() as cursor:
            for chunk in chunks(samples, _ROWS):
                parameters: list[Any] = []
                for sample in chunk:
                    hostname, minute, *rest = sample.columns
                    parameters += (hostname, adapt(to_datetime(minute)), *rest, 0)
                cursor.execute(_statement(len(chunk)), parameters)
        mark_late_hours(using, {to_datetime(sample.minute) for sample in samples})
    logged = [event for event in events if event.type in ("worker-online", "worker-offline")]
    if logged:
        WorkerEvent.objects.using(using).bulk_create(
            map(_logged, sorted(logged, key=_key)), ignore_conflicts=True
        )


def add_events(using: str, counts: Mapping[tuple[str, datetime], int]) -> None:
    """Add to the events of samples, by host name and minute. Must run in a transaction, after any lock on workers."""
    adapt = connections[using].ops.adapt_datetimefield_value
    rows = [(hostname, adapt(minute), count) for (hostname, minute), count in sorted(counts.items())]
    with connections[using].cursor() as cursor:
        for chunk in chunks(rows, _ROWS):
            cursor.execute(
                f"INSERT INTO {WorkerSample._meta.db_table} AS t (hostname, minute, events)"
                f" VALUES {', '.join(['(%s, %s, %s)'] * len(chunk))}"
                " ON CONFLICT (hostname, minute) DO UPDATE SET events = t.events + excluded.events",
                [value for row in chunk for value in row],
            )
    mark_late_hours(using, {minute for _hostname, minute in counts})


def _key(event: Event) -> tuple[str, int, str, int]:
    return event.subject, event.ts, event.type, event.tie


def _logged(event: Event) -> WorkerEvent:
    return WorkerEvent(
        hostname=event.subject,
        timestamp=to_datetime(event.ts),
        type=event.type,
        tie=event.tie,
        pid=event.values["pid"],
        processed=event.values["processed"],
    )


def _statement(rows: int) -> str:
    """Upsert `rows` samples: the earlier heartbeat's figures and the extremes win, and nothing else is written."""
    earlier = (
        "(excluded.first_ts IS NOT NULL AND (t.first_ts IS NULL OR excluded.first_ts < t.first_ts"
        " OR (excluded.first_ts = t.first_ts AND excluded.first_tie < t.first_tie)))"
    )
    wins = dict.fromkeys(_FIRST, earlier) | {
        column: f"(excluded.{column} IS NOT NULL AND (t.{column} IS NULL OR excluded.{column} {sign} t.{column}))"
        for column, sign in _EXTREMES.items()
    }
    changes = ", ".join(
        f"{column} = CASE WHEN {better} THEN excluded.{column} ELSE t.{column} END"
        for column, better in wins.items()
    )
    row = f"({', '.join(['%s'] * (len(_COLUMNS) + 1))})"
    return (
        f"INSERT INTO {WorkerSample._meta.db_table} AS t ({', '.join(_COLUMNS)}, events)"
        f" VALUES {', '.join([row] * rows)} ON CONFLICT (hostname, minute) DO UPDATE SET {changes}"
        f" WHERE {' OR '.join(dict.fromkeys(wins.values()))}"
    )
