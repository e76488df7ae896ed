"""Times in the answers of statements that no model reads."""

from __future__ import annotations

from datetime import datetime

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from django.utils.dateparse import parse_datetime


def moment_of(value: datetime | str | None, connection: BaseDatabaseWrapper) -> datetime | None:
    """A time, or None. SQLite has no times: what no model converts comes as text, in the zone of the connection."""
    moment = parse_datetime(value) if isinstance(value, str) else value
    if moment is None or timezone.is_aware(moment):
        return moment
    return timezone.make_aware(moment, connection.timezone)
