"""A worker's figures over any range: from minutes, and from the hours and days that they were added up to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ..models import WorkerRollup, WorkerSample
from ..time_steps import DAY, HOUR, MINUTE, start_of
from ..worker_figures import COLUMNS, Figures, Minute, with_following


class Rollup(NamedTuple):
    """An hour or a day of one worker; `frozen`: what it was counted from is deleted."""

    step: int
    start: datetime
    frozen: bool
    values: Sequence[int | None]

    @property
    def end(self) -> datetime:
        return self.start + timedelta(seconds=self.step)


def read_rollups(hostname: str, since: datetime, until: datetime) -> list[Rollup]:
    """The hours and days that begin in a range. Cost: a range of the key, at most 2,160 hours and 730 days."""
    rows = WorkerRollup.objects.filter(
        hostname=hostname, step__in=(HOUR, DAY), start__gte=since, start__lt=until
    )
    return [
        Rollup(step, start, frozen, values)
        for step, start, frozen, *values in rows.values_list("step", "start", "frozen", *COLUMNS)
    ]


def finest_step(rollups: Sequence[Rollup], since: datetime) -> int:
    """Seconds of the shortest bucket in which all from `since` on can be told."""
    gone = {rollup.step for rollup in rollups if rollup.frozen and rollup.end > since}
    return max(gone, default=MINUTE)


def read_figures(
    hostname: str, rollups: Sequence[Rollup], since: datetime, until: datetime, step: int
) -> Mapping[int, Figures]:
    """By the number of the bucket of `step` seconds since the epoch; those without a sample are left out.

    `since` and `until` are multiples of `step`, and `rollups` those in between. Steps of whole hours come from hours,
    those of whole days from days, up to the newest hour that is counted; the rest from minutes.

    Cost: a range of the key of samples, at most 10,080; only the newest where the step is an hour or longer.
    """
    found: defaultdict[int, Figures] = defaultdict(Figures)
    if step % HOUR == 0:
        since = _add_rollups(found, rollups, since, until, step)
    _add_minutes(found, hostname, since, until, step)
    return found


def _add_rollups(
    found: defaultdict[int, Figures], rollups: Sequence[Rollup], since: datetime, until: datetime, step: int
) -> datetime:
    """Up to when they tell all."""
    rollups = [rollup for rollup in rollups if since <= rollup.start < until]
    # The newest day may not be over yet, unless its hours are gone.
    ends = [each.end for each in rollups if each.step == HOUR] or [each.end for each in rollups]
    counted = min(max(ends, default=since), until)
    days_until = start_of(counted, DAY) if step % DAY == 0 else since
    for rollup in rollups:
        begin, end = (since, days_until) if rollup.step == DAY else (days_until, counted)
        if begin <= rollup.start < end:
            found[_number(rollup.start, step)].add_values(rollup.values)
    return counted


def _add_minutes(
    found: defaultdict[int, Figures], hostname: str, since: datetime, until: datetime, step: int
) -> None:
    # With the minute after them, which tells what was done in the last.
    samples = WorkerSample.objects.filter(
        hostname=hostname, minute__gte=since, minute__lt=until + timedelta(seconds=MINUTE)
    )
    rows = samples.order_by("minute").values_list(*Minute._fields)
    for said, following in with_following(Minute(*row) for row in rows):
        if said.minute < until:
            found[_number(said.minute, step)].add_minute(said, following)


def _number(moment: datetime, step: int) -> int:
    return int(moment.timestamp()) // step
