"""Counts of several kinds of events as one series. Pure."""

from __future__ import annotations

from ..ingest.buckets import add_counts
from ..queries.event_counts import EventCounts


class Sum:
    """What a series says of the counts that were added to it; as in :class:`EventCounts`."""

    __slots__ = (
        "count", "created", "newest_ts", "prefetch", "runtime_buckets", "runtime_sum", "wait_buckets", "wait_sum",
    )  # fmt: skip

    def __init__(self) -> None:
        self.count = 0
        self.runtime_sum = self.wait_sum = 0.0
        self.runtime_buckets: list[int] | None = None
        self.wait_buckets: list[int] | None = None
        self.newest_ts: int | None = None
        self.prefetch: float | None = None
        self.created = float("inf")

    def add(self, counts: EventCounts | Sum) -> None:
        self.count += counts.count
        if counts.created < self.created:
            self.created = counts.created
        if counts.runtime_buckets is not None:
            self.runtime_sum += counts.runtime_sum
            self.runtime_buckets = add_counts(self.runtime_buckets, counts.runtime_buckets)
        if counts.wait_buckets is not None:
            self.wait_sum += counts.wait_sum
            self.wait_buckets = add_counts(self.wait_buckets, counts.wait_buckets)
        if counts.newest_ts is not None and (self.newest_ts is None or counts.newest_ts >= self.newest_ts):
            self.newest_ts, self.prefetch = counts.newest_ts, counts.prefetch
