"""The figures of a whole page of charts and tiles: each bucket of a range, the range, and the one before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from .statistics_range import Range, cover
from .statistics_rows import Selection, add_up, rows
from .statistics_sums import RUNTIMES, WAITS, Sums
from .visibility import Visibility

T = TypeVar("T")


@dataclass(frozen=True)
class Overview:
    """`buckets`: one for each of `period`'s, oldest first; `now` is the sum of them, `before` the range before it.

    Counts, run times and waits are there. What is shown of the buckets adds up to what is shown of the range.
    """

    period: Range
    buckets: tuple[Sums, ...]
    now: Sums
    before: Sums
    #: The sums of the range by queue, where a task name is selected; else empty.
    queues: dict[str, Sums] = field(default_factory=dict)

    def values(self, of: Callable[[Sums], T]) -> list[T]:
        """One value for each bucket."""
        return [of(sums) for sums in self.buckets]


def overview(visibility: Visibility, period: Range, selection: Selection | None = None) -> Overview:
    """The sums of a range and its buckets, with both histograms, and of the range before it.

    Cost: one statement of at most 400 rows, and some fifty for the range before; times the number of names where names
    matter.
    """
    before = period.previous()
    stretches = [*cover(period.edges), *cover((before.start, before.end))]
    selection = selection or Selection()
    keys = ["start", "queue"] if selection.name is not None else ["start"]
    found = add_up(rows(visibility, selection, stretches), keys, (RUNTIMES, WAITS))
    buckets = tuple(Sums() for _ in period.edges[1:])
    now, earlier = Sums(), Sums()
    queues: dict[str, Sums] = defaultdict(Sums)
    for (start, *queue), sums in found.items():
        if start < period.start:  # type: ignore[operator]
            earlier.add(sums)
        else:
            buckets[period.index(start)].add(sums)  # type: ignore[arg-type]
            now.add(sums)
            for each in queue:
                queues[str(each)].add(sums)
    return Overview(period, buckets, now, earlier, dict(queues))
