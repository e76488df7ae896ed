"""The history of queues: each reading is added to its minute and to its hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from monitoring.brokers import QueueReading
from monitoring.models import QueueSample
from monitoring.time_steps import HOUR, MINUTE, start_of

STEPS = (MINUTE, HOUR)
#: How long samples of each step are kept.
KEPT = {MINUTE: timedelta(days=7), HOUR: timedelta(days=365)}
#: Minutes over which growth is measured.
GROWTH_OVER = timedelta(minutes=5)
#: Seconds below which nothing is said of growth.
GROWTH_LEAST = 30.0


def add_samples(using: str, readings: Sequence[QueueReading], now: datetime) -> None:
    """Add a reading of each queue whose length is known. Cost: one SELECT and two bulk writes for both steps."""
    starts = {step: start_of(now, step) for step in STEPS}
    known = {
        (sample.name, sample.step): sample
        for sample in QueueSample.objects.using(using).filter(
            step__in=STEPS, start__in=starts.values(), name__in=[reading.name for reading in readings]
        )
        if sample.start == starts[sample.step]
    }
    added: list[QueueSample] = []
    changed: list[QueueSample] = []
    for reading in readings:
        if reading.ready is None:
            continue
        for step, start in starts.items():
            sample = known.get((reading.name, step))
            (added if sample is None else changed).append(
                _with(sample or QueueSample(name=reading.name, step=step, start=start), reading)
            )
    QueueSample.objects.using(using).bulk_create(added)
    QueueSample.objects.using(using).bulk_update(changed, _COLUMNS)


_COLUMNS = ("readings", "ready_sum", "ready_most", "ready_last", "unacked_sum", "consumers_least")


def _with(sample: QueueSample, reading: QueueReading) -> QueueSample:
    ready = reading.ready or 0
    sample.readings += 1
    sample.ready_sum += ready
    sample.ready_most = max(sample.ready_most, ready)
    sample.ready_last = ready
    if reading.unacked is not None:
        sample.unacked_sum = (sample.unacked_sum or 0) + reading.unacked
    if reading.consumers is not None:
        least = sample.consumers_least
        sample.consumers_least = reading.consumers if least is None else min(least, reading.consumers)
    return sample


def growth(using: str, readings: Sequence[QueueReading], now: datetime) -> Mapping[str, float]:
    """Messages per second by which what waits has grown in the last minutes; left out where that is not known.

    Cost: the samples of some minutes, by the index on their start.
    """
    oldest: dict[str, tuple[datetime, int]] = {}
    rows: Any = QueueSample.objects.using(using).filter(
        step=MINUTE, start__gt=now - GROWTH_OVER - timedelta(minutes=1), start__lt=start_of(now, MINUTE)
    )
    for name, start, last in rows.order_by("start").values_list("name", "start", "ready_last"):
        oldest.setdefault(name, (start + timedelta(minutes=1), last))
    found = {}
    for reading in readings:
        if reading.name in oldest and reading.ready is not None:
            at, length = oldest[reading.name]
            seconds = (now - at).total_seconds()
            if seconds >= GROWTH_LEAST:
                found[reading.name] = (reading.ready - length) / seconds
    return found


def trim_samples(using: str, now: datetime) -> int:
    """Delete those that are too old. Cost: a DELETE by the index on step and start for each step."""
    deleted = 0
    for step, kept in KEPT.items():
        deleted += QueueSample.objects.using(using).filter(step=step, start__lt=now - kept).delete()[0]
    return deleted
