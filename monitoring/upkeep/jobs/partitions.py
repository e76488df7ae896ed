"""The days of the event log to come, made ahead of time. Does nothing where the log has no partitions.

Cost: two reads of the catalogue and one of up to 10,001 rows of the default partition; a day that is made locks the
log for a moment, and moves its events out of the default partition.
"""

from __future__ import annotations

from datetime import UTC, timedelta

from django.db import connections

from monitoring.models.partitions import (
    DAYS_AHEAD,
    DEFAULT_PARTITION,
    existing_days,
    make_partitions,
    may_make_partitions,
)
from monitoring.upkeep.clock import read_clock
from monitoring.upkeep.lease import LeaseHolder

#: Rows of the default partition that are counted at most.
COUNTED = 10_000


class PartitionsMissing(Exception):
    """Days to come that could not be made; the log says why."""


def run(lease: LeaseHolder) -> str:
    """Make the partitions of today and the next days; raises :class:`PartitionsMissing`."""
    if connections[lease.using].vendor != "postgresql":
        return "Nothing to do: only PostgreSQL keeps the event log in partitions."
    in_default = f"events in the default partition: {_count_default(lease.using)}"
    if not may_make_partitions(lease.using):
        return f"The database user may not make partitions (monitoring.W001); {in_default}."
    today = read_clock(lease.using).astimezone(UTC).date()
    wanted = {today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)}
    made = make_partitions(lease.using, wanted - existing_days(lease.using))
    # Today may have more events in the default partition than can be moved; the days to come do not.
    if missing := wanted - existing_days(lease.using) - {today}:
        raise PartitionsMissing(f"{', '.join(map(str, sorted(missing)))}; {in_default}")
    return f"Made: {', '.join(map(str, made)) or 'none, all there'}; {in_default}."


def _count_default(using: str) -> str:
    count = f"SELECT count(*) FROM (SELECT 1 FROM {DEFAULT_PARTITION} LIMIT %s) rows"  # noqa: S608  # our own name
    with connections[using].cursor() as cursor:
        cursor.execute(count, [COUNTED + 1])
        (found,) = cursor.fetchone()
    return f"more than {COUNTED}" if found > COUNTED else str(found)
