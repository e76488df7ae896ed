"""Queues as they were last read, and their history. Written by the upkeep job `queues`; no question asks the broker."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from ..models import Broker, Queue, QueueSample, Task
from ..time_steps import HOUR, MINUTE, start_of
from .newest import as_rows
from .search.question import Question
from .statistics_range import Range, cover
from .statistics_rows import Selection, add_up, rows
from .statistics_sums import WAITS
from .strip_facts import FRESH
from .task_list import Asked
from .visibility import Visibility

#: Range of samples by the minute at most; beyond it they are by the hour.
BY_MINUTE = timedelta(hours=24)
#: Messages per second from which growth is worth a word, and the shortest queue of which it is.
GROWING, GROWING_LENGTH = 0.05, 10


@dataclass(frozen=True)
class Depths:
    """How many messages waited, by queue, one value for each of `times` (None: not read). `step` is in seconds.

    A value is the mean of the readings of its bucket; `unacked` likewise.
    """

    times: list[datetime]
    step: int
    ready: dict[str, list[float | None]]
    unacked: dict[str, list[float | None]]

    @property
    def total(self) -> list[float | None]:
        """All queues together."""
        sums: list[float | None] = [None] * len(self.times)
        for values in self.ready.values():
            for index, value in enumerate(values):
                if value is not None:
                    sums[index] = (sums[index] or 0.0) + value
        return sums


def queues(visibility: Visibility) -> list[Queue]:
    """Every queue that may be seen, those in trouble first: with messages and no consumer, growing, longest.

    A limited user gets no names of workers. Cost: the table, at most some hundred rows.
    """
    found = [
        _as_seen(queue, visibility) for queue in Queue.objects.all() if visibility.allows_queue(queue.name)
    ]
    return sorted(
        found,
        key=lambda queue: (not is_stuck(queue), not is_growing(queue), -(queue.ready or 0), queue.name),
    )


def queue(visibility: Visibility, name: str) -> Queue | None:
    """One queue, or None where there is none that may be seen. Cost: the primary key."""
    if "\0" in name or not visibility.allows_queue(name):
        return None
    found = Queue.objects.filter(pk=name).first()
    return _as_seen(found, visibility) if found is not None else None


def broker(visibility: Visibility) -> Broker | None:
    """The broker as it was last read; None before that, and for a limited user. Cost: one row."""
    return Broker.objects.filter(pk=1).first() if visibility.is_everything else None


def abilities() -> frozenset[str]:
    """What the broker's adapter can: ``peek``, ``remove``, ``rates``, ... Cost: one row."""
    found = Broker.objects.filter(pk=1).values_list("abilities", flat=True).first()
    return frozenset(found or ())


def is_stuck(queue: Queue) -> bool:
    """Whether messages wait and, for certain, nothing consumes them."""
    return queue.unconsumed_since is not None and bool(queue.ready)


def is_growing(queue: Queue) -> bool:
    return (queue.growth or 0.0) >= GROWING and (queue.ready or 0) >= GROWING_LENGTH


def seconds_to_clear(queue: Queue) -> float | None:
    """How long until nothing waits, if it goes on shrinking as it did in the last minutes; None where it does not."""
    if not queue.ready or queue.growth is None or queue.growth >= -0.001:
        return None
    return queue.ready / -queue.growth


def depths(
    visibility: Visibility, start: datetime, end: datetime, names: Collection[str] | None = None
) -> Depths:
    """What was read between two moments, of `names` or of every queue that may be seen.

    Cost: the samples of the range, one a minute and queue up to BY_MINUTE, beyond one an hour.
    """
    step = MINUTE if end - start <= BY_MINUTE else HOUR
    first = start_of(start, step)
    times = []
    while first < end:
        times.append(first)
        first += timedelta(seconds=step)
    index = {at: position for position, at in enumerate(times)}
    ready: dict[str, list[float | None]] = {}
    unacked: dict[str, list[float | None]] = {}
    for sample in _samples(step, times[0] if times else start, end, names):
        if sample.start not in index or not sample.readings or not visibility.allows_queue(sample.name):
            continue
        at = index[sample.start]
        ready.setdefault(sample.name, [None] * len(times))[at] = sample.ready_sum / sample.readings
        if sample.unacked_sum is not None:
            unacked.setdefault(sample.name, [None] * len(times))[at] = sample.unacked_sum / sample.readings
    return Depths(times, step, ready, unacked)


def depth_series(visibility: Visibility, period: Range, name: str | None = None) -> list[float | None]:
    """How many messages waited on the mean in each bucket of a range, in one queue or in all together.

    Cost: as :func:`depths`.
    """
    found = depths(visibility, period.start, period.end, [name] if name is not None else None)
    sums = [0.0] * (len(period.edges) - 1)
    counts = [0] * len(sums)
    for at, value in zip(found.times, found.total, strict=True):
        if value is not None and period.start <= at < period.end:
            sums[period.index(at)] += value
            counts[period.index(at)] += 1
    return [total / count if count else None for total, count in zip(sums, counts, strict=True)]


def wait_percentiles(
    visibility: Visibility, start: datetime, end: datetime, share: float = 0.95
) -> dict[str, float | None]:
    """By queue, the percentile of the waits of tasks that ended in a range, in seconds within 5 %.

    Cost: two statements over the rows of statistics of queues that fill the range.
    """
    stretches = cover((start_of(start, MINUTE), start_of(end, MINUTE)))
    found = add_up(rows(visibility, Selection(), stretches, "queue"), ["queue"], [WAITS])
    return {str(name): sums.percentiles(WAITS, [share])[0] for (name,), sums in found.items() if name}


def task_names(visibility: Visibility, name: str, start: datetime, end: datetime) -> list[tuple[str, int]]:
    """The names of tasks of a queue that ended in a range, and how many, most first.

    Cost: one statement over the rows of statistics of that queue.
    """
    stretches = cover((start_of(start, MINUTE), start_of(end, MINUTE)))
    found = add_up(rows(visibility, Selection(queue=name), stretches, "name"), ["name"])
    counted = [(str(each), sums.finished) for (each,), sums in found.items() if sums.finished and each]
    return sorted(counted, key=lambda row: (-row[1], row[0]))


def waiting_tasks(visibility: Visibility, name: str, size: int, *, with_payload: bool) -> list[Task]:
    """The tasks of a queue that were sent and not received, oldest first, by our own records.

    Cost: one statement by the index of states: as many tasks as wait in all queues, at most.
    """
    asked = Asked(visibility, Question.read([]), with_payload)
    pending = asked.tasks().filter(state="PENDING", queue=name).order_by("first_seen", "task_id")
    return list(as_rows(asked, pending)[:size])


@dataclass(frozen=True)
class Length:
    """How long a queue is, for metrics and scripts; None: not known. `consumers` are workers where the broker does not
    count them; `processes` what those can run at once."""

    name: str
    ready: int | None
    unacked: int | None
    consumers: int | None
    workers: Sequence[str]
    read_at: datetime | None
    publish_rate: float | None
    deliver_rate: float | None
    ack_rate: float | None


def lengths(visibility: Visibility, now: datetime) -> list[Length]:
    """Every queue whose reading is of this moment. Cost: the table."""
    fresh = Queue.objects.filter(read_at__gt=now - timedelta(seconds=FRESH)).exclude(exists=False)
    return [
        Length(
            each.name,
            each.ready,
            each.unacked,
            each.consumers if each.consumers is not None else len(each.workers or ()),
            tuple(each.workers or ()) if visibility.is_everything else (),
            each.read_at,
            each.publish_rate,
            each.deliver_rate,
            each.ack_rate,
        )
        for each in fresh.order_by("name")
        if visibility.allows_queue(each.name)
    ]


def _samples(step: int, start: datetime, end: datetime, names: Collection[str] | None) -> Any:
    wanted = Q(step=step, start__gte=start, start__lt=end)
    if names is not None:
        wanted &= Q(name__in=list(names))
    return QueueSample.objects.filter(wanted).order_by("start")


def _as_seen(found: Queue, visibility: Visibility) -> Queue:
    """Without what tells of workers, for a limited user."""
    if not visibility.is_everything:
        found.workers, found.last_worker, found.last_worker_at = [], "", None
    return found
