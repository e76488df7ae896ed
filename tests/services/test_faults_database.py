"""Whatever happens to PostgreSQL, events wait in the broker until it is well, and are then there once."""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.ingest.event_streams import BEGIN, SECOND, event
from tests.services import servers
from tests.services.consuming import Process, Site, eventually
from tests.services.load import Load

pytestmark = pytest.mark.timeout(600)
STORED = "SELECT count(*) FROM monitoring_taskevent"
#: Seconds that a database stays away in these tests.
AWAY = 15


@pytest.fixture
def load(own_site: Site):
    with Load(own_site.broker_url) as load:
        yield load


@pytest.fixture
def consumer(own_site: Site) -> Process:
    consumer = own_site.consumer("--batch-size", "500", "--no-upkeep")
    consumer.until_said("Consuming from")
    return consumer


def finish(site: Site, consumer: Process, load: Load) -> None:
    load.stop()
    consumer.until(lambda: load.is_in(site.database))
    eventually(lambda: site.waiting() == 0)
    assert consumer.terminate() == 0
    assert "Traceback" not in consumer.log
    load.assert_stored(site.database)


def test_nothing_is_lost_when_postgresql_restarts_under_load(own_site, own_postgres, consumer, load):
    load.start()
    for _ in range(2):
        before = own_site.database.value(STORED)
        consumer.until(lambda before=before: own_site.database.value(STORED) > before + 200)
        own_postgres.restart()
    consumer.until_said("could not be written and are kept")
    finish(own_site, consumer, load)


def test_nothing_is_lost_when_postgresql_is_killed_under_load(own_site, own_postgres, consumer, load):
    load.start()
    consumer.until(lambda: own_site.database.value(STORED) > 200)
    own_postgres.kill()
    before = len(load.published)
    consumer.until(lambda: len(load.published) > before + 500)
    own_postgres.start()
    finish(own_site, consumer, load)


def test_while_postgresql_is_away_events_wait_in_the_broker_and_not_in_memory(
    own_site, own_postgres, consumer, load
):
    """Far more than a batch comes meanwhile; the consumer takes its share of it and leaves the rest."""
    load.publish(500)
    consumer.until(lambda: load.is_in(own_site.database))
    own_postgres.stop()
    began = time.monotonic()
    load.publish(1_000)
    consumer.until_said("could not be written and are kept")
    before = consumer.memory()
    while time.monotonic() - began < AWAY or load._tasks < 8_000:
        load.publish(500)
    waiting, after = own_site.waiting(), consumer.memory()
    own_postgres.start()

    # The broker hands out `prefetch` messages; what is behind them waits there.
    assert waiting * 24 > 5_000
    assert after < 1.3 * before, (before, after)
    assert consumer.log.count("Consuming from") == 1, "the connection to the broker was kept"
    finish(own_site, consumer, load)


@contextmanager
def read_only(site: Site, folder: Path) -> Iterator[str]:
    database = site.database
    with database.server() as server:
        server.execute(f"ALTER DATABASE {database.name} SET default_transaction_read_only = on")
        server.execute(CUT_OFF, [database.name])
        yield "read-only transaction"
        server.execute(f"ALTER DATABASE {database.name} RESET default_transaction_read_only")


@contextmanager
def full_disk(site: Site, folder: Path) -> Iterator[str]:
    """A file system of a few megabytes that the day's partition lies on, and something else has filled.

    Only root may mount one. Anybody else's database raises the same error from a trigger.
    """
    database = site.database
    if os.geteuid() != 0:
        with psycopg.connect(database.url) as connection:
            connection.execute(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$"
            )
            connection.execute(
                "CREATE TRIGGER full_disk BEFORE INSERT ON monitoring_task EXECUTE FUNCTION full_disk()"
            )
        yield "No space left on device"
        with psycopg.connect(database.url) as connection:
            connection.execute("DROP FUNCTION full_disk CASCADE")
        return
    disk = Path(tempfile.mkdtemp(prefix="disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True)
    try:
        shutil.chown(disk, "postgres", "postgres")
        with database.server() as server:
            server.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
            with psycopg.connect(database.url) as connection:
                for (table,) in database.rows(PARTITIONS):
                    connection.execute(f"ALTER TABLE {table} SET TABLESPACE small")
            ballast = disk / "ballast"
            with suppress(OSError), ballast.open("wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
            yield "No space left on device"
            ballast.unlink()
            with psycopg.connect(database.url) as connection:
                for (table,) in database.rows(PARTITIONS):
                    connection.execute(f"ALTER TABLE {table} SET TABLESPACE pg_default")
            server.execute("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
        disk.rmdir()


@pytest.mark.parametrize("fault", [read_only, full_disk])
def test_a_database_that_takes_nothing_is_named_nothing_is_acknowledged_and_then_it_goes_on(
    own_site, own_rabbitmq, consumer, load, fault, tmp_path
):
    load.publish(1)
    consumer.until(lambda: load.is_in(own_site.database))
    with fault(own_site, tmp_path) as says:
        stored = own_site.database.value(STORED)
        load.publish(300)
        consumer.until(lambda: consumer.log.count(says) >= 2)
        assert "could not be written and are kept" in consumer.log
        assert own_site.database.value(STORED) == stored
        consumer.until(lambda: unacknowledged(own_site, own_rabbitmq) > 0)
    finish(own_site, consumer, load)


def unacknowledged(site: Site, server: servers.RabbitMQ) -> int:
    """Messages that this site's consumers have been given and not acknowledged."""
    listed = server.control("list_queues", "name", "messages_unacknowledged")
    return next(int(line.split()[1]) for line in listed.splitlines() if line.startswith(site.queue))


def publish_ends(site: Site) -> None:
    site.publish([[event("succeeded", BEGIN + SECOND, task_id=task_id) for task_id in ("a", "b")]])


@pytest.fixture
def two_tasks(own_site: Site, consumer: Process) -> None:
    own_site.publish([[event("started", BEGIN, task_id=task_id) for task_id in ("a", "b")]])
    consumer.until(lambda: len(own_site.database.states()) == 2)


def assert_both_have_ended(site: Site, consumer: Process) -> None:
    consumer.until(lambda: site.database.states() == {"a": "SUCCESS", "b": "SUCCESS"})
    assert site.database.value(STORED) == 4
    assert consumer.terminate() == 0


def test_a_deadlock_with_another_session_is_tried_again(own_site, own_database, consumer, two_tasks):
    """The other waits for its second row already when the consumer begins to: the consumer alone can find out."""
    row = "SELECT 1 FROM monitoring_task WHERE task_id = %s FOR UPDATE"
    with psycopg.connect(own_database.url) as other, psycopg.connect(own_database.url) as third:
        other.execute("SET deadlock_timeout = '1h'")
        other.execute(row, ["b"])
        third.execute(row, ["a"])
        publish_ends(own_site)
        consumer.until(lambda: own_database.value(WAITING_FOR_LOCKS) == 1)
        behind = threading.Thread(target=other.execute, args=(row, ["a"]))
        behind.start()
        consumer.until(lambda: own_database.value(WAITING_FOR_LOCKS) == 2)

        third.rollback()
        consumer.until_said("deadlock detected")
        behind.join()
        other.rollback()

    assert_both_have_ended(own_site, consumer)


def test_a_serialization_failure_is_tried_again(own_site, own_database, consumer, two_tasks):
    with own_database.server() as server:
        server.execute(
            f"ALTER DATABASE {own_database.name} SET default_transaction_isolation = 'repeatable read'"
        )
        server.execute(CUT_OFF, [own_database.name])
    with psycopg.connect(own_database.url) as other:
        other.execute("UPDATE monitoring_task SET retries = retries WHERE task_id = 'a'")
        publish_ends(own_site)
        consumer.until(lambda: own_database.value(WAITING_FOR_LOCKS))
        other.commit()

    consumer.until_said("could not serialize access")
    assert_both_have_ended(own_site, consumer)


CUT_OFF = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
)
WAITING_FOR_LOCKS = (
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')"
)
PARTITIONS = (
    "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'monitoring_taskevent'::regclass"
)
