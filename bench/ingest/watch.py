"""Watches a load arrive in the database: which of its probes have been committed by when."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from bench.ingest.contents import Contents
from bench.ingest.load import Load, Probe

#: Probes looked for at once, the oldest first.
WINDOW = 100


class Commit(NamedTuple):
    """A probe was seen in the database at `seen`; its event's own time is `at` (seconds since the epoch)."""

    position: int
    at: float
    seen: float


class Silent(Exception):
    """Nothing more has come for too long. `commits` is what came until then."""

    def __init__(self, commits: list[Commit], missing: int) -> None:
        super().__init__(f"{missing} of the events that were looked for have not come")
        self.commits = commits


def watch(
    load: Load,
    base: float,
    contents: Contents,
    check: Callable[[], None],
    begun: Callable[[], None],
    *,
    every: float,
    patience: float,
) -> list[Commit]:
    """Look for the probes each `every` seconds until all have come, or none for `patience` seconds: :class:`Silent`.

    `base` is the time of the event at position 0; `check` is called at each turn and may raise, `begun` once the first
    have come.
    """
    waiting: dict[tuple[str, str], Probe] = {(probe.task_id, probe.type): probe for probe in load.probes}
    commits: list[Commit] = []
    heard = time.time()
    while waiting:
        time.sleep(every)
        check()
        now = time.time()
        due = [probe for probe in list(waiting.values())[:WINDOW] if base + probe.position / load.rate <= now]
        if not due:
            heard = now
            continue
        found = contents.find({probe.task_id for probe in due})
        seen = time.time()
        if found and not commits:
            begun()
        for probe in due:
            if (probe.task_id, probe.type) in found:
                del waiting[probe.task_id, probe.type]
                commits.append(Commit(probe.position, base + probe.position / load.rate, seen))
                heard = seen
        if seen - heard > patience:
            raise Silent(commits, len(waiting))
    return commits


def rate(commits: list[Commit]) -> float:
    """Events per second from the first to the last look that found something new."""
    first, last = min(commit.seen for commit in commits), max(commit.seen for commit in commits)
    done_at_first = max(commit.position for commit in commits if commit.seen == first)
    done = max(commit.position for commit in commits)
    return (done - done_at_first) / (last - first) if last > first else 0.0


def lag(commits: list[Commit], percent: float) -> float:
    """Seconds from an event's own time to its commit: the nearest-rank percentile."""
    lags = sorted(commit.seen - commit.at for commit in commits)
    return lags[min(len(lags) - 1, int(len(lags) * percent / 100))]
