"""What the page says, from the rows that consumers and upkeep write."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitoring.metrics.exposition import Exposition, Format
from monitoring.metrics.page import write
from monitoring.models import EventTotal, Queue, UpkeepJob, Worker
from monitoring.queries.visibility import Visibility
from monitoring.upkeep.jobs import counts
from monitoring.upkeep.lease import UPKEEP, LeaseHolder
from tests.factories import make_dead_letter, make_gap, make_task, make_worker
from tests.metrics.scrape import EVERYTHING, make_consumer, make_delta, make_total, page, scraped

ZEROS = ("received", "started", "succeeded", "failed", "rejected", "revoked", "retried")
#: How much more memory a hundred times the series may take.
FACTOR = 3


@pytest.fixture(autouse=True)
def _watch(watched):
    """On each database."""


@pytest.fixture
def fold(using):
    """Let upkeep add what was counted to the totals."""
    holder = LeaseHolder(using, UPKEEP, "tests", duration=3600)
    assert holder.try_acquire()
    return lambda: counts.run(holder)


@pytest.mark.parametrize("format_", Format)
def test_counts_have_the_names_and_labels_of_flower_and_of_celery_exporter(format_):
    make_worker()
    make_total("received", 5)
    make_total("succeeded", 3, runtimes=[0.02, 0.3, 20])
    make_total("started", 5, waits=[0.04, 2, 4000])
    make_total("failed", 2, exception_type="KeyError")
    seen = scraped(format_)
    flower = {"worker": "celery@web-1", "task": "shop.pay"}
    assert seen.series("flower_events_total", **flower) == {
        ("task-received",): 5, ("task-succeeded",): 3, ("task-started",): 5, ("task-failed",): 2,
    }  # fmt: skip
    assert seen.value("flower_task_runtime_seconds_count", **flower) == 3
    assert seen.value("flower_task_runtime_seconds_sum", **flower) == pytest.approx(20.32)
    exporter = {"name": "shop.pay", "hostname": "web-1", "queue_name": "default"}
    assert seen.value("celery_task_received_total", **exporter) == 5
    assert seen.series("celery_task_failed_total", **exporter) == {("KeyError",): 2, ("",): 0}
    assert seen.value("celery_task_runtime_count", **exporter) == 3
    buckets = seen.series("celery_task_runtime_bucket", **exporter)
    assert (buckets["0.025",], buckets["0.5",], buckets["10.0",], buckets["+Inf",]) == (1, 2, 2, 3)
    waits = seen.series("celery_task_queue_wait_time_bucket", **exporter)
    assert (waits["0.05",], waits["2.5",], waits["1800.0",], waits["+Inf",]) == (1, 2, 2, 3)
    assert seen.value("celery_task_queue_wait_time_sum", **exporter) == pytest.approx(4002.04)


def test_any_event_makes_the_other_counters_begin_at_zero_but_that_of_sendings():
    began = datetime(2026, 11, 1, tzinfo=UTC)
    make_worker()
    make_total("received", 1, created_at=began)
    seen = scraped()
    labels = {"name": "shop.pay", "hostname": "web-1", "queue_name": "default"}
    assert {kind: seen.value(f"celery_task_{kind}_total", **labels) for kind in ZEROS} == {
        **dict.fromkeys(ZEROS, 0.0), "received": 1.0,
    }  # fmt: skip
    assert seen.value("celery_task_failed_total", exception="", **labels) == 0
    assert seen.series("celery_task_sent_total") == {}
    for kind in ZEROS:
        assert seen.total(f"celery_task_{kind}_created", **labels) == began.timestamp()


def test_what_is_not_known_is_named_as_the_dashboards_expect_it():
    make_worker()
    make_total("failed", name="", queue="")
    seen = scraped()
    assert seen.series("celery_task_failed_total", name="unknown", hostname="web-1", queue_name="celery") == {
        ("UnknownException",): 1, ("",): 0,
    }  # fmt: skip
    assert seen.value("flower_events_total", task="unknown") == 1


def test_what_upkeep_has_not_added_up_yet_counts_already_and_only_once(fold):
    make_worker()
    make_total("succeeded", 10)
    make_delta("succeeded", 2)
    make_delta("started", 1, name="shop.new", queue="new")
    make_delta("started", 1, name="", task_id="its name may come")
    before = scraped()
    assert before.value("celery_task_succeeded_total", name="shop.pay") == 12
    assert before.value("celery_task_started_total", name="shop.new", queue_name="new") == 1
    assert before.series("celery_task_started_total", name="unknown") == {}
    fold()
    for name in ("flower_events_total", "celery_task_succeeded_total", "monitoring_events_stored_total"):
        assert scraped().series(name) == before.series(name)


def test_workers_of_one_host_are_one_series_of_celery_exporter_and_each_one_of_flower():
    make_consumer()
    make_worker("mail@web-1", active=2)
    make_worker("pay@web-1", active=3)
    make_worker("pay@web-2", active=4, online=False)
    for worker in ("mail@web-1", "pay@web-1"):
        make_total("received", 5, worker=worker)
        make_total("succeeded", 1, worker=worker, runtimes=[1.0])
    seen = scraped()
    assert seen.series("celery_worker_up") == {("web-1",): 1, ("web-2",): 0}
    assert seen.series("celery_worker_tasks_active") == {("web-1",): 5, ("web-2",): 0}
    assert seen.series("celery_task_received_total", hostname="web-1") == {("shop.pay", "default"): 10}
    assert seen.value("celery_task_runtime_sum") == 2
    assert seen.series("flower_worker_online") == {("mail@web-1",): 1, ("pay@web-1",): 1, ("pay@web-2",): 0}
    assert seen.series("flower_worker_number_of_currently_executing_tasks") == {
        ("mail@web-1",): 2, ("pay@web-1",): 3, ("pay@web-2",): 0,
    }  # fmt: skip
    assert seen.series("flower_events_total", type="task-received") == {
        ("shop.pay", "mail@web-1"): 5, ("shop.pay", "pay@web-1"): 5,
    }  # fmt: skip


def test_queues_have_the_workers_that_consume_them_now():
    make_consumer()
    make_worker("celery@a", queues=["fast", "slow"], concurrency=4)
    make_worker("celery@b", queues=["fast"], concurrency=8)
    make_worker("celery@c", queues=["rare"], online=False)
    make_worker("celery@d", queues=None)
    seen = scraped()
    assert seen.series("celery_active_worker_count") == {("fast",): 2, ("slow",): 1, ("rare",): 0}
    assert seen.series("celery_active_process_count") == {("fast",): 12, ("slow",): 4, ("rare",): 0}


def test_queues_are_as_long_as_they_were_when_they_were_read(using):
    now = timezone.now()
    for name, fields in {
        "fast": {"ready": 7, "consumers": 2, "read_at": now},
        "by workers": {"ready": 0, "workers": ["celery@a"], "read_at": now},
        "old": {"ready": 9, "read_at": now - timedelta(hours=1)},
        "gone": {"ready": 9, "read_at": now, "exists": False},
    }.items():
        Queue.objects.using(using).create(name=name, first_seen=now, named_at=now, **fields)
    seen = scraped()
    assert seen.series("celery_queue_length") == {("fast",): 7, ("by workers",): 0}
    assert seen.series("celery_active_consumer_count") == {("fast",): 2, ("by workers",): 1}


def test_a_killed_worker_is_down_after_three_heartbeats_and_its_series_go_after_ten_minutes(settings):
    now = timezone.now()
    make_consumer(now)
    make_worker("celery@alive", last_heartbeat=now)
    make_worker("celery@killed", last_heartbeat=now - timedelta(seconds=60))
    make_worker("celery@gone", last_heartbeat=now - timedelta(seconds=700), online=False)
    for name in ("alive", "killed", "gone"):
        make_total("received", 1, worker=f"celery@{name}")
    seen = scraped()
    assert seen.series("celery_worker_up") == {("alive",): 1, ("killed",): 0}
    assert seen.series("flower_worker_online") == {("celery@alive",): 1, ("celery@killed",): 0}
    assert {worker for worker, *_ in seen.series("flower_events_total", task="shop.pay", type="task-received")} == {
        "celery@alive", "celery@killed",
    }  # fmt: skip
    assert {host for host, *_ in seen.series("celery_task_received_total")} == {"alive", "killed"}
    assert seen.total("monitoring_events_stored_total") == 3, "what was counted is still there"
    settings.MONITORING = {**settings.MONITORING, "METRICS_WORKER_EXPIRY": 3600}
    assert ("gone",) in scraped().series("celery_worker_up")


def test_nobody_grows_silent_while_no_consumer_runs():
    """Else an hour without a consumer would end every series, and its return begin all of them anew."""
    hour_ago = timezone.now() - timedelta(hours=1)
    make_consumer(hour_ago, reported_at=hour_ago)
    make_worker("celery@a", last_heartbeat=hour_ago)
    make_worker("celery@gone", last_heartbeat=hour_ago - timedelta(hours=1))
    make_total("received", 1, worker="celery@a")
    seen = scraped()
    assert set(seen.series("celery_worker_up")) == {("a",)}
    assert seen.total("celery_task_received_total") == 1


def test_senders_that_are_no_workers_keep_their_series_for_a_day():
    now = timezone.now()
    make_consumer(now)
    make_total("sent", 3, worker="gen@web", updated_at=now - timedelta(hours=23))
    make_total("sent", 4, worker="gen@closed", updated_at=now - timedelta(hours=25))
    assert scraped().series("celery_task_sent_total") == {("web", "shop.pay", "default"): 3}


def test_a_gone_workers_own_sendings_do_not_keep_its_host():
    """Else every pod that was ever replaced would stay for a day."""
    now = timezone.now()
    make_consumer(now)
    make_worker("celery@pod-1", last_heartbeat=now - timedelta(hours=1), online=False)
    make_total("received", 3, worker="celery@pod-1", updated_at=now - timedelta(hours=1))
    make_total("sent", 3, worker="gen@pod-1", updated_at=now - timedelta(hours=1))
    seen = scraped()
    assert seen.series("celery_task_sent_total") == seen.series("celery_task_received_total") == {}


def test_names_beyond_the_bound_share_one_label_and_none_ever_changes_it(settings, fold):
    settings.MONITORING = {**settings.MONITORING, "METRICS_MAX_VALUES": 2}
    make_worker()
    for name, count in (("b", 1), ("a", 2), ("d", 4), ("c", 8)):
        make_total("received", count, name=name)
    make_delta("received", 16, name="a new one")
    before = scraped().series("celery_task_received_total", hostname="web-1", queue_name="default")
    assert before == {("a",): 2, ("b",): 1, ("other",): 28}
    fold()
    make_total("received", 32, name="0 would be the first by name")
    after = scraped().series("celery_task_received_total", hostname="web-1", queue_name="default")
    assert after == {**before, ("other",): 60}


def test_queues_exceptions_and_types_beyond_the_bound_share_one_label(settings):
    settings.MONITORING = {**settings.MONITORING, "METRICS_MAX_VALUES": 2}
    make_worker()
    for number in range(4):
        make_total("failed", 1, exception_type=f"E{number}", queue="q0")
        make_total("received", 1, queue=f"q{number}")
        make_total(f"step-{number}", 1, queue="q0")
    seen = scraped()
    assert seen.series("celery_task_failed_total", queue_name="q0", hostname="web-1", name="shop.pay") == {
        ("",): 0, ("E0",): 1, ("E1",): 1, ("other",): 2,
    }  # fmt: skip
    assert seen.series("celery_task_received_total", hostname="web-1", name="shop.pay") == {
        ("q0",): 1, ("q1",): 1, ("other",): 2,
    }  # fmt: skip
    assert seen.value("flower_events_total", type="other", task="shop.pay") == 4


def test_labels_can_be_left_out_and_their_series_add_up(settings):
    settings.MONITORING = {**settings.MONITORING, "METRICS_LABELS": ()}
    make_worker("celery@a")
    make_total("failed", 1, worker="celery@a", queue="x", exception_type="KeyError")
    make_total("failed", 2, worker="celery@gone", queue="y", exception_type="OSError")
    make_total("succeeded", 2, worker="celery@gone", runtimes=[1.0, 2.0])
    seen = scraped()
    assert seen.series("celery_task_failed_total") == {("shop.pay",): 3}
    assert seen.series("celery_task_revoked_total") == {("shop.pay",): 0}
    assert seen.series("flower_events_total", task="shop.pay") == {
        ("task-failed",): 3,
        ("task-succeeded",): 2,
    }
    assert seen.value("flower_task_runtime_seconds_sum", task="shop.pay") == 3
    assert seen.series("flower_worker_online") == {("celery@a",): 1}


def test_prefetch_time_is_that_of_the_newest_start_until_a_task_has_ended():
    make_worker()
    make_total("started", 2, newest_ts=5_000, prefetch=1.5)
    make_total("succeeded", 1, newest_ts=4_000)
    assert scraped().value("flower_task_prefetch_time_seconds", task="shop.pay") == 1.5
    EventTotal.objects.filter(type="task-succeeded").update(newest_ts=5_000)
    assert scraped().value("flower_task_prefetch_time_seconds", task="shop.pay") == 0


def test_prefetched_tasks_are_those_that_a_worker_holds_now(using, settings):
    make_worker()
    make_total("received", 1)
    make_total("received", 1, name="shop.mail")
    make_total("sent", 1, name="shop.sent")
    make_task(using=using, state="RECEIVED", name="shop.pay")
    make_task(using=using, state="RECEIVED", name="shop.pay")
    make_task(using=using, state="RECEIVED", name="shop.pay", eta=timezone.now())
    make_task(using=using, state="STARTED", name="shop.pay")
    make_task(using=using, state="RECEIVED", name="shop.pay", worker="celery@gone")
    assert scraped().series("flower_worker_prefetched_tasks") == {
        ("shop.pay", "celery@web-1"): 2, ("shop.mail", "celery@web-1"): 0,
    }  # fmt: skip
    settings.MONITORING = {**settings.MONITORING, "METRICS_LABELS": ("queue",)}
    assert scraped().series("flower_worker_prefetched_tasks") == {("shop.pay",): 3, ("shop.mail",): 0}


def test_the_monitor_tells_of_itself():
    make_consumer()
    make_dead_letter()
    make_gap()
    UpkeepJob.objects.create(name="counts", finished_at=timezone.now(), failures=2)
    seen = scraped()
    assert seen.value("monitoring_consumers") == 1
    assert seen.value("monitoring_consumer_events_total", consumer="monitor-1:7:ab") == 1_234
    assert seen.value("monitoring_consumer_lag_seconds") == 0.25
    assert seen.value("monitoring_consumer_batch_seconds") == 0.125
    assert seen.value("monitoring_consumer_queue_length") == 3
    assert seen.value("monitoring_consumer_connected") == 1
    assert seen.value("monitoring_dead_letters") == 1
    assert (seen.value("monitoring_gaps"), seen.value("monitoring_gap_seconds")) == (1, 420)
    assert seen.value("monitoring_feed_clients") == 0
    assert seen.value("monitoring_upkeep_job_failures", job_name="counts") == 2
    assert seen.value("monitoring_upkeep_job_age_seconds", job_name="counts") >= 0


@pytest.mark.parametrize("format_", Format)
def test_a_new_installation_has_a_valid_page(format_):
    seen = scraped(format_)
    assert seen.value("monitoring_consumers") == 0
    assert seen.value("process_start_time_seconds") > 0, "as Flower says it of itself"


@pytest.mark.parametrize("format_", Format)
def test_hostile_names_stay_inside_their_label(format_):
    hostile = 'x"} 1\nup{a="\\'
    make_worker(f"celery@{hostile}")
    make_total("failed", name=hostile, worker=f"celery@{hostile}", queue=hostile, exception_type=hostile)
    seen = scraped(format_)
    labels = {"name": hostile, "hostname": hostile, "queue_name": hostile, "exception": hostile}
    assert seen.value("celery_task_failed_total", **labels) == 1
    assert seen.series("up") == {}


def test_a_task_named_like_a_shared_label_adds_to_it(settings):
    settings.MONITORING = {**settings.MONITORING, "METRICS_MAX_VALUES": 3}
    make_worker()
    for name, count in (("other", 1), ("unknown", 2), ("", 4), ("late", 8)):
        make_total("received", count, name=name)
    assert scraped().series("celery_task_received_total", hostname="web-1", queue_name="default") == {
        ("other",): 9, ("unknown",): 6,
    }  # fmt: skip


def test_a_limited_user_gets_nothing():
    make_worker()
    make_total("received")
    assert page(visibility=Visibility(names=("shop.*",))) == ""


def _fill(names: int, workers: int) -> None:
    Worker.objects.all().delete()
    EventTotal.objects.all().delete()
    for number in range(workers):
        make_worker(f"celery@w{number}")
    now = timezone.now()
    EventTotal.objects.bulk_create(
        EventTotal(
            type=f"task-{kind}", name=f"shop.task{name}", worker=f"celery@w{worker}", queue="default",
            exception_type="", count=1, runtime_sum=1.0, runtime_buckets=[0] * 14 + [1],
            created_at=now, updated_at=now,
        )
        for name in range(names)
        for worker in range(workers)
        for kind in ("received", "started", "succeeded")
    )  # fmt: skip


def _cost(using: str) -> tuple[int, int, int]:
    """Statements, bytes of memory at the highest, and bytes of the page."""
    with CaptureQueriesContext(connections[using]) as queries:
        exposition = Exposition(Format.TEXT)
        tracemalloc.start()
        try:
            write(exposition, EVERYTHING)
            size = sum(map(len, exposition.parts()))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            exposition.close()
    return len(queries), peak, size


def test_neither_statements_nor_memory_grow_with_the_number_of_series(using):
    _fill(20, 2)
    scraped()  # what is made once
    few, little, small = _cost(using)
    _fill(1_000, 2)
    many, much, large = _cost(using)
    assert few == many == 10
    assert large > 40 * small
    assert much < FACTOR * little + 8 * 1024**2
