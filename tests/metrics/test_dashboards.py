"""Dashboards and alerts that people have: every name and label in their expressions is one that we serve.

The lists were read off the expressions of Flower 2.2 (``examples/celery-monitoring-grafana-dashboard.json``,
``examples/prometheus-alerts.yaml``) and of the celery-mixin of celery-exporter (``celery-mixin/dashboards_out/*.json``,
``celery-mixin/prometheus_alerts.yaml``): each metric that is selected, with the labels that it is selected, grouped or
asked for by. ``cluster``, ``namespace`` and ``job`` come from the configuration of the scrape.
"""

from __future__ import annotations

import pytest
from django.utils import timezone

from monitoring.metrics.exposition import Format
from monitoring.models import Queue
from tests.factories import make_task, make_worker
from tests.metrics.scrape import make_consumer, make_total, scraped

pytestmark = pytest.mark.usefixtures("watched")

FLOWER_DASHBOARD_AND_ALERTS = {
    "flower_events_total": {"task", "type", "worker"},
    "flower_task_prefetch_time_seconds": {"task", "worker"},
    "flower_task_runtime_seconds_bucket": {"le", "task", "worker"},
    "flower_task_runtime_seconds_count": {"task", "worker"},
    "flower_task_runtime_seconds_sum": {"task", "worker"},
    "flower_worker_number_of_currently_executing_tasks": {"worker"},
    "flower_worker_online": {"worker"},
    "flower_worker_prefetched_tasks": {"task", "worker"},
}
CELERY_MIXIN = {
    "celery_queue_length": {"queue_name"},
    "celery_task_failed_total": {"exception", "name", "queue_name"},
    "celery_task_received_total": {"name", "queue_name"},
    "celery_task_rejected_total": {"name", "queue_name"},
    "celery_task_retried_total": {"name", "queue_name"},
    "celery_task_revoked_total": {"name", "queue_name"},
    "celery_task_runtime_bucket": {"le", "name", "queue_name"},
    "celery_task_runtime_count": {"name", "queue_name"},
    "celery_task_runtime_sum": {"name", "queue_name"},
    "celery_task_sent_total": {"name", "queue_name"},
    "celery_task_succeeded_total": {"name", "queue_name"},
    "celery_worker_tasks_active": set(),
    "celery_worker_up": {"hostname"},
}
#: Labels that expressions compare with ``!~"None"`` also of metrics that have none of the name: that is true of them.
TYPES_OF_FLOWERS_PANELS = {"task-failed", "task-retried", "task-succeeded"}


@pytest.mark.parametrize("format_", Format)
def test_every_name_and_label_is_served(using, format_):
    make_consumer()
    make_worker()
    make_total("sent", 1)
    make_total("received", 1)
    make_total("started", 1, newest_ts=1, prefetch=0.5, waits=[1.0])
    make_total("succeeded", 1, runtimes=[1.0])
    make_total("failed", 1, exception_type="KeyError")
    make_total("retried", 1)
    make_task(using=using, state="RECEIVED", name="shop.pay")
    Queue.objects.using(using).create(
        name="default", ready=1, read_at=timezone.now(), first_seen=timezone.now(), named_at=timezone.now()
    )
    served: dict[str, set[str]] = {}
    types = set()
    for sample in scraped(format_).samples:
        served.setdefault(sample.name, set()).update(sample.labels)
        if sample.name == "flower_events_total":
            types.add(sample.labels["type"])
    for name, labels in (FLOWER_DASHBOARD_AND_ALERTS | CELERY_MIXIN).items():
        assert labels <= served.get(name, {"nothing is served"}), name
    assert types >= TYPES_OF_FLOWERS_PANELS
