"""Jobs run when they are due, in one process, and none is in the way of another."""

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from django.db.models import F

from monitoring.models import Lease, UpkeepJob
from monitoring.upkeep import runner
from monitoring.upkeep.lease import LeaseLost
from monitoring.upkeep.runner import Upkeep, run_job
from monitoring.upkeep.schedule import FIRST_RETRY, JOBS, LAST_RETRY, Job, ask, due
from tests.upkeep.conftest import until

HOUR = 3600


@contextmanager
def running(*upkeeps):
    for upkeep in upkeeps:
        upkeep.start()
    try:
        yield
    finally:
        for upkeep in upkeeps:
            upkeep.stop()


def upkeep_of(using, name, *jobs):
    return Upkeep(using, name, jobs, duration=HOUR, renewal=0.2)


def row(using, name):
    return UpkeepJob.objects.using(using).filter(pk=name).first()


def test_a_job_runs_again_and_again_and_its_row_says_how_it_went(using):
    runs = []
    job = Job("sweep", 0.1, lambda lease: f"Swept {runs.append(1) or len(runs)} times.")
    with running(upkeep_of(using, "one", job)):
        until(lambda: len(runs) > 2, "it had to run three times")
    last = row(using, "sweep")
    assert last.succeeded
    assert last.outcome.startswith("Swept")
    assert last.started_at <= last.finished_at
    assert last.due_at - last.finished_at == timedelta(seconds=0.1)
    assert last.duration >= 0
    assert last.failures == 0


def test_a_job_is_left_alone_until_it_is_due(using, lease):
    job = Job("sweep", HOUR, lambda lease: "")
    assert due(using, [job]) == [job], "it never ran"
    run_job(job, lease)
    assert due(using, [job]) == []
    UpkeepJob.objects.using(using).update(due_at=datetime.now(UTC) - timedelta(seconds=1))
    assert due(using, [job]) == [job]


def test_a_clock_that_was_put_back_keeps_no_job_waiting(using, lease):
    run_job(Job("one", 60, lambda lease: ""), lease)
    ahead = timedelta(hours=1)
    UpkeepJob.objects.using(using).update(started_at=F("started_at") + ahead, due_at=F("due_at") + ahead)
    job = Job("one", 60, lambda lease: "")
    assert due(using, [job]) == [job]

    run_job(job, lease)
    assert due(using, [job]) == []


def test_a_job_that_fails_is_recorded_retried_later_and_stops_no_other(using):
    def fail(lease):
        raise ValueError("the broom is broken\nin two")

    runs = []
    broken, well = Job("broken", 0.1, fail), Job("well", 0.1, lambda lease: str(runs.append(1)))
    with running(upkeep_of(using, "one", broken, well)):
        until(lambda: len(runs) > 2, "the other had to go on")
    failed = row(using, "broken")
    assert failed.succeeded is False
    assert failed.outcome == "ValueError: the broom is broken"
    assert failed.failures >= 1
    assert failed.due_at - failed.finished_at >= timedelta(seconds=FIRST_RETRY)


def test_a_job_that_breaks_its_connection_stops_no_other(using):
    def break_off(lease):
        from django.db import connections

        connections[using].connection.close()
        raise OperationalError("the server closed the connection")

    runs = []
    broken, well = Job("broken", 0.1, break_off), Job("well", 0.1, lambda lease: str(runs.append(1)))
    with running(upkeep_of(using, "one", broken, well)):
        until(lambda: len(runs) > 2, "the other had to go on")
        until(lambda: row(using, "broken").succeeded is False, "its failure had to be recorded")


def test_words_that_no_database_takes_are_recorded_as_far_as_it_does(using, lease):
    assert run_job(Job("sweep", HOUR, lambda lease: "half \ud800, nothing \0"), lease).succeeded
    assert row(using, "sweep").outcome == "half \ufffd, nothing \u2400"


def test_a_fault_beside_the_jobs_ends_no_upkeep(using, monkeypatch):
    runs = []
    real = runner.run_job

    def run_once_it_is_mended(job, lease):
        runs.append(job.name)
        if len(runs) == 1:
            raise ZeroDivisionError("a fault of ours")
        return real(job, lease)

    monkeypatch.setattr(runner, "run_job", run_once_it_is_mended)
    with running(upkeep_of(using, "one", Job("sweep", HOUR, lambda lease: "Swept."))):
        until(lambda: row(using, "sweep") is not None, "it had to run after the fault")
        until(lambda: row(using, "sweep").outcome == "Swept.", "it had to be recorded")
    assert runs == ["sweep", "sweep"]


def test_retries_come_later_and_later_up_to_a_limit_and_success_ends_that(using, lease):
    outcomes = iter([OSError, OSError, OSError, None])

    def run(lease):
        if error := next(outcomes):
            raise error
        return "well again"

    job, pauses = Job("sweep", HOUR, run), []
    for _ in range(4):
        run_job(job, lease)
        last = row(using, "sweep")
        pauses.append((last.due_at - last.finished_at).total_seconds())
    assert pauses == [FIRST_RETRY, 2 * FIRST_RETRY, 4 * FIRST_RETRY, HOUR]
    assert row(using, "sweep").failures == 0
    assert job.pause(failures=1_000) == LAST_RETRY


def test_two_processes_never_run_a_job_at_the_same_time(using):
    inside, together, runs = threading.Semaphore(1), [], []

    def run(lease):
        if not inside.acquire(blocking=False):
            together.append(lease.holder_id)
            return ""
        time.sleep(0.05)
        inside.release()
        runs.append(lease.holder_id)
        return ""

    job = Job("sweep", 0.1, run)
    one, two = upkeep_of(using, "one", job), upkeep_of(using, "two", job)
    with running(one, two):
        until(lambda: len(runs) > 3, "one of them had to run it")
        assert one.is_holder != two.is_holder
    assert together == []
    assert len(set(runs)) == 1


def test_another_process_goes_on_at_once_when_one_ends_in_good_order(using):
    runs = []
    job = Job("sweep", 0.1, lambda lease: str(runs.append(lease.holder_id)))
    one, two = upkeep_of(using, "one", job), upkeep_of(using, "two", job)
    with running(one):
        until(lambda: "one" in runs, "the first had to run it")
        two.start()
    try:
        # The lease would have been the first one's for an hour.
        until(lambda: "two" in runs, "the second had to take over")
    finally:
        two.stop()
    assert Lease.objects.using(using).get().holder == ""


def test_a_job_that_loses_the_lease_commits_nothing_and_is_still_due(using, lease):
    def run(lease):
        Lease.objects.using(using).update(holder="another")
        with lease.transaction():
            UpkeepJob.objects.using(using).create(name="what it did")
        return ""

    job = Job("sweep", HOUR, run)
    with pytest.raises(LeaseLost):
        run_job(job, lease)
    assert row(using, "what it did") is None
    assert row(using, "sweep").finished_at is None
    assert due(using, [job]) == [job]


def test_a_job_asked_for_while_it_runs_is_due_again_when_it_ends(using, lease):
    job = Job("sweep", HOUR, lambda lease: str(ask(using, ["sweep"])))
    run_job(job, lease)
    assert due(using, [job]) == [job]


def test_stopping_waits_for_no_job_longer_than_it_must(using):
    begun, go_on, after = threading.Event(), threading.Event(), []

    def run(lease):
        begun.set()
        go_on.wait()
        try:
            with lease.transaction():
                pass
        except LeaseLost:
            after.append("lost")
        return ""

    upkeep = upkeep_of(using, "one", Job("endless", 1, run))
    upkeep.start()
    try:
        begun.wait()
        upkeep.stop()
        assert Lease.objects.using(using).get().holder == ""
    finally:
        go_on.set()
        upkeep._thread.join()
    assert after == ["lost"]


def test_the_jobs_are_those_that_the_manual_names():
    assert set(JOBS) >= {"workers", "partitions", "counts", "trim"}
    assert all(job.name == name and job.interval > 0 for name, job in JOBS.items())
