"""Pages of metrics as a scraper reads them, and counts for them to show."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.samples import Sample

from monitoring.ingest.buckets import RUNTIME_BOUNDS, WAIT_BOUNDS, bucket_counts
from monitoring.metrics.exposition import Exposition, Format
from monitoring.metrics.page import write
from monitoring.models import Consumer, EventDelta, EventTotal
from monitoring.queries.visibility import Visibility

EVERYTHING = Visibility.everything()


def page(format_: Format = Format.TEXT, visibility: Visibility = EVERYTHING) -> str:
    """What ``/metrics`` answers."""
    exposition = Exposition(format_)
    try:
        write(exposition, visibility)
        return b"".join(exposition.parts()).decode()
    finally:
        exposition.close()


class Scrape:
    """The samples of a page, read by the parser of its format."""

    def __init__(self, text: str, format_: Format = Format.TEXT) -> None:
        parse = parse_openmetrics if format_ is Format.OPENMETRICS else parse_text
        self.families = list(parse(text))
        self.samples: list[Sample] = [sample for family in self.families for sample in family.samples]
        keys = [(sample.name, *sorted(sample.labels.items())) for sample in self.samples]
        assert len(keys) == len(set(keys)), "a series is there twice"

    def series(self, metric: str, /, **labels: str) -> dict[tuple[str, ...], float]:
        """Samples with these labels: their value by those of their other labels, in the order of the labels' names."""
        return {
            tuple(value for key, value in sorted(sample.labels.items()) if key not in labels): sample.value
            for sample in self.samples
            if sample.name == metric and labels.items() <= sample.labels.items()
        }

    def value(self, metric: str, /, **labels: str) -> float:
        """The one sample that has these labels."""
        [value] = self.series(metric, **labels).values()
        return value

    def total(self, metric: str, /, **labels: str) -> float:
        return sum(self.series(metric, **labels).values())


def scraped(format_: Format = Format.TEXT) -> Scrape:
    return Scrape(page(format_), format_)


def make_total(
    kind: str,
    count: int = 1,
    using: str | None = None,
    runtimes: Iterable[float] = (),
    waits: Iterable[float] = (),
    **fields: Any,
) -> EventTotal:
    """A total of ``task-<kind>``; `using` None: of the watched database."""
    return EventTotal.objects.using(using).create(**_fields(kind, count, runtimes, waits, fields))


def make_delta(kind: str, count: int = 1, **fields: Any) -> EventDelta:
    """What a consumer counted and upkeep has not added to the totals yet."""
    fields = _fields(kind, count, (), (), fields)
    del fields["updated_at"]
    return EventDelta.objects.create(**fields)


def _fields(
    kind: str, count: int, runtimes: Iterable[float], waits: Iterable[float], fields: dict[str, Any]
) -> dict[str, Any]:
    runtimes, waits, now = list(runtimes), list(waits), timezone.now()
    return {
        "type": f"task-{kind}",
        "name": "shop.pay",
        "worker": "celery@web-1",
        "queue": "default",
        "exception_type": "",
        "count": count,
        "runtime_sum": sum(runtimes),
        "runtime_buckets": bucket_counts(runtimes, RUNTIME_BOUNDS) if runtimes else None,
        "wait_sum": sum(waits),
        "wait_buckets": bucket_counts(waits, WAIT_BOUNDS) if waits else None,
        "created_at": now,
        "updated_at": now,
        **fields,
    }


def make_consumer(horizon: datetime | None = None, **fields: Any) -> Consumer:
    """A consumer that runs and has committed everything; its report stays recent however slow the test is."""
    now = timezone.now()
    return Consumer.objects.create(
        **{
            "consumer_id": "monitor-1:7:ab",
            "hostname": "monitor-1",
            "pid": 7,
            "started_at": now - timedelta(hours=1),
            "reported_at": now + timedelta(hours=1),
            "connected": True,
            "horizon": horizon or now,
            "events": 1_234,
            "batches": 56,
            "lag": 0.25,
            "batch_seconds": 0.125,
            "queue_length": 3,
            **fields,
        }
    )
