"""What was deployed when."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from ..models import DeployMark

#: Marks that one chart has, the newest ones.
MOST = 40


def newest_marks(since: datetime, until: datetime) -> QuerySet[DeployMark]:
    """The newest MOST of a time, newest first."""
    return DeployMark.objects.filter(at__gte=since, at__lt=until).order_by("-at", "-pk")[:MOST]


def marks(since: datetime, until: datetime) -> list[DeployMark]:
    """Those of a time, oldest first, the newest MOST. They tell of no task: everybody sees them. Cost: an index."""
    return list(newest_marks(since, until))[::-1]
