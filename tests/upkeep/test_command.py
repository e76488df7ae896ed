"""`manage.py monitoring_upkeep`, as it is run by hand."""

import os
import signal
import subprocess
import sys
import time

import pytest

from monitoring.models import Lease, UpkeepJob
from monitoring.upkeep.lease import UPKEEP
from monitoring.upkeep.runner import Upkeep
from monitoring.upkeep.schedule import JOBS
from tests.services.servers import Postgres
from tests.upkeep.conftest import PATIENCE, ROOT, database_url, environment, until

COMMAND = [sys.executable, "manage.py"]


def manage(url, *arguments):
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=environment(url),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def upkeep(using, *arguments):
    return manage(database_url(using), "monitoring_upkeep", *arguments)


def started(using):
    return set(UpkeepJob.objects.using(using).filter(started_at__isnull=False).values_list("pk", flat=True))


def test_once_runs_every_job_and_gives_the_lease_back(using):
    done = upkeep(using, "--once")
    assert done.returncode == 0, done.stderr
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == list(JOBS)
    assert started(using) == set(JOBS)
    assert Lease.objects.using(using).get(pk=UPKEEP).holder == ""


def test_once_only_one_job_runs_that_one(using):
    done = upkeep(using, "--once", "--only", "trim")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "trim: Consumers forgotten: 0; feed entries: 0; samples of workers: 0.\n"
    assert started(using) == {"trim"}


def test_an_unknown_job_is_an_error_that_names_the_jobs(using):
    done = upkeep(using, "--once", "--only", "sweep")
    assert done.returncode != 0
    assert "There is no upkeep job 'sweep'. The jobs are: " + ", ".join(JOBS) in done.stderr


def test_once_lets_the_process_that_does_the_upkeep_do_it(using):
    holder = Upkeep(using, "holder", renewal=0.2)
    holder.start()
    try:
        until(lambda: started(using) == set(JOBS), "every job had to run")
        before = UpkeepJob.objects.using(using).get(pk="trim").started_at
        done = upkeep(using, "--once", "--only", "trim")
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [
            "holder does the upkeep: asking it to run trim.",
            "trim: Consumers forgotten: 0; feed entries: 0; samples of workers: 0.",
        ]
        assert UpkeepJob.objects.using(using).get(pk="trim").started_at > before
    finally:
        holder.stop()


def test_a_job_that_fails_makes_the_command_fail(using):
    # What it fails at: a table that is not there.
    from django.db import connections

    with connections[using].cursor() as cursor:
        cursor.execute("ALTER TABLE monitoring_consumer RENAME TO monitoring_consumer_gone")
        try:
            done = upkeep(using, "--once")
        finally:
            cursor.execute("ALTER TABLE monitoring_consumer_gone RENAME TO monitoring_consumer")
    assert done.returncode != 0
    assert "trim: FAILED: " in done.stdout
    assert "counts: Folded: 0" in done.stdout, "the others run all the same"
    assert "Failed: workers, inspection, queues, schedules, trim." in done.stderr


def test_for_ever_ends_at_a_signal_and_gives_the_lease_back(using):
    process = subprocess.Popen(
        [*COMMAND, "monitoring_upkeep"],
        cwd=ROOT,
        env=environment(database_url(using)),
        stderr=subprocess.PIPE,
    )
    try:
        until(lambda: started(using) == set(JOBS), "every job had to run")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
        assert Lease.objects.using(using).get(pk=UPKEEP).holder == ""
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("stop", ["stop", "kill"])
def test_it_goes_on_after_the_database_was_away(stop):
    import psycopg

    with Postgres() as server:
        url = server.url
        assert manage(url, "migrate", "-v0").returncode == 0
        process = subprocess.Popen(
            [*COMMAND, "monitoring_upkeep"], cwd=ROOT, env=environment(url), stderr=subprocess.DEVNULL
        )

        def runs_since(moment):
            with psycopg.connect(url) as connection:
                query = "SELECT count(*) FROM monitoring_upkeepjob WHERE name = 'workers' AND succeeded"
                found = connection.execute(f"{query} AND finished_at > to_timestamp(%s)", [moment]).fetchone()
            return found is not None and found[0]

        try:
            until(lambda: runs_since(0), "it had to run")
            getattr(server, stop)()
            time.sleep(3)  # long enough for several of its looks to fail
            server.start()
            restarted = time.time()
            until(lambda: runs_since(restarted), "it had to go on")
            assert process.poll() is None
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
