"""How long tasks of a name usually run."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..time_steps import DAY, MINUTE, start_of
from .statistics_range import cover
from .statistics_rows import Selection, add_up, rows
from .statistics_sums import RUNTIMES
from .visibility import Visibility

#: Days before today that "usually" tells of.
DAYS = 7
#: Runs below which nothing is said to be usual.
LEAST_RUNS = 20
#: An attempt that has run so many times the 95th percentile is conspicuous.
CONSPICUOUS = 5
#: Seconds after which a name is looked up again.
KEPT = 60


@dataclass(frozen=True)
class Usual:
    """Percentiles of run time in seconds, within 5 %; and which share of the tasks that ended failed, from 0 to 1."""

    p50: float
    p95: float
    failure_rate: float

    @property
    def limit(self) -> float:
        """Seconds after which a run is conspicuously long."""
        return CONSPICUOUS * self.p95


def usual(visibility: Visibility, names: Collection[str], now: datetime) -> dict[str, Usual]:
    """What is usual of each of `names` in the last DAYS days; names with fewer than LEAST_RUNS timed runs are left out.

    Cost: one statement over at most 30 rows of statistics for each name and queue; none where no name is asked for.
    """
    if not names:
        return {}
    stretches = cover((start_of(now - timedelta(days=DAYS), DAY), start_of(now, MINUTE)))
    chosen = rows(visibility, Selection(), stretches, "name").filter(name__in=names)
    found: dict[str, Usual] = {}
    for (name,), sums in add_up(chosen, ["name"], [RUNTIMES]).items():
        p50, p95 = sums.percentiles(RUNTIMES, (0.5, 0.95))
        if sums.counts["runtime_count"] >= LEAST_RUNS and p50 is not None and p95 is not None:
            found[str(name)] = Usual(p50, p95, sums.share("failed") or 0.0)
    return found


class UsualRuns:
    """Remembers for KEPT seconds what is usual, by visibility and name, for pages that ask each second.

    Names that nobody has asked for since then are forgotten. For one thread.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Visibility, str], tuple[datetime, Usual | None]] = {}

    def tell(self, visibility: Visibility, tasks: Iterable[Any], now: datetime) -> None:
        """Give each task `usual`: a :class:`Usual`, or None. Cost: :func:`usual` of the names not known."""
        tasks = list(tasks)
        oldest = now - timedelta(seconds=KEPT)
        self._known = {key: value for key, value in self._known.items() if value[0] > oldest}
        unknown = {task.name for task in tasks if task.name and (visibility, task.name) not in self._known}
        found = usual(visibility, unknown, now)
        for name in unknown:
            self._known[visibility, name] = now, found.get(name)
        for task in tasks:
            task.usual = self._known[visibility, task.name][1] if task.name else None
