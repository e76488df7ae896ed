"""Days of the event log as partitions of PostgreSQL. On every other database nothing here does anything.

A day's partition is made as a table of its own and then attached (CREATE TABLE ... PARTITION OF would lock the whole
log). The default partition takes times that have no day, and all of them where the role may not create tables. What
came there before its day was made is moved when it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

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
#: Events of a day that are moved out of the default partition at most: whoever needs that partition waits meanwhile.
MOST_MOVED = 500_000
#: Between two tries to make a day that was refused: one whose events come already, and tomorrow. Each keeps readers of
#: the log waiting for a moment.
RETRY_NEEDED, RETRY_AHEAD = timedelta(minutes=1), timedelta(minutes=10)

_IN_STRETCH = "timestamp >= %s AND timestamp < %s"


class NotPossible(Exception):
    """Why a day cannot be made, where it is not for the database to say."""


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

    A day that cannot be made (no right to create tables, a lock that is not to be had, too many rows of it in the
    default partition) is logged and left out: its events go to the default partition, where they are found just as
    well, and are moved by the try that succeeds.
    """
    made = []
    for day in sorted(days):
        try:
            _make_partition(using, day)
        except (DatabaseError, NotPossible) as error:
            logger.warning("No partition for %s: %s", day, first_line(error))
        else:
            made.append(day)
    return made


def _make_partition(using: str, day: date) -> None:
    """Cost: three reads of the default partition, which is meant to be small, and a write of what is moved.

    While events are moved nobody reads or writes the default partition; a writer that waits for it fails with a
    constraint that is broken now, and finds the new partition when it tries again.
    """
    name = partition_name(day)
    first = datetime(day.year, day.month, day.day, tzinfo=UTC)
    stretch = [first, first + timedelta(days=1)]
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        # One maker at a time: two consumers must not both attach the same day.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [EVENT_TABLE])
        if _is_partition(cursor, name):
            return
        # Asked beforehand: else each try would move events only to fail in the end.
        if not may_make_partitions(using):
            raise NotPossible("the database user may not make tables beside the event log (monitoring.W001)")
        if has_default := _is_partition(cursor, DEFAULT_PARTITION):
            _look_whether_movable(cursor, stretch)
        cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        cursor.execute(
            f'CREATE TABLE "{name}" (LIKE "{EVENT_TABLE}" INCLUDING DEFAULTS INCLUDING CONSTRAINTS)'
        )
        if has_default:
            # The locks that ATTACH takes, in its order, so that no event comes between the move and it. To begin with a
            # weaker one would be a deadlock with whoever has read the default partition and writes to it then.
            cursor.execute(f'LOCK TABLE ONLY "{EVENT_TABLE}" IN SHARE UPDATE EXCLUSIVE MODE')
            cursor.execute(f'LOCK TABLE "{DEFAULT_PARTITION}" IN ACCESS EXCLUSIVE MODE')
            taken = f"DELETE FROM {DEFAULT_PARTITION} WHERE {_IN_STRETCH} RETURNING *"  # noqa: S608  # our own names
            move = f'WITH taken AS ({taken}) INSERT INTO "{name}" SELECT * FROM taken'  # noqa: S608
            cursor.execute(move, stretch)
        cursor.execute(
            f'ALTER TABLE "{EVENT_TABLE}" ATTACH PARTITION "{name}" FOR VALUES FROM (%s) TO (%s)', stretch
        )


def _is_partition(cursor: Any, name: str) -> bool:
    """Whether the log has a partition of that name; a table that somebody has detached is none."""
    cursor.execute(
        "SELECT EXISTS (SELECT FROM pg_inherits"
        " WHERE inhrelid = to_regclass(%s) AND inhparent = to_regclass(%s))",
        [name, EVENT_TABLE],
    )
    return bool(cursor.fetchone()[0])


def _look_whether_movable(cursor: Any, stretch: list[datetime]) -> None:
    """Raises :class:`NotPossible`. Looks before anything is locked."""
    some = f"SELECT FROM {DEFAULT_PARTITION} WHERE {_IN_STRETCH} LIMIT %s"
    count = f"SELECT count(*) FROM ({some}) AS found"  # noqa: S608  # our own names
    cursor.execute(count, [*stretch, MOST_MOVED + 1])
    if cursor.fetchone()[0] > MOST_MOVED:
        raise NotPossible(f"more than {MOST_MOVED} events of it lie in {DEFAULT_PARTITION}")


def _now() -> datetime:
    return datetime.now(UTC)


class DayPartitions:
    """Keeps the partitions that the events of one consumer need; remembers which ones there are."""

    def __init__(self, using: str, now: Callable[[], datetime] = _now) -> None:
        self.using = using
        self._now = now
        self._known: set[date] = set()
        #: When a day was refused last.
        self._refused: dict[date, datetime] = {}

    def ensure(self, days: set[date]) -> None:
        """Make what is missing of tomorrow and, among `days`, of those near today.

        Tomorrow is made while it has no events yet, so that midnight waits for nobody. A day that was refused is tried
        again after :data:`RETRY_NEEDED`, tomorrow after :data:`RETRY_AHEAD`.
        """
        if connections[self.using].vendor != "postgresql":
            return
        now = self._now()
        today = now.date()
        near = {day for day in days if abs((day - today).days) <= 31} | {today + timedelta(days=1)}
        wanted = {day for day in near - self._known if self._may_be_tried(day, day in days, now)}
        if not wanted:
            return
        self._known |= existing_days(self.using)
        missing = wanted - self._known
        made = set(make_partitions(self.using, missing))
        self._known |= made
        self._refused.update(dict.fromkeys(missing - made, now))

    def _may_be_tried(self, day: date, is_needed: bool, now: datetime) -> bool:
        refused_at = self._refused.get(day)
        return refused_at is None or now >= refused_at + (RETRY_NEEDED if is_needed else RETRY_AHEAD)
