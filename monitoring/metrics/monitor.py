"""The monitor's own metrics."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from django.utils import timezone

from ..models import Consumer
from ..queries.monitor_figures import MonitorFigures
from .exposition import Exposition, label

#: Counters of a consumer since its process began: the column, and what it counts.
_COUNTED = {
    "events": "Events that the consumer has committed, redelivered ones too.",
    "batches": "Batches that the consumer has committed.",
    "dropped": "Events of no task or worker, which the consumer has left out.",
    "dead_letters": "Messages and events that could not be decoded or stored.",
    "gaps": "Stretches of time in which events may have passed unrecorded.",
    "reconnects": "Times that the consumer has lost its broker.",
}


def add_monitor(page: Exposition, figures: MonitorFigures, events: Mapping[str, int]) -> None:
    """`events` are all events of tasks that were ever stored, by type."""
    stored = page.counter(
        "monitoring_events_stored", "Events of tasks in the log, each once, since installation."
    )
    for kind, number in events.items():
        stored.add(label("type", kind), number)
    page.gauge("monitoring_consumers", "Event consumers that run.").add("", len(figures.consumers))
    _add_consumers(page, figures)
    page.gauge("monitoring_dead_letters", "Dead letters that are kept.").add("", figures.dead_letters)
    page.gauge("monitoring_gaps", "Gaps that are kept.").add("", figures.gaps)
    page.gauge("monitoring_gap_seconds", "Length of all gaps that are kept.").add("", figures.gap_seconds)
    page.gauge("monitoring_feed_clients", "Live pages that are open at this web process.").add(
        "", _feed_clients()
    )
    age = page.gauge(
        "monitoring_upkeep_job_age_seconds", "Seconds since the upkeep job has last run to its end."
    )
    failures = page.gauge("monitoring_upkeep_job_failures", "Runs of the upkeep job that failed in a row.")
    now = timezone.now()
    for job in figures.jobs:
        failures.add(label("job_name", job.name), job.failures)
        if job.finished_at is not None:
            age.add(label("job_name", job.name), (now - job.finished_at).total_seconds())


def _add_consumers(page: Exposition, figures: MonitorFigures) -> None:
    labels = {each: label("consumer", each.consumer_id) for each in figures.consumers}
    for column, words in _COUNTED.items():
        counter = page.counter(f"monitoring_consumer_{column}", words)
        for each in figures.consumers:
            counter.add(labels[each], getattr(each, column), each.started_at.timestamp())
    now = timezone.now()
    gauges = {
        "monitoring_consumer_connected": ("1 while the consumer is connected to its broker.", _connected),
        "monitoring_consumer_lag_seconds": (
            "From the newest event to its commit, when a batch was committed last.",
            lambda each: each.lag,
        ),
        "monitoring_consumer_horizon_age_seconds": (
            "How far back everything is known to be committed.",
            lambda each: (now - each.horizon).total_seconds() if each.horizon else None,
        ),
        "monitoring_consumer_batch_seconds": (
            "Time that it took to write the last batch.",
            lambda each: each.batch_seconds,
        ),
        "monitoring_consumer_queue_length": (
            "Messages that wait in the monitor's own queue.",
            lambda each: each.queue_length,
        ),
    }
    for name, (words, read) in gauges.items():
        gauge = page.gauge(name, words)
        for each in figures.consumers:
            value = read(each)
            if value is not None:
                gauge.add(labels[each], value)


def _connected(consumer: Consumer) -> int:
    return int(consumer.connected)


def _feed_clients() -> int:
    """A process that no socket has been opened to has not even loaded what serves them."""
    module = sys.modules.get("monitoring.live.broadcaster")
    return module.watchers() if module is not None else 0
