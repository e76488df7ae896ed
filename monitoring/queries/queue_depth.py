"""How many messages waited in each queue, in the buckets of a chart."""

from __future__ import annotations

from .queues import depths
from .statistics_range import Range
from .visibility import Visibility


def depth_by_queue(
    visibility: Visibility, period: Range, name: str | None = None
) -> dict[str, list[float | None]]:
    """Means of what was read, by queue, one value for each bucket of the range (None: not read), of one queue or all.

    Cost: as :func:`.queues.depths`.
    """
    found = depths(visibility, period.start, period.end, [name] if name is not None else None)
    places = [period.index(at) if period.start <= at < period.end else None for at in found.times]
    return {queue: _means(values, places, len(period.edges) - 1) for queue, values in found.ready.items()}


def total_depth(by_queue: dict[str, list[float | None]]) -> list[float | None]:
    """All queues together; None where none was read."""
    known = (
        [value for value in values if value is not None] for values in zip(*by_queue.values(), strict=True)
    )
    return [sum(values) if values else None for values in known]


def _means(values: list[float | None], places: list[int | None], buckets: int) -> list[float | None]:
    sums, counts = [0.0] * buckets, [0] * buckets
    for value, place in zip(values, places, strict=True):
        if value is not None and place is not None:
            sums[place] += value
            counts[place] += 1
    return [total / count if count else None for total, count in zip(sums, counts, strict=True)]
