"""Writing counted minutes, and adding up the steps above them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db import connections
from django.db.models import Model

from monitoring.ingest.stores.merging import chunks
from monitoring.models import Grain, Statistic, StatisticFailure
from monitoring.time_steps import MINUTE, STEPS, start_of
from monitoring.upkeep.statistics.counting import Buckets
from monitoring.upkeep.statistics.figures import HISTOGRAMS, SUMS, Bucket, Failure, Key

#: Starts of one IN list: old SQLite takes 999 parameters.
_STARTS = 900


def store_buckets(using: str, buckets: Buckets, step: int = MINUTE) -> None:
    """Put these buckets in the place of what was there, and add up every step that they are in, up to the day.

    Must run in a transaction. Cost: a DELETE and an INSERT of the rows of each step, and a read of the rows below it.
    """
    replace(using, step, buckets)
    starts = sorted(buckets)
    for below, above in pairwise(STEPS[STEPS.index(step) :]):
        starts = sorted({start_of(start, above) for start in starts})
        replace(using, above, _add_up(using, below, above, starts))


def replace(using: str, step: int, buckets: Buckets) -> None:
    """Store the rows of these buckets of `step` seconds, and delete what was there."""
    for chunk in chunks(sorted(buckets), _STARTS):
        _delete(using, Statistic, step, chunk, grain__in=Grain.values)
        _delete(using, StatisticFailure, step, chunk)
    adapt = connections[using].ops.adapt_datetimefield_value
    rows: list[tuple[Any, ...]] = []
    failures: list[tuple[Any, ...]] = []
    for start, bucket in sorted(buckets.items()):
        begin = adapt(start)
        rows += [
            (step, begin, *key, False, *figures.values()) for key, figures in sorted(bucket.rows.items())
        ]
        failures += [(step, begin, *failure, count) for failure, count in sorted(bucket.failures.items())]
    _insert(using, Statistic, ("step", "start", *Key._fields, "frozen", *SUMS, *HISTOGRAMS), rows)
    _insert(using, StatisticFailure, ("step", "start", *Failure._fields, "count"), failures)


def frozen_minutes(using: str, minutes: Iterable[datetime]) -> set[datetime]:
    """Those of `minutes` that are never counted again. Cost: a row of an index for each."""
    rows = Statistic.objects.using(using).filter(grain=Grain.ALL, step=MINUTE, frozen=True)
    return {
        start
        for chunk in chunks(sorted(minutes), _STARTS)
        for start in rows.filter(start__in=chunk).values_list("start", flat=True)
    }


def freeze(using: str, minutes: Iterable[datetime]) -> int:
    """Freeze counted minutes, so that tasks of theirs can be deleted; how many. An UPDATE of a row each."""
    rows = Statistic.objects.using(using).filter(grain=Grain.ALL, step=MINUTE, frozen=False)
    return sum(rows.filter(start__in=chunk).update(frozen=True) for chunk in chunks(sorted(minutes), _STARTS))


def _delete(
    using: str, model: type[Model], step: int, starts: Sequence[datetime], **grains: Sequence[int]
) -> None:
    model._default_manager.using(using).filter(step=step, start__in=starts, **grains).delete()


def _insert(using: str, model: type[Model], columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    """Many small rows: `bulk_create` takes ten times as long, most of it for making and reading its statements."""
    connection, table = connections[using], model._meta.db_table
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        if hasattr(cursor, "copy"):  # psycopg 3
            with connection.wrap_database_errors, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)
        elif rows:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)  # noqa: S608


def _add_up(using: str, below: int, step: int, starts: Sequence[datetime]) -> Buckets:
    """The buckets of `step` seconds from the rows of the step below."""
    sums: Buckets = {start: Bucket() for start in starts}
    parts = [start + timedelta(seconds=after) for start in starts for after in range(0, step, below)]
    for chunk in chunks(parts, _STARTS):
        rows = Statistic.objects.using(using).filter(grain__in=Grain.values, step=below, start__in=chunk)
        for start, grain, name, queue, worker, *figures in rows.values_list(
            "start", "grain", "name", "queue", "worker", *SUMS, *HISTOGRAMS
        ):
            sums[start_of(start, step)].figures(Key(grain, name, queue, worker)).add_row(tuple(figures))
        failures = StatisticFailure.objects.using(using).filter(step=below, start__in=chunk)
        for start, *failure, count in failures.values_list("start", *Failure._fields, "count"):
            sums[start_of(start, step)].failures[Failure(*failure)] += count
    return sums
