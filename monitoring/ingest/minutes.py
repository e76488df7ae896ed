"""The minutes whose statistics a batch touches. Pure.

They are appended as marks in the batch's own transaction; upkeep takes them and counts those minutes anew. What only
the merged rows know (when a task ended, and had ended before) each store adds by itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from monitoring.ingest.events import Event

#: What the retries of a task are counted by, beside their own event: who changes it marks the task, and upkeep counts
#: the minutes of all of them anew. That is seldom. A task may be retried for weeks, and each time it would be as many.
COUNTED_BY = ("name", "queue")
#: A minute in microseconds.
MINUTE = 60_000_000


def minute_of(microseconds: int) -> int:
    """The beginning of the minute that a moment is in; both in microseconds since the epoch."""
    return microseconds - microseconds % MINUTE


def retry_minutes(events: Iterable[Event]) -> set[int]:
    """The minutes, in microseconds since the epoch, in which attempts were retried."""
    return {minute_of(event.ts) for event in events if event.type == "task-retried"}
