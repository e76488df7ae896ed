"""What OpenTelemetry is told of the consumer, and that nothing is where it is not installed."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from django.db import DatabaseError
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from monitoring.ingest.figures import Figures
from monitoring.ingest.stores import store_for
from monitoring.ingest.stores.contract import Batch, Store, Written
from monitoring.ingest.telemetry import instrumented
from monitoring.models import Task
from tests.ingest.event_streams import BEGIN, decoded, event


class Told:
    """An SDK that keeps what it is told."""

    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        self.meters = MeterProvider([self._reader])

    def metrics(self) -> dict[str, Any]:
        """The newest data point of each metric."""
        data = json.loads(self._reader.get_metrics_data().to_json())
        return {
            metric["name"]: metric["data"]["data_points"][-1]
            for resource in data["resource_metrics"]
            for scope in resource["scope_metrics"]
            for metric in scope["metrics"]
        }


@pytest.fixture
def told():
    told = Told()
    yield told
    told.meters.shutdown()
    told.tracers.shutdown()


@pytest.mark.django_db
def test_each_batch_is_a_span_and_the_figures_are_metrics(told):
    figures = Figures(events=7, lag=0.5)
    store = instrumented(store_for("default"), figures, told.tracers, told.meters)
    batch = Batch(decoded([event("received", BEGIN, name="shop.pay"), event("started", BEGIN + 1)]))
    store.prepare(batch)
    store.write(batch)
    store.write(batch)
    assert Task.objects.get().name == "shop.pay"
    spans = told.spans.get_finished_spans()
    assert [span.name for span in spans] == ["monitoring.batch"] * 2
    assert [span.attributes["monitoring.batch.task_events"] for span in spans] == [2, 2]
    assert [span.attributes["monitoring.batch.new_events"] for span in spans] == [2, 0]
    figures.batches = 2
    seen = told.metrics()
    assert seen["monitoring.consumer.events"]["value"] == 7
    assert seen["monitoring.consumer.batches"]["value"] == 2
    assert seen["monitoring.consumer.lag"]["value"] == 0.5
    assert seen["monitoring.consumer.batch.duration"]["count"] == 2
    assert "monitoring.consumer.queue_length" not in seen, "it is not known"


class Refusing:
    """A database that says what it was given."""

    def prepare(self, batch: Batch) -> None:
        """Nothing."""

    def write(self, batch: Batch) -> Written:
        raise DatabaseError("invalid value: hunter2")


def test_a_batch_that_fails_says_why_without_what_was_in_it(told):
    store = instrumented(Refusing(), Figures(), told.tracers, told.meters)
    with pytest.raises(DatabaseError):
        store.write(Batch())
    [span] = told.spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "DatabaseError"
    assert "hunter2" not in span.to_json()
    assert told.metrics()["monitoring.consumer.batch.duration"]["count"] == 1


def test_where_it_is_not_installed_the_store_is_left_as_it_is(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    store: Store = Refusing()
    assert instrumented(store, Figures()) is store


def test_without_an_sdk_everything_works_and_goes_nowhere():
    written = instrumented(Fine(), Figures()).write(Batch())
    assert written.new_events == 3


class Fine(Refusing):
    def write(self, batch: Batch) -> Written:
        return Written(new_events=3)
