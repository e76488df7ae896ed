"""The tables beside tasks and events: few rows, so every store writes them through the ORM."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from django.utils import timezone

from monitoring.ingest.counting import Count
from monitoring.ingest.stores.columns import to_datetime
from monitoring.ingest.stores.contract import Batch
from monitoring.models import DeadLetter, EventDelta, Gap, StatisticMark


def write_side_tables(using: str, batch: Batch) -> None:
    if batch.dead_letters:
        DeadLetter.objects.using(using).bulk_create(
            [DeadLetter(**asdict(entry)) for entry in batch.dead_letters]
        )
    if batch.gaps:
        Gap.objects.using(using).bulk_create([Gap(**asdict(entry)) for entry in batch.gaps])


def write_counts(using: str, counts: list[Count]) -> None:
    if counts:
        now = timezone.now()
        EventDelta.objects.using(using).bulk_create(
            [EventDelta(**asdict(count), created_at=now) for count in counts]
        )


def write_marks(using: str, minutes: Iterable[int], task_ids: Iterable[str] = ()) -> None:
    """Mark minutes (microseconds since the epoch), and tasks whose retries are counted, to be counted anew."""
    marks = [StatisticMark(minute=to_datetime(minute)) for minute in sorted(minutes)]
    marks += [StatisticMark(task_id=task_id) for task_id in task_ids]
    if marks:
        StatisticMark.objects.using(using).bulk_create(marks)
