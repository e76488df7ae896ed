"""Every task name of a range with its figures, and what there is to choose from beside it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from .statistics_range import Range, cover
from .statistics_rows import Selection, add_up, rows
from .statistics_sums import RUNTIMES, WAITS, Sums
from .visibility import Visibility


@dataclass(frozen=True)
class TaskMenu:
    """`tasks`: figures by task name, of what is selected; unknown is the empty text.

    `names` and `queues`: how many tasks ended, by what a filter can choose; each ignores its own filter, as facets do.
    """

    tasks: dict[str, Sums]
    names: dict[str, int]
    queues: dict[str, int]


def task_menu(
    visibility: Visibility, period: Range, selection: Selection | None = None, *, with_waits: bool = False
) -> TaskMenu:
    """Figures by name with run times, and waits where wanted. Nothing of a worker: it has no names.

    Cost: one statement over the rows of all names in the longest steps that fill the range: some ten thousand for 200
    names in 30 days.
    """
    selection = selection or Selection()
    tasks: dict[str, Sums] = defaultdict(Sums)
    names: Counter[str] = Counter()
    queues: Counter[str] = Counter()
    if selection.worker is None:
        histograms = (RUNTIMES, WAITS) if with_waits else (RUNTIMES,)
        stretches = cover((period.start, period.end))
        found = add_up(rows(visibility, Selection(), stretches, "name"), ["name", "queue"], histograms)
        for key, sums in found.items():
            name, queue = map(str, key)
            is_named, is_queued = selection.name in (None, name), selection.queue in (None, queue)
            if is_queued:
                names[name] += sums.finished
            if is_named:
                queues[queue] += sums.finished
            if is_named and is_queued:
                tasks[name].add(sums)
    return TaskMenu(dict(tasks), dict(names), dict(queues))
