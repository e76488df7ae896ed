"""One clock for all hosts: the database's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connections
from django.db.models.functions import Now
from django.utils import timezone


def database_now(using: str) -> Any:
    """The present, for filters and updates; a timedelta can be added to it.

    On PostgreSQL an expression, the time at which the server takes the statement. On SQLite, which has no clock but its
    one host's, that host's time.
    """
    return Now() if connections[using].vendor == "postgresql" else timezone.now()


def read_clock(using: str) -> datetime:
    """The present as a value; one round trip on PostgreSQL."""
    if connections[using].vendor != "postgresql":
        return timezone.now()
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
