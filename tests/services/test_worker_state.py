"""Workers that are killed, frozen, restarted and confused with each other, as the monitor sees them."""

import json
import secrets as random_secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kombu
import pytest

from monitoring.inspection.kinds import KINDS
from tests.services.careless_app import SECRET
from tests.services.consuming import ROOT, Process, Site, SQLite, eventually
from tests.services.watched_app import sleep

APP = "tests.services.careless_app"
ASK = """
import django, json, sys
django.setup()
from monitoring.inspection.kinds import KINDS
from monitoring.inspection.refresh import refresh
from monitoring.queries.visibility import Visibility
from monitoring.queries.worker_snapshots import snapshot
from monitoring.queries.worker_tasks import tasks_held
from monitoring.queries.workers import online_hostnames, worker
everything = Visibility.everything()
print(json.dumps({expression}))
"""


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path, rabbitmq_url: str
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("state")
    database = SQLite(shutil.copy(migrated_sqlite, folder / "db.sqlite3"))
    site = Site(folder, database, rabbitmq_url, f"celeryev.test-{random_secrets.token_hex(3)}")
    try:
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="module")
def consumer(site: Site) -> Process:
    consumer = site.consumer()
    consumer.until_said("Consuming from")
    return consumer


@pytest.fixture(scope="module", autouse=True)
def twins(site: Site, consumer: Process) -> list[Process]:
    """Two workers that somebody gave one name, from the beginning: it takes two minutes to be sure of it."""
    return [site.worker("-n", "twin@here", "-c", "1", "-P", "threads", app=APP) for _ in range(2)]


@pytest.fixture
def worker(site: Site, consumer: Process, request: pytest.FixtureRequest) -> Iterator[Process]:
    """A worker named after the test, and asked everything."""
    process = start(site, request.node.originalname)
    yield process
    process.kill()


def name_of(test: str) -> str:
    return f"{test.removeprefix('test_')}@here"


def start(site: Site, test: str) -> Process:
    process = site.worker("-n", name_of(test), "-c", "2", app=APP)
    process.until(lambda: of(site, name_of(test), "online"))
    process.until(lambda: len(answered(site, name_of(test))) == len(KINDS))
    return process


def of(site: Site, hostname: str, column: str) -> Any:
    return site.database.value(f"SELECT {column} FROM monitoring_worker WHERE hostname = '{hostname}'")


def answered(site: Site, hostname: str) -> dict[str, Any]:
    rows = site.database.rows(
        "SELECT kind, content FROM monitoring_workersnapshot"
        f" WHERE hostname = '{hostname}' AND answered_at IS NOT NULL"
    )
    return {kind: json.loads(content) if content else None for kind, content in rows}


def ask(site: Site, expression: str) -> Any:
    """What a page would be told: one expression, in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-c", ASK.replace("{expression}", expression)],
        cwd=ROOT,
        env=site.environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def test_killed_worker_is_offline_for_everybody(site: Site, worker: Process, consumer: Process) -> None:
    hostname = name_of("test_killed_worker_is_offline_for_everybody")
    eventually(lambda: hostname in ask(site, "online_hostnames()"))
    worker.kill()
    eventually(lambda: hostname not in ask(site, "online_hostnames()"))
    assert ask(site, f"worker(everything, {hostname!r}).online") is False
    consumer.until(lambda: not of(site, hostname, "online"))
    assert of(site, hostname, "stopped_at") is None, "it could not say goodbye"
    assert ask(site, f"refresh({hostname!r}, KINDS, older_than=0)") == "offline"
    assert len(answered(site, hostname)) == len(KINDS), "what it said is kept"


def test_restarts_are_counted(site: Site, worker: Process, consumer: Process) -> None:
    hostname = name_of("test_restarts_are_counted")
    assert of(site, hostname, "restarts") == 0
    before = of(site, hostname, "started_at"), of(site, hostname, "up_since")
    asked = "SELECT min(asked_at) FROM monitoring_workersnapshot WHERE hostname = '" + hostname + "'"
    was_asked = site.database.value(asked)
    worker.kill()
    again = start(site, "test_restarts_are_counted")
    again.until(lambda: of(site, hostname, "restarts") == 1)
    again.until(lambda: of(site, hostname, "up_since") > before[1])
    assert of(site, hostname, "started_at") > before[0]
    # Whatever was said of the process before is asked again, however seldom it is asked of one.
    again.until(lambda: site.database.value(asked) > was_asked)
    again.terminate()
    consumer.until(lambda: of(site, hostname, "stopped_at"))
    assert not of(site, hostname, "online")


def test_frozen_worker_keeps_what_it_said(site: Site, worker: Process) -> None:
    hostname = name_of("test_frozen_worker_keeps_what_it_said")
    stats = f"snapshot(everything, {hostname!r}, 'stats')"
    said = f"[str({stats}.answered_at), {stats}.content]"
    refreshed = f"refresh({hostname!r}, ['stats'], older_than=0)"
    eventually(lambda: ask(site, refreshed) == "done")
    with worker.frozen():
        # Now, since upkeep asks it too.
        before = ask(site, said)
        eventually(lambda: ask(site, refreshed) in ("not answered", "offline"))
        answered_at, content = ask(site, said)
        assert answered_at == before[0]
        assert content["pid"] == worker.pid
    # A question of upkeep that was not answered meanwhile may be noted after an answer to another one.
    eventually(lambda: ask(site, refreshed) == "done" and ask(site, f"{stats}.problem") == "")
    assert ask(site, said)[0] > before[0]


def test_running_tasks_are_listed_and_samples_are_taken(
    site: Site, worker: Process, consumer: Process
) -> None:
    hostname = name_of("test_running_tasks_are_listed_and_samples_are_taken")
    with kombu.Connection(site.broker_url) as connection:
        ids = [sleep.apply_async((600,), connection=connection, retry=False).id for _ in range(10)]
    held = f"[t.task_id for t in tasks_held(everything, {hostname!r}, 'active', with_payload=True).tasks]"

    def runs_some() -> bool:
        refreshed = ask(site, f"refresh({hostname!r}, ['active'], older_than=0)")
        return refreshed == "done" and len(ask(site, held)) == 2

    # The twins take tasks from the same queue: one each that they run, and one that they keep.
    eventually(runs_some)
    assert set(ask(site, held)) < set(ids)
    mine = f"FROM monitoring_workersample WHERE hostname = '{hostname}'"
    consumer.until(lambda: site.database.value(f"SELECT sum(events) {mine}"))
    consumer.until(lambda: site.database.value(f"SELECT max(most_active) {mine}") == 2)
    skew = site.database.value(f"SELECT min(clock_skew) {mine}")
    assert -1 < skew < 30, "one host has one clock"


def test_no_secret_of_a_configuration_is_in_any_byte_of_the_database(site: Site, worker: Process) -> None:
    hostname = name_of("test_no_secret_of_a_configuration_is_in_any_byte_of_the_database")
    found = answered(site, hostname)
    assert found["stats"]["broker"]["transport_options"]["sentinel_kwargs"] == {"password": "[redacted]"}
    assert "[redacted]" in found["conf"]["cache_backend"] or "********" in found["conf"]["cache_backend"]
    assert "sync" in found["conf"]["beat_schedule"]
    assert "celery:" in found["report"]["ok"]
    files = {path.name: path.read_bytes() for path in site.folder.glob("db.sqlite3*")}
    for name, content in files.items():
        assert SECRET.encode() not in content, name


def test_two_workers_of_one_name_are_noticed(site: Site, twins: list[Process], consumer: Process) -> None:
    consumer.until(lambda: of(site, "twin@here", "duplicate_pids"))
    assert json.loads(of(site, "twin@here", "duplicate_pids")) == sorted(twin.pid for twin in twins)


def test_the_consumer_had_nothing_to_complain_about(consumer: Process) -> None:
    assert "Traceback" not in consumer.log
    assert "could not be inspected" not in consumer.log
