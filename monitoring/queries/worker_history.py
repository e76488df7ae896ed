"""How one worker did over time: what its charts are drawn from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ..models import WorkerEvent
from ..time_steps import DAY, HOUR, MINUTE
from ..worker_figures import Figures
from .visibility import Visibility
from .worker_rollups import finest_step, read_figures, read_rollups

#: Most marks that one history has; the newest ones.
MAX_MARKS = 200
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Mark:
    """The worker came online or went offline. `is_start`: its process began then, it has not only reconnected."""

    at: datetime
    type: str
    pid: int | None
    is_start: bool


@dataclass(frozen=True)
class History:
    """Series of one length, oldest first: the value of index i is of the `step` seconds from ``times[i]`` on.

    None: not known. `active` and the load averages are means of what the first heartbeat of each minute said,
    `most_active` the greatest number of running tasks; rates are per second; `clock_skew` is in seconds, below zero
    where the clock is ahead.
    """

    step: int
    times: list[datetime]
    active: list[float | None]
    most_active: list[float | None]
    load_1: list[float | None]
    load_5: list[float | None]
    load_15: list[float | None]
    processed_per_second: list[float | None]
    events_per_second: list[float | None]
    clock_skew: list[float | None]
    marks: list[Mark] = field(default_factory=list)


def history(
    visibility: Visibility, hostname: str, since: datetime, until: datetime, points: int = 240
) -> History | None:
    """One worker from `since` to `until`, in at most about `points` steps, and as finely as is still known.

    Steps are whole minutes; from an hour on whole hours (UTC), from a day on whole days. Where the range begins before
    the minutes that are kept (a week), or before the hours (90 days), all of it has steps of hours or days. Hours say
    what their minutes say: exactly the same, within about a minute of what comes late.

    None for a user of limited visibility, who sees no figures of workers. Cost: three statements, ranges of the keys of
    what is said in ``worker_rollups``, and of the log of who came and went.
    """
    if not visibility.is_everything:
        return None
    is_name = "\0" not in hostname  # no name has one, and PostgreSQL refuses to look
    rollups = read_rollups(hostname, *_around(since, until, points)) if is_name else []
    step = _step(since, until, points, finest_step(rollups, since))
    first = int(since.timestamp()) // step
    length = max(0, math.ceil(until.timestamp() / step) - first)
    times = [datetime.fromtimestamp((first + index) * step, UTC) for index in range(length)]
    found: Mapping[int, Figures] = {}
    if times and is_name:
        end = times[-1] + timedelta(seconds=step)
        found = read_figures(hostname, rollups, times[0], end, step)
    nothing = Figures()
    buckets = [found.get(first + index, nothing) for index in range(length)]
    return History(
        step=step,
        times=times,
        active=[bucket.mean("active") for bucket in buckets],
        most_active=[bucket.most_active for bucket in buckets],
        load_1=[bucket.mean("load_1") for bucket in buckets],
        load_5=[bucket.mean("load_5") for bucket in buckets],
        load_15=[bucket.mean("load_15") for bucket in buckets],
        processed_per_second=[bucket.done_per_second for bucket in buckets],
        events_per_second=[bucket.events_per_second for bucket in buckets],
        clock_skew=[bucket.mean("clock_skew") for bucket in buckets],
        marks=_marks(hostname, since, until) if is_name else [],
    )


def _step(since: datetime, until: datetime, points: int, finest: int) -> int:
    """Seconds of a bucket: enough for so many points, `finest` at least, and a multiple of what buckets are made of."""
    wanted = max(finest, (until - since).total_seconds() / max(1, points))
    unit = next((unit for unit in (DAY, HOUR) if wanted >= unit), MINUTE)
    return unit * math.ceil(wanted / unit)


def _around(since: datetime, until: datetime, points: int) -> tuple[datetime, datetime]:
    """The range and a bucket on both sides, whatever these will be: the first may begin earlier, the last end later."""
    longest = timedelta(seconds=_step(since, until, points, DAY))
    return since - min(longest, since - _FIRST), until + min(longest, _LAST - until)


def _marks(hostname: str, since: datetime, until: datetime) -> list[Mark]:
    rows = WorkerEvent.objects.filter(hostname=hostname, timestamp__gte=since, timestamp__lte=until)
    newest = rows.order_by("-timestamp")[:MAX_MARKS]
    return [
        Mark(row.timestamp, row.type, row.pid, row.type == "worker-online" and not row.processed)
        for row in reversed(newest)
    ]
