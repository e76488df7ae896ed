"""Spans and metrics of the consumer for OpenTelemetry, where its API is installed; nothing at all where it is not.

Who configures the SDK decides where they go (``opentelemetry-instrument manage.py run_event_consumer``, or the
project's settings). Without an SDK the API does nothing, and costs some microseconds for each batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from monitoring.ingest.figures import Figures
from monitoring.ingest.stores.contract import Batch, Store, Written

_NAME = "monitoring"
#: Counters since the process began, by the name in `Figures`.
_COUNTERS = {
    "events": ("{event}", "Events that were committed, redelivered ones too."),
    "batches": ("{batch}", "Batches that were committed."),
    "dropped": ("{event}", "Events of no task or worker."),
    "dead_letters": ("{message}", "What could not be decoded or stored."),
    "gaps": ("{gap}", "Stretches of time in which events may have passed unrecorded."),
    "reconnects": ("{connection}", "Times that the broker was lost."),
}
_GAUGES = {
    "lag": ("s", "From the newest event to its commit, at the last batch."),
    "queue_length": ("{message}", "Messages that wait in the monitor's own queue."),
}


def instrumented(
    store: Store, figures: Figures, tracer_provider: Any = None, meter_provider: Any = None
) -> Store:
    """`store` itself without OpenTelemetry; else one whose every batch is a span, beside metrics of `figures`.

    Providers are the configured ones unless others are given.
    """
    try:
        from opentelemetry import metrics, trace
    except ImportError:
        return store
    meter = metrics.get_meter(_NAME, meter_provider=meter_provider)
    for field, (unit, words) in _COUNTERS.items():
        meter.create_observable_counter(
            f"monitoring.consumer.{field}", [_reader(metrics, figures, field)], unit, words
        )
    for field, (unit, words) in _GAUGES.items():
        meter.create_observable_gauge(
            f"monitoring.consumer.{field}", [_reader(metrics, figures, field)], unit, words
        )
    duration = meter.create_histogram(
        "monitoring.consumer.batch.duration", "s", "Time to write a batch, in vain too."
    )
    return _InstrumentedStore(
        store, trace.get_tracer(_NAME, tracer_provider=tracer_provider), trace, duration
    )


def _reader(metrics: Any, figures: Figures, field: str) -> Callable[[Any], Iterable[Any]]:
    def read(_options: Any) -> Iterable[Any]:
        value = getattr(figures, field)
        return [] if value is None else [metrics.Observation(value)]

    return read


class _InstrumentedStore:
    """A store, and a span around each of its batches. Of an error only the class is told: its text may hold values."""

    def __init__(self, store: Store, tracer: Any, trace: Any, duration: Any) -> None:
        self._store, self._tracer, self._trace, self._duration = store, tracer, trace, duration

    def prepare(self, batch: Batch) -> None:
        self._store.prepare(batch)

    def write(self, batch: Batch) -> Written:
        begun = time.monotonic()
        sizes = {
            "monitoring.batch.task_events": len(batch.tasks),
            "monitoring.batch.worker_events": len(batch.workers),
            "monitoring.batch.dead_letters": len(batch.dead_letters),
            "monitoring.batch.gaps": len(batch.gaps),
        }
        with self._tracer.start_as_current_span(
            "monitoring.batch", attributes=sizes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                written = self._store.write(batch)
            except Exception as error:
                span.set_status(self._trace.StatusCode.ERROR)
                span.set_attribute("error.type", type(error).__name__)
                raise
            finally:
                self._duration.record(time.monotonic() - begun)
            span.set_attribute("monitoring.batch.new_events", written.new_events)
        return written
