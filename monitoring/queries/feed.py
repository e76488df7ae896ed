"""What has changed, in the order of commits. Says which tasks, never what they are: no user reads it directly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Min, Sum

from ..models import FeedEntry

#: Entries that are read at once; a reader that is further behind reads what it shows anew.
MOST = 1_000


@dataclass(frozen=True)
class Missed:
    """Task events since a cursor; not `complete` where the feed does not reach back to it."""

    changes: int
    complete: bool


def newest_cursor() -> int:
    """The id up to which the feed has been written; 0: nothing ever was. Cost: one row of the primary key."""
    newest: int | None = FeedEntry.objects.aggregate(newest=Max("pk"))["newest"]
    return newest or 0


def feed_since(cursor: int) -> list[FeedEntry]:
    """The entries after `cursor`, oldest first, at most MOST. Cost: the primary key."""
    return list(FeedEntry.objects.filter(pk__gt=cursor).order_by("pk")[:MOST])


def missed_since(cursor: int) -> Missed:
    """How much a reader with this cursor has missed. Cost: at most the feed, ten minutes of a few rows a second."""
    oldest = FeedEntry.objects.aggregate(oldest=Min("pk"), newest=Max("pk"))
    since = FeedEntry.objects.filter(pk__gt=cursor).aggregate(changes=Sum("changes"))["changes"] or 0
    known = oldest["oldest"] is not None and oldest["oldest"] <= cursor <= oldest["newest"]
    return Missed(since, known)


def per_second(since: datetime) -> list[tuple[datetime, int, int, int]]:
    """Time, events, ended tasks and failures of each entry since then. Cost: a few rows a second, by the index."""
    rows = FeedEntry.objects.filter(at__gte=since).order_by("at", "pk")
    return [
        (at, events, succeeded + failed + ended, failed)
        for at, events, succeeded, failed, ended in rows.values_list(
            "at", "events", "succeeded", "failed", "ended"
        )
    ]
