"""Metrics, statistics and the task list give the same figures, since they come from the same events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.ingest.stores import store_for
from monitoring.ingest.stores.contract import Batch
from monitoring.models import Task
from monitoring.queries.statistics_range import Range
from monitoring.queries.statistics_totals import summary
from monitoring.upkeep.jobs import counts, statistics
from monitoring.upkeep.lease import UPKEEP, LeaseHolder
from tests.factories import make_worker
from tests.ingest.event_streams import RawEvent, decoded, event
from tests.metrics.scrape import EVERYTHING, make_consumer, scraped

WORKERS = ("celery@a", "celery@b")


def _events(begin: int) -> list[RawEvent]:
    """Forty tasks, each sent, received, started and ended in one of four ways."""
    events = []
    for number in range(40):
        worker, at, task_id = WORKERS[number % 2], begin + number * 1_000_000, f"t{number}"
        end = ("succeeded", "succeeded", "failed", "revoked")[number % 4]
        fields = {
            "succeeded": {"runtime": 0.5 + number, "result": "1"},
            "failed": {"exception": "KeyError('x')"},
            "revoked": {"terminated": True, "signum": "SIGTERM", "expired": False},
        }[end]
        events += [
            event(
                "sent",
                at,
                f"gen{number}@web",
                task_id,
                name=f"shop.n{number % 3}",
                queue="default",
                retries=0,
            ),
            event("received", at + 100_000, worker, task_id, name=f"shop.n{number % 3}", retries=0),
            event("started", at + 300_000, worker, task_id),
            event(end, at + 400_000, worker, task_id, **fields),
        ]
    return events


@pytest.mark.parametrize("redelivered", [1, 2])
def test_the_figures_of_a_range_are_the_same_everywhere(using, watched, redelivered, admin_client):
    now = datetime.now(UTC)
    begin = int((now - timedelta(minutes=10)).timestamp()) * 1_000_000
    make_consumer()
    for worker in WORKERS:
        make_worker(worker)
    store = store_for(using)
    for _ in range(redelivered):
        store.write(Batch(decoded(_events(begin))))
    lease = LeaseHolder(using, UPKEEP, "tests", duration=3600)
    assert lease.try_acquire()
    counts.run(lease)
    statistics.run(lease)

    seen = scraped()
    listed = {state: Task.objects.filter(state=state).count() for state in ("SUCCESS", "FAILURE", "REVOKED")}
    counted = summary(EVERYTHING, Range.between(now - timedelta(hours=1), now)).counts
    told = admin_client.get("/api/v1/statistics/", {"period": "1h"}).json()["totals"]
    kinds = {"succeeded": "SUCCESS", "failed": "FAILURE", "revoked": "REVOKED"}
    for kind, state in kinds.items():
        assert seen.total(f"celery_task_{kind}_total") == listed[state] == counted[kind], kind
        assert told[kind]["now"] == listed[state]
        assert seen.total("flower_events_total", type=f"task-{kind}") == listed[state]
    assert seen.total("celery_task_sent_total") == Task.objects.count() == 40
    assert seen.series("celery_task_sent_total", hostname="web", queue_name="default").keys() == {
        ("shop.n0",), ("shop.n1",), ("shop.n2",),
    }  # fmt: skip
    runtimes = sum(Task.objects.filter(state="SUCCESS").values_list("runtime", flat=True))
    assert seen.total("celery_task_runtime_sum") == pytest.approx(runtimes)
    assert seen.total("flower_task_runtime_seconds_sum") == pytest.approx(runtimes)
    assert seen.total("celery_task_queue_wait_time_count") == 40
    assert seen.total("celery_task_queue_wait_time_sum") == pytest.approx(40 * 0.3)
    assert set(seen.series("flower_task_prefetch_time_seconds").values()) <= {0.0, 0.2}
