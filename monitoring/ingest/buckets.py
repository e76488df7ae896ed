"""Buckets of run times and queue waits, as existing dashboards expect them. Pure.

A histogram is a list of counts, one for each bound and one more for what is above the last. A value belongs to the
first bound that it does not exceed (Prometheus' ``le``). Counts are of each bucket alone, so that two histograms add up
item by item; :func:`cumulative` gives Prometheus' form.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate, zip_longest

#: Upper bounds in seconds of celery-exporter's ``celery_task_runtime``, prometheus_client's defaults.
RUNTIME_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
#: Upper bounds in seconds of celery-exporter's ``celery_task_queue_wait_time``.
WAIT_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)


def bucket_index(value: float, bounds: Sequence[float]) -> int:
    """The index of the bucket that `value` (s) belongs to: 0 to ``len(bounds)``; NaN is above every bound."""
    return len(bounds) if math.isnan(value) else bisect_left(bounds, value)


def bucket_counts(values: Iterable[float], bounds: Sequence[float]) -> list[int]:
    """The histogram of `values` (s): ``len(bounds) + 1`` counts."""
    counts = [0] * (len(bounds) + 1)
    for value in values:
        counts[bucket_index(value, bounds)] += 1
    return counts


def add_counts(one: Sequence[int] | None, other: Sequence[int] | None) -> list[int] | None:
    """The sum of two histograms over the same bounds; None is one that nothing was ever counted in.

    A shorter one counts as zero where it ends.
    """
    if one is None and other is None:
        return None
    return [a + b for a, b in zip_longest(one or (), other or (), fillvalue=0)]


def cumulative(counts: Sequence[int]) -> list[int]:
    """How many values each bound is not exceeded by; the last item is the count of all."""
    return list(accumulate(counts))
