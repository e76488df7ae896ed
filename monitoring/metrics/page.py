"""The page as a whole: reads once, task by task, and writes every family as it goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing

from django.utils import timezone

from ..celery_app import watched_app
from ..conf import monitoring_settings
from ..queries.event_counts import EventCounts, counts_by_name, known_values
from ..queries.monitor_figures import monitor_figures
from ..queries.prefetched import prefetched
from ..queries.queues import lengths
from ..queries.visibility import Visibility
from ..queries.workers import worker_figures
from .exporter import ExporterMetrics
from .exposition import Exposition
from .flower import FlowerMetrics
from .monitor import add_monitor
from .process import add_process
from .shown import OTHER, UNKNOWN, Shown
from .sums import Sum


def write(page: Exposition, visibility: Visibility) -> None:
    """Fill `page`. Cost: ten statements, however many series there are; one of them reads the totals of all events.

    In memory are the counts of one task name at a time, and those of the names that share a label.
    """
    figures = monitor_figures(visibility)
    if figures is None:  # for a user of limited visibility there are no metrics
        return
    now, workers = timezone.now(), worker_figures(visibility)
    expiry = monitoring_settings.METRICS_WORKER_EXPIRY
    shown = Shown.of(
        known_values(visibility, monitoring_settings.METRICS_MAX_VALUES),
        workers,
        now,
        labels=monitoring_settings.METRICS_LABELS,
        expiry=expiry,
        default_queue=watched_app().conf.task_default_queue,
    )
    flower, exporter = FlowerMetrics(page, shown, prefetched(visibility)), ExporterMetrics(page, shown)
    events: Counter[str] = Counter()
    for name, counts in _by_label(visibility, shown):
        for each in counts:
            events[shown.type(each)] += each.count
        flower.add_task(name, counts)
        exporter.add_task(name, counts)
    alive = [worker for worker in workers if worker.unheard <= expiry]
    flower.add_workers(alive)
    exporter.add_workers(alive)
    exporter.add_queues(lengths(visibility, now))
    add_monitor(page, figures, events)
    add_process(page)


def _by_label(visibility: Visibility, shown: Shown) -> Iterator[tuple[str, list[EventCounts]]]:
    """Every count by the label of its task name; names that share one come last, added up."""
    shared: dict[str, dict[tuple[str, str, str, str], Sum]] = {OTHER: {}, UNKNOWN: {}}
    with closing(counts_by_name(visibility)) as names:
        for name, counts in names:
            name_label = shown.name(name)
            if name_label in shared:
                _add_up(shared[name_label], counts)
            else:
                yield name_label, list(counts)
    for name_label, sums in shared.items():
        if sums:
            yield name_label, [_as_counts(name_label, key, total) for key, total in sums.items()]


def _add_up(sums: dict[tuple[str, str, str, str], Sum], counts: Iterable[EventCounts]) -> None:
    for each in counts:
        sums.setdefault((each.type, each.worker, each.queue, each.exception_type), Sum()).add(each)


def _as_counts(name: str, key: tuple[str, str, str, str], total: Sum) -> EventCounts:
    return EventCounts(
        name, *key, total.count, total.runtime_sum, total.runtime_buckets, total.wait_sum, total.wait_buckets,
        total.newest_ts, total.prefetch, total.created,
    )  # fmt: skip
