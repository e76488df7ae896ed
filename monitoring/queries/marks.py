"""What was deployed when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from django.db import connections
from django.db.models import QuerySet

from ..models import DeployMark
from .raw_times import moment_of

#: Marks that one chart has, the newest ones.
MOST = 40


def newest_marks(since: datetime, until: datetime) -> QuerySet[DeployMark]:
    """The newest MOST of a time, newest first."""
    return DeployMark.objects.filter(at__gte=since, at__lt=until).order_by("-at", "-pk")[:MOST]


def marks(since: datetime, until: datetime) -> list[DeployMark]:
    """Those of a time, oldest first, the newest MOST. They tell of no task: everybody sees them. Cost: an index."""
    return list(newest_marks(since, until))[::-1]


def marks_sql(since: datetime, until: datetime) -> tuple[str, list[Any]]:
    """Their statement, for a part of a greater one: id, time and label, in the database of what is watched."""
    newest = newest_marks(since, until).values("id", "at", "label")
    sql, params = newest.query.get_compiler(using=newest.db).as_sql()
    return sql, list(params)


def marks_of(rows: Iterable[tuple[Any, Any, Any]]) -> list[DeployMark]:
    """What :func:`marks_sql` has found, oldest first."""
    connection = connections[DeployMark.objects.db]
    found = [
        DeployMark(pk=key, at=cast(datetime, moment_of(at, connection)), label=label)
        for key, at, label in rows
    ]
    return sorted(found, key=lambda mark: (mark.at, mark.pk))
