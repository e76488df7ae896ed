"""How one worker did over time: what its charts are drawn from."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any

from ..models import WorkerEvent, WorkerSample
from .visibility import Visibility

#: Seconds of a sample.
MINUTE = 60
#: Most marks that one history has; the newest ones.
MAX_MARKS = 200

_COLUMNS = ("active", "most_active", "load_1", "load_5", "load_15", "events", "clock_skew")


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

    None: not known. `active` and the load averages are means of what was said each minute, `most_active` the greatest
    number of running tasks; rates are per second; `clock_skew` is in seconds, below zero where the clock is ahead.
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
    """One worker from `since` to `until`, in at most about `points` steps of whole minutes.

    None for a user of limited visibility, who sees no figures of workers. Cost: a range of the primary key, one row a
    minute, at most 10,080 (samples are kept for a week).
    """
    if not visibility.is_everything:
        return None
    step = MINUTE * max(1, math.ceil((until - since).total_seconds() / MINUTE / max(1, points)))
    first = int(since.timestamp()) // step
    length = max(0, math.ceil(until.timestamp() / step) - first)
    times = [datetime.fromtimestamp((first + index) * step, UTC) for index in range(length)]
    samples = _samples(hostname, times[0], times[-1] + timedelta(seconds=step)) if times else []
    buckets: list[list[dict[str, Any]]] = [[] for _ in times]
    for sample in samples:
        buckets[int(sample["minute"].timestamp()) // step - first].append(sample)
    return History(
        step=step,
        times=times,
        active=[_mean(bucket, "active") for bucket in buckets],
        most_active=[_most(bucket, "most_active") for bucket in buckets],
        load_1=[_mean(bucket, "load_1") for bucket in buckets],
        load_5=[_mean(bucket, "load_5") for bucket in buckets],
        load_15=[_mean(bucket, "load_15") for bucket in buckets],
        processed_per_second=[_rate(bucket, "done") for bucket in buckets],
        events_per_second=[_rate(bucket, "events") for bucket in buckets],
        clock_skew=[_mean(bucket, "clock_skew") for bucket in buckets],
        marks=_marks(hostname, since, until),
    )


def _samples(hostname: str, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """One dict a minute, oldest first; `done` is how many tasks were done in it, None where that is not known."""
    if "\0" in hostname:  # no name has one, and PostgreSQL refuses to look
        return []
    rows = WorkerSample.objects.filter(hostname=hostname, minute__gte=since, minute__lt=until)
    samples: list[dict[str, Any]] = list(rows.order_by("minute").values("minute", "processed", *_COLUMNS))
    for sample, following in zip(samples, [*samples[1:], None], strict=False):
        sample["done"] = _done(sample, following)
    return samples


def _done(sample: dict[str, Any], following: dict[str, Any] | None) -> int | None:
    """Tasks between a minute's first heartbeat and that of the next; a process that began meanwhile counts from 0."""
    if following is None or following["minute"] - sample["minute"] != timedelta(seconds=MINUTE):
        return None
    before, after = sample["processed"], following["processed"]
    if before is None or after is None:
        return None
    return int(after - before if after >= before else after)


def _known(bucket: Iterable[dict[str, Any]], column: str) -> list[float]:
    return [sample[column] for sample in bucket if sample[column] is not None]


def _mean(bucket: list[dict[str, Any]], column: str) -> float | None:
    known = _known(bucket, column)
    return fmean(known) if known else None


def _most(bucket: list[dict[str, Any]], column: str) -> float | None:
    return max(_known(bucket, column), default=None)


def _rate(bucket: list[dict[str, Any]], column: str) -> float | None:
    known = _known(bucket, column)
    return sum(known) / (MINUTE * len(known)) if known else None


def _marks(hostname: str, since: datetime, until: datetime) -> list[Mark]:
    if "\0" in hostname:
        return []
    rows = WorkerEvent.objects.filter(hostname=hostname, timestamp__gte=since, timestamp__lte=until)
    newest = rows.order_by("-timestamp")[:MAX_MARKS]
    return [
        Mark(row.timestamp, row.type, row.pid, row.type == "worker-online" and not row.processed)
        for row in reversed(newest)
    ]
