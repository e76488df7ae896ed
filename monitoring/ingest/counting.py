"""Counts of the events that a batch really added to the log. Pure.

The counts are appended as rows (`EventDelta`) in the batch's own transaction and folded into totals by upkeep, so that
they are exact under redelivery and consumers never wait for each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

from monitoring.ingest.buckets import RUNTIME_BOUNDS, WAIT_BOUNDS, bucket_counts, bucket_index
from monitoring.ingest.events import CELERY_TASK_TYPES, Event

#: UTF-8 bytes of one label: all five make one entry of an index, for which PostgreSQL has 2,704.
LABEL_BYTES = 500

#: A sender that is no worker: Celery names it after its process (``anon_nodename`` in celery/utils/nodenames.py).
ANONYMOUS = re.compile(r"gen\d+@")


class TaskFacts(NamedTuple):
    """What the task's merged row says that its events do not: `*_ts` in microseconds, `wait` in seconds.

    Of `eta` it matters only whether there is one.
    """

    name: str | None
    queue: str | None
    start_ts: int | None
    wait: float | None
    received_ts: int | None
    eta: Any

    @property
    def prefetch(self) -> float | None:
        """Seconds for which the worker had held the task when it started; None where it had to, for an ETA."""
        if self.received_ts is None or self.start_ts is None or self.eta is not None:
            return None
        return max(0, self.start_ts - self.received_ts) / 1_000_000


@dataclass(slots=True)
class Count:
    """One row of counts to be; see ``models/event_count.py``."""

    type: str
    name: str
    worker: str
    queue: str
    exception_type: str
    task_id: str | None
    count: int = 0
    runtime_sum: float = 0.0
    runtime_buckets: list[int] | None = None
    wait_sum: float = 0.0
    wait_buckets: list[int] | None = None
    newest_ts: int | None = None
    prefetch: float | None = None


def label(text: str | None) -> str:
    """`text` as totals are kept by it: unknown is empty, and what exceeds :data:`LABEL_BYTES` is cut and says so."""
    if text is None or len(text) * 4 <= LABEL_BYTES:
        return text or ""
    data = text.encode()
    return text if len(data) <= LABEL_BYTES else data[:LABEL_BYTES].decode(errors="ignore") + "…"


def sender(event: Event) -> str:
    """Who sent an event, as totals are kept by it.

    Of a process that only sends tasks it is ``gen@host``: with the process' id in it, each restart of a web server
    would make totals that never grow again.
    """
    if event.type == "task-sent" and event.worker.startswith("gen"):
        return ANONYMOUS.sub("gen@", event.worker, count=1)
    return event.worker


def count_events(events: Sequence[Event], new: Set[int], tasks: Mapping[str, TaskFacts]) -> list[Count]:
    """The counts of the events whose ties are in `new`, each once; `tasks` has the facts of each of their tasks.

    The wait of a start is known when the start is the task's newest one and its sending is known by then, its prefetch
    time when its receipt is.
    """
    counts: dict[tuple[str, str, str, str, str, str | None], Count] = {}
    # By what events say, which is the same again and again: their labels cost more than all the rest.
    known: dict[tuple[str | None, ...], Count] = {}
    for event in events if len(new) == len(events) else _each_once(events, new):
        type_, values, facts = event.type, event.values, tasks[event.subject]
        name = (values.get("name") if type_ in CELERY_TASK_TYPES else None) or facts.name
        exception_type = values.get("exception_type")
        task_id = None if name else event.subject
        said = (type_, name, event.worker, facts.queue, exception_type, task_id)
        count = known.get(said)
        if count is None:
            key = (
                label(type_), label(name), label(sender(event)), label(facts.queue), label(exception_type), task_id
            )  # fmt: skip
            count = known[said] = counts.setdefault(key, Count(*key))
        count.count += 1
        if type_ == "task-succeeded":
            runtime = values.get("runtime")
            if runtime is not None:
                count.runtime_sum += runtime
                if count.runtime_buckets is None:
                    count.runtime_buckets = bucket_counts((), RUNTIME_BOUNDS)
                count.runtime_buckets[bucket_index(runtime, RUNTIME_BOUNDS)] += 1
            _note(count, event.ts)
        elif type_ == "task-failed":
            _note(count, event.ts)
        elif type_ == "task-started" and facts.start_ts == event.ts:
            if facts.wait is not None:
                count.wait_sum += facts.wait
                if count.wait_buckets is None:
                    count.wait_buckets = bucket_counts((), WAIT_BOUNDS)
                count.wait_buckets[bucket_index(facts.wait, WAIT_BOUNDS)] += 1
            if (prefetch := facts.prefetch) is not None:
                _note(count, event.ts, prefetch)
    return list(counts.values())


def _each_once(events: Iterable[Event], new: Set[int]) -> Iterator[Event]:
    """The first of the events of each tie in `new`."""
    uncounted = set(new)
    for event in events:
        if event.tie in uncounted:
            uncounted.discard(event.tie)
            yield event


def _note(count: Count, ts: int, prefetch: float | None = None) -> None:
    if count.newest_ts is None or ts >= count.newest_ts:
        count.newest_ts, count.prefetch = ts, prefetch
