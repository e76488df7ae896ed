"""Days of the event log as partitions of PostgreSQL. On every other database nothing here does anything.

A day's partition is made as a table of its own and then attached (CREATE TABLE ... PARTITION OF would lock the whole
log). The default partition takes times that have no day, and all of them where the role may not create tables.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

from django.db import DatabaseError, connections, migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

from monitoring.faults import first_line

logger = logging.getLogger(__name__)

EVENT_TABLE = "monitoring_taskevent"
DEFAULT_PARTITION = f"{EVENT_TABLE}_default"
#: Days ahead of today that are made in advance.
DAYS_AHEAD = 2
#: How long a new partition waits for the log's lock before it gives way to the queries that hold it.
LOCK_TIMEOUT_MS = 2_000


class CreatePartitionedModel(migrations.CreateModel):
    """``CreateModel`` that partitions the table by range of one column on PostgreSQL, with a default partition."""

    partition_column = "timestamp"

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.name)
        if schema_editor.connection.vendor != "postgresql" or not self.allow_migrate_model(
            schema_editor.connection.alias, model
        ):
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        plain = schema_editor.sql_create_table
        try:
            schema_editor.sql_create_table = f'{plain} PARTITION BY RANGE ("{self.partition_column}")'
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.sql_create_table = plain
        table = model._meta.db_table
        schema_editor.execute(f'CREATE TABLE "{table}_default" PARTITION OF "{table}" DEFAULT')


def partition_name(day: date) -> str:
    return f"{EVENT_TABLE}_{day:%Y%m%d}"


def existing_days(using: str) -> set[date]:
    """The days that have a partition of ours; one that somebody made for another stretch of time is none."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = %s::regclass",
            [EVENT_TABLE],
        )
        names = [name.removeprefix(f"{EVENT_TABLE}_") for (name,) in cursor.fetchall()]
    days = set()
    for name in names:
        with suppress(ValueError):
            days.add(date.fromisoformat(name))
    return days


def may_make_partitions(using: str) -> bool:
    """Whether the database user may make tables in the current schema, and attach them to the log (be its owner).

    Before the log's own table is made only the first counts.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)"
            " AND coalesce((SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass(%s)), true)",
            [EVENT_TABLE],
        )
        (may,) = cursor.fetchone()
    return bool(may)


def make_partitions(using: str, days: Iterable[date]) -> list[date]:
    """Make the partitions of `days` that are missing; the days that were made.

    A day that cannot be made (no right to create tables, a lock that is not to be had, rows of it in the default
    partition) is logged and left out: its events go to the default partition, where they are found just as well.
    """
    made = []
    for day in sorted(days):
        try:
            _make_partition(using, day)
        except DatabaseError as error:
            logger.warning("No partition for %s: %s", day, first_line(error))
        else:
            made.append(day)
    return made


def _make_partition(using: str, day: date) -> None:
    name = partition_name(day)
    first = datetime(day.year, day.month, day.day, tzinfo=UTC)
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        # One maker at a time: two consumers must not both attach the same day.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [EVENT_TABLE])
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        if cursor.fetchone()[0]:
            return
        cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        cursor.execute(
            f'CREATE TABLE "{name}" (LIKE "{EVENT_TABLE}" INCLUDING DEFAULTS INCLUDING CONSTRAINTS)'
        )
        cursor.execute(
            f'ALTER TABLE "{EVENT_TABLE}" ATTACH PARTITION "{name}" FOR VALUES FROM (%s) TO (%s)',
            [first, first + timedelta(days=1)],
        )


class DayPartitions:
    """Keeps the partitions that the events of one consumer need; remembers which ones there are."""

    def __init__(self, using: str) -> None:
        self.using = using
        self._known: set[date] = set()
        self._refused: dict[date, datetime] = {}

    def ensure(self, days: set[date]) -> None:
        """Make the days that are missing among `days`, of those near today; a refused day is tried once a minute."""
        if connections[self.using].vendor != "postgresql" or days <= self._known:
            return
        now = datetime.now(UTC)
        today = now.date()
        wanted = {
            day
            for day in days - self._known
            if abs((day - today).days) <= 31 and self._refused.get(day, now) <= now
        }
        if not wanted:
            return
        self._known |= existing_days(self.using)
        missing = wanted - self._known
        made = set(make_partitions(self.using, missing))
        self._known |= made
        self._refused.update(dict.fromkeys(missing - made, now + timedelta(minutes=1)))
