"""Counts of events are exact: folded once, whoever folds them and however often he is killed."""

import threading
from datetime import UTC, datetime, timedelta

from django.db import connections

from monitoring.ingest.buckets import RUNTIME_BOUNDS, bucket_counts
from monitoring.ingest.stores import store_for
from monitoring.ingest.stores.contract import Batch
from monitoring.models import EventDelta, EventTotal, Worker, WorkerSample
from monitoring.upkeep.jobs import counts
from monitoring.upkeep.lease import LeaseHolder
from tests.factories import make_task, make_worker
from tests.ingest.event_streams import BEGIN, decoded, event
from tests.ingest.worker_streams import decoded_worker_events, worker_event


def append(using, *fields, age=0):
    """What a batch that was committed `age` seconds ago counted."""
    stock = {
        "type": "task-started",
        "name": "shop.pay",
        "worker": "celery@a",
        "queue": "default",
        "exception_type": "",
        "count": 1,
        "created_at": datetime.now(UTC) - timedelta(seconds=age),
    }
    EventDelta.objects.using(using).bulk_create([EventDelta(**(stock | each)) for each in fields])


def totals(using):
    return {
        (row.type, row.name, row.worker, row.queue, row.exception_type): row.count
        for row in EventTotal.objects.using(using).all()
    }


def waiting(using):
    return EventDelta.objects.using(using).count()


def test_counts_of_one_kind_name_sender_queue_and_exception_add_up(using, lease):
    append(using, {"count": 2}, {"count": 3}, {"count": 5, "queue": "slow"})
    counts.run(lease)
    append(using, {"count": 7}, {"count": 11, "type": "task-failed", "exception_type": "KeyError"})
    assert counts.run(lease) == "Folded: 2; waiting for their task's name: 0."
    assert totals(using) == {
        ("task-started", "shop.pay", "celery@a", "default", ""): 12,
        ("task-started", "shop.pay", "celery@a", "slow", ""): 5,
        ("task-failed", "shop.pay", "celery@a", "default", "KeyError"): 11,
    }
    assert waiting(using) == 0


def test_histograms_and_sums_add_up(using, lease):
    succeeded = {"type": "task-succeeded"}
    append(
        using,
        {
            **succeeded,
            "count": 2,
            "runtime_sum": 0.5,
            "runtime_buckets": bucket_counts([0.2, 0.3], RUNTIME_BOUNDS),
        },
        {**succeeded, "count": 1},  # its run time was not known
        {
            **succeeded,
            "count": 1,
            "runtime_sum": 99.0,
            "runtime_buckets": bucket_counts([99], RUNTIME_BOUNDS),
        },
    )
    append(using, {"count": 1, "wait_sum": 1.5, "wait_buckets": [0, 1]})
    counts.run(lease)
    append(using, {"count": 1, "wait_sum": 0.25, "wait_buckets": [2, 1, 4]})
    counts.run(lease)
    total = EventTotal.objects.using(using).get(type="task-succeeded")
    assert (total.count, total.runtime_sum) == (4, 99.5)
    assert total.runtime_buckets == bucket_counts([0.2, 0.3, 99], RUNTIME_BOUNDS)
    assert total.wait_buckets is None
    total = EventTotal.objects.using(using).get(type="task-started")
    assert (total.count, total.wait_sum, total.wait_buckets) == (2, 1.75, [2, 2, 4])


def test_run_times_that_nothing_can_have_do_not_stop_the_counts(using, lease):
    for number, runtime in enumerate((1.7e308, 1.7e308, -1.7e308, -1.7e308, 2.0)):
        claimed = event("succeeded", BEGIN + number, runtime=runtime, name="shop.pay")
        store_for(using).write(Batch(decoded([claimed])))
        counts.run(lease)
    total = EventTotal.objects.using(using).get(type="task-succeeded")
    assert (total.count, total.runtime_sum) == (5, 2.0)


def test_the_newest_prefetch_time_is_kept_and_when_the_first_and_last_event_were_stored(using, lease):
    now = datetime.now(UTC).replace(microsecond=0)
    times = [now - timedelta(seconds=age) for age in (30, 40, 20, 10)]
    append(
        using,
        {"newest_ts": 5, "prefetch": 0.5, "created_at": times[0]},
        {"newest_ts": 3, "prefetch": 0.3, "created_at": times[1]},
        {"created_at": times[2]},
    )
    counts.run(lease)
    append(using, {"newest_ts": 4, "prefetch": 0.4, "created_at": times[3]})
    counts.run(lease)
    total = EventTotal.objects.using(using).get()
    assert (total.newest_ts, total.prefetch) == (5, 0.5)
    assert (total.created_at, total.updated_at) == (times[1], times[3])


def test_an_event_whose_task_has_no_name_yet_waits_for_it(using, lease):
    append(using, {"name": "", "queue": "", "task_id": "t"}, {})
    assert counts.run(lease) == "Folded: 1; waiting for their task's name: 1."
    make_task("t", using=using, name=None, queue=None)
    counts.run(lease)
    assert waiting(using) == 1
    make_task("u", using=using, name="other", queue="other")
    append(using, {"name": "", "queue": "", "task_id": "u"})
    counts.run(lease)
    assert waiting(using) == 1, "the one that is behind it does not wait for it"
    task = make_task("v", using=using, name="shop.ship", queue="slow")
    EventDelta.objects.using(using).update(task_id=task.task_id)
    counts.run(lease)
    assert waiting(using) == 0
    assert totals(using) == {
        ("task-started", "shop.pay", "celery@a", "default", ""): 1,
        ("task-started", "other", "celery@a", "other", ""): 1,
        ("task-started", "shop.ship", "celery@a", "slow", ""): 1,
    }


def test_after_a_minute_it_counts_without_a_name(using, lease):
    append(using, {"name": "", "queue": "", "task_id": "t"}, age=61)
    assert counts.run(lease) == "Folded: 1; waiting for their task's name: 0."
    assert totals(using) == {("task-started", "", "celery@a", "", ""): 1}


def test_more_than_one_transaction_takes_is_folded_in_the_order_of_ids(using, lease, monkeypatch):
    monkeypatch.setattr(counts, "CHUNK", 10)
    monkeypatch.setattr(counts, "CHUNKS", 3)
    append(using, *[{"name": "", "task_id": "nameless"}] * 5, *[{}] * 40)
    newest = EventDelta.objects.using(using).latest("pk").pk
    assert counts.run(lease) == "Folded: 30; waiting for their task's name: 5."
    assert EventDelta.objects.using(using).latest("pk").pk == newest
    assert counts.run(lease) == "Folded: 10; waiting for their task's name: 5."
    assert totals(using) == {("task-started", "shop.pay", "celery@a", "default", ""): 40}


def test_a_worker_shows_how_many_of_its_tasks_have_failed(using, lease):
    from monitoring.ingest.stores import store_for
    from monitoring.ingest.stores.contract import Batch
    from monitoring.models import Worker

    def beat(host):
        moment = round(datetime.now(UTC).timestamp()) * 1_000_000
        event = worker_event("heartbeat", moment, host, freq=2.0, active=0, processed=9, loadavg=[0, 0, 0])
        store_for(using).write(Batch(workers=decoded_worker_events([event])))

    def failed():
        return dict(Worker.objects.using(using).values_list("hostname", "failed"))

    failure = {"type": "task-failed", "exception_type": "KeyError"}
    beat("celery@a")
    append(using, {**failure, "count": 2}, {**failure, "worker": "celery@b"}, {"count": 9})
    counts.run(lease)
    assert failed() == {"celery@a": 2}
    # A worker whose failures came before its first heartbeat, and one that never had any.
    beat("celery@b")
    beat("celery@c")
    append(using, {**failure, "exception_type": "ValueError"})
    counts.run(lease)
    assert failed() == {"celery@a": 3, "celery@b": 1, "celery@c": 0}


def test_whenever_it_is_killed_nothing_is_lost_and_nothing_counted_twice(using, start):
    succeeded = {
        "type": "task-succeeded",
        "runtime_sum": 0.5,
        "runtime_buckets": bucket_counts([0.5], RUNTIME_BOUNDS),
    }
    append(using, *({**succeeded, "name": name} for name in "abcabcabcabc"))
    append(using, {"type": "task-failed"}, {"name": "", "task_id": "nameless"}, age=61)
    crasher = start("-m", "tests.upkeep.jobs.crasher")
    output, _ = crasher.communicate()
    assert crasher.returncode == 0
    lines = [line.split() for line in output.splitlines()]
    assert [line[0] for line in lines] == ["killed"] * (len(lines) - 1) + ["ended"]
    # At every point: 14 events, 12 run times of half a second.
    assert {tuple(line[1:4]) for line in lines} == {("14", "6.0", "12")}
    left = [int(line[4]) for line in lines]
    assert left == sorted(left, reverse=True)
    assert left[0] == 14
    assert left[-1] == 0
    assert len(set(left)) > 2, "it was killed between its transactions, too"
    assert totals(using) == {
        **{("task-succeeded", name, "celery@a", "default", ""): 4 for name in "abc"},
        ("task-failed", "shop.pay", "celery@a", "default", ""): 1,
        ("task-started", "", "celery@a", "default", ""): 1,
    }


def test_two_that_fold_at_once_while_others_append_count_every_event_once(using, lease, monkeypatch):
    monkeypatch.setattr(counts, "CHUNK", 20)
    # Two different leases: as if the one lease had failed to keep the second one out.
    rival = LeaseHolder(using, "another", "rival", duration=3600)
    assert rival.try_acquire()
    appended, errors = threading.Event(), []

    def in_a_thread(what):
        def run():
            try:
                what()
            except Exception as error:
                errors.append(error)
            finally:
                connections.close_all()

        return threading.Thread(target=run)

    def append_all():
        try:
            for number in range(60):
                append(using, *({"name": f"shop.task{(number + n) % 7}", "count": 2} for n in range(5)))
        finally:
            appended.set()

    def fold(holder):
        while not appended.is_set():
            counts.run(holder)

    threads = [in_a_thread(append_all), *(in_a_thread(lambda h=h: fold(h)) for h in (lease, rival))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    while waiting(using):  # a run leaves to the next what it does not get done in its time
        counts.run(lease)
    assert sum(totals(using).values()) == 600
    assert len(totals(using)) == 7


def samples(using):
    rows = WorkerSample.objects.using(using).filter(events__gt=0).order_by("pk")
    return list(rows.values_list("hostname", "minute", "events"))


def test_events_of_known_workers_are_added_to_the_minutes_in_which_they_were_stored(using, lease):
    make_worker("celery@a", using=using)
    minute = datetime(2026, 11, 23, 12, tzinfo=UTC)
    second = timedelta(seconds=1)
    append(using, {"count": 2, "created_at": minute}, {"count": 3, "created_at": minute + 59 * second})
    append(
        using, {"count": 5, "created_at": minute + 60 * second}, {"worker": "gen1@web", "created_at": minute}
    )
    counts.run(lease)
    append(using, {"count": 7, "created_at": minute + 30 * second})
    counts.run(lease)
    assert samples(using) == [("celery@a", minute, 12), ("celery@a", minute + 60 * second, 5)]


def test_events_are_added_to_a_sample_that_has_figures(using, lease):
    make_worker("celery@a", using=using)
    minute = datetime(2026, 11, 23, 12, tzinfo=UTC)
    WorkerSample.objects.using(using).create(hostname="celery@a", minute=minute, active=3, events=1)
    append(using, {"count": 2, "created_at": minute})
    counts.run(lease)
    assert WorkerSample.objects.using(using).values_list("active", "events").get() == (3, 3)


def test_consumers_write_heartbeats_while_their_events_are_counted(using, lease):
    """Both change workers and their samples; neither may keep the other waiting for ever."""
    hosts = [f"celery@{number}" for number in range(20)]
    now = datetime.now(UTC)
    beats = [
        worker_event("heartbeat", round(now.timestamp() * 1_000_000) + n, host, active=n)
        for n in range(20)
        for host in hosts
    ]
    faults: list[BaseException] = []

    def consume() -> None:
        try:
            for start in range(0, len(beats), 40):
                workers = decoded_worker_events(beats[start : start + 40])
                store_for(using).write(Batch(workers=workers))
                append(using, *({"worker": host, "type": "task-failed"} for host in reversed(hosts)))
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=consume) for _ in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        counts.run(lease)
    counts.run(lease)
    counts.run(lease)
    assert not faults
    assert Worker.objects.using(using).filter(failed=30).count() == len(hosts)
    assert sum(events for _host, _minute, events in samples(using)) == 30 * len(hosts)
