"""The running event consumers do the upkeep, one of them at a time."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from monitoring.models import Consumer, Lease, UpkeepJob, Worker
from monitoring.upkeep.lease import UPKEEP
from monitoring.upkeep.schedule import JOBS
from tests.upkeep.conftest import PATIENCE, ROOT, database_url, environment, until


@pytest.fixture
def run(using: str, rabbitmq_url: str) -> Iterator[object]:
    """Start a command of this project on the test's database and broker, in a process group of its own."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> "subprocess.Popen[bytes]":
        env = {**environment(database_url(using)), "CELERY_BROKER_URL": rabbitmq_url}
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=env, stderr=subprocess.DEVNULL, start_new_session=True
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        kill(process)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End a process and all that it started, as a power cut does."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def holder(using):
    return Lease.objects.using(using).filter(pk=UPKEEP).values_list("holder", flat=True).first()


def test_a_killed_worker_is_offline_soon_after(using, run):
    worker = run("-m", "celery", "-A", "project", "worker", "-P", "solo", "-n", "killed@host", "-l", "error")
    run("manage.py", "run_event_consumer")
    row = Worker.objects.using(using).filter(pk="killed@host")
    until(lambda: row.filter(online=True, frequency__isnull=False).exists(), "its heartbeats had to come")
    kill(worker)
    until(lambda: row.filter(online=False).exists(), "it had to go offline")
    assert row.get().stopped_at is None, "it never said that it stops"
    jobs = UpkeepJob.objects.using(using).values_list("pk", flat=True)
    until(lambda: set(jobs.all()) == set(JOBS), "every job had to run")


def test_of_two_consumers_one_does_the_upkeep_and_the_other_goes_on_with_it(using, run):
    consumers = {}
    for _ in range(2):
        process = run("manage.py", "run_event_consumer")
        consumers[process.pid] = process
    reports = Consumer.objects.using(using).filter(pid__in=consumers)
    until(lambda: reports.count() == 2, "both had to report")
    until(lambda: holder(using), "one of them had to take the lease")
    first = holder(using)
    process = consumers[reports.get(pk=first).pid]
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    until(lambda: holder(using) not in ("", first), "the other had to go on")


def test_a_consumer_without_upkeep_leaves_it_alone(using, run):
    process = run("manage.py", "run_event_consumer", "--no-upkeep")
    until(lambda: Consumer.objects.using(using).filter(connected=True).exists(), "it had to report")
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    assert holder(using) is None
    assert not UpkeepJob.objects.using(using).exists()
