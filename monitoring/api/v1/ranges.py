"""Ranges of time in query strings."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from rest_framework.exceptions import ValidationError

from ..operations import Asked, Parameter

PERIODS: dict[str, timedelta] = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
}
LONGEST = timedelta(days=3_660)


def parameters(default: str = "24h") -> tuple[Parameter, ...]:
    return (
        Parameter("period", "Up to now; or give times.", choices=tuple(PERIODS), default=default),
        Parameter("from", "Instead of a period.", "date-time", example="2026-11-29T00:00:00Z"),
        Parameter("to", "Now by default.", "date-time"),
    )


def read_range(asked: Asked) -> tuple[datetime, datetime]:
    """From when to when. Raises ValidationError for a range that ends before it begins, or is longer than ten years."""
    since, until = asked["from"], asked["to"] or timezone.now()
    if since is None:
        since = until - PERIODS[asked["period"]]
    if not timedelta(0) < until - since <= LONGEST:
        raise ValidationError({"from": ["It has to be before the end, and at most ten years before."]})
    return since, until
