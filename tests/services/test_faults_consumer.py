"""A consumer that is killed, frozen, or comes and goes, at whatever stage of a batch, loses nothing."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.services.consuming import Postgres, Process, Site, eventually
from tests.services.load import Load

pytestmark = pytest.mark.timeout(600)
STORED = "SELECT count(*) FROM monitoring_taskevent"
WAITING_FOR_LOCKS = "SELECT count(*) FROM pg_locks WHERE NOT granted"
#: Of the one consumer: its loop has not come round for longer than it takes from one question to the next.
STANDS_STILL = "SELECT reported_at - listening_until > interval '7 seconds' FROM monitoring_consumer"


@pytest.fixture
def load(own_site: Site):
    with Load(own_site.broker_url) as load:
        yield load


def start(site: Site, *options: str, log: str = "consumer") -> Process:
    consumer = site.consumer("--no-upkeep", *options, log=log)
    consumer.until_said("Consuming from")
    return consumer


@contextmanager
def held_at_commit(database: Postgres) -> Iterator[Callable[[], object]]:
    """All is written, and the transaction waits at its very end, until what this yields is called."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NULL; END $$"
        )
        connection.execute(
            "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON monitoring_eventdelta"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()"
        )
        connection.execute("SELECT pg_advisory_lock(7)")
        yield lambda: connection.execute("SELECT pg_advisory_unlock(7)")


@contextmanager
def held_before_tasks(database: Postgres) -> Iterator[None]:
    """Everything has been copied into the staging tables, nothing is merged."""
    with database.locked("monitoring_task"):
        yield


@contextmanager
def held_before_events(database: Postgres) -> Iterator[None]:
    """The tasks are written, the log is not."""
    with database.locked("monitoring_taskevent"):
        yield


@contextmanager
def held_before_counts(database: Postgres) -> Iterator[None]:
    """Tasks and log are written, the counts are not."""
    with database.locked("monitoring_eventdelta"):
        yield


def test_a_consumer_killed_while_it_reads_loses_nothing(own_site, load):
    consumer = start(own_site, "--batch-seconds", "3600", "--batch-size", "100000")
    load.publish(300)
    consumer.until(lambda: own_site.waiting() == 0)
    assert own_site.database.value(STORED) == 0
    consumer.kill()

    own_site.drain(0.5)
    load.assert_stored(own_site.database)


@pytest.mark.parametrize("held", [held_before_tasks, held_before_events, held_before_counts, held_at_commit])
def test_a_consumer_killed_while_it_writes_loses_nothing(own_site, own_database, load, held):
    consumer = start(own_site)
    with held(own_database):
        load.publish(300)
        consumer.until(lambda: own_database.value(WAITING_FOR_LOCKS))
        consumer.kill()
        assert own_database.value(STORED) == 0

    own_site.drain(0.5)
    load.assert_stored(own_database)


def test_a_consumer_killed_between_commit_and_acknowledgement_changes_nothing_the_second_time(
    own_site, own_database, own_rabbitmq, load
):
    """The broker stands still, so that the consumer waits for its answer while its batch is committed."""
    consumer = start(own_site)
    with held_at_commit(own_database) as release:
        load.publish(300)
        consumer.until(lambda: own_database.value(WAITING_FOR_LOCKS))
        with own_rabbitmq.frozen():
            # It asks for the length of the queue every five seconds, and then waits for the answer.
            consumer.until(lambda: own_database.value(STANDS_STILL))
            release()
            consumer.until(lambda: load.is_in(own_database))
            consumer.kill()

    said = own_site.drain(0.5)
    load.assert_stored(own_database)
    again = own_database.value("SELECT events FROM monitoring_consumer ORDER BY started_at DESC LIMIT 1")
    assert again > 0, said


def test_a_consumer_frozen_for_a_while_goes_on(own_site, load):
    consumer = start(own_site, "--batch-size", "200")
    load.start()
    consumer.until(lambda: own_site.database.value(STORED) > 200)
    with consumer.frozen():
        before = len(load.published)
        eventually(lambda: len(load.published) > before + 500)
    load.stop()

    consumer.until(lambda: load.is_in(own_site.database))
    assert consumer.terminate() == 0
    load.assert_stored(own_site.database)


def test_consumers_that_come_and_go_at_random_lose_nothing_and_store_nothing_twice(own_site, load):
    chance = random.Random()
    consumers = [start(own_site, "--batch-size", "100", log=f"consumer{n}") for n in range(2)]
    load.start()
    for turn in range(6):
        which = chance.randrange(2)
        before = own_site.database.value(STORED)
        if chance.random() < 0.5:
            consumers[which].kill()
        else:
            assert consumers[which].terminate() == 0
        consumers[which] = start(own_site, "--batch-size", "100", log=f"again{turn}")
        eventually(lambda before=before: own_site.database.value(STORED) > before)
        time.sleep(chance.random() / 2)
    load.stop()

    eventually(lambda: load.is_in(own_site.database))
    for consumer in consumers:
        assert consumer.terminate() == 0
        assert "Traceback" not in consumer.log
    load.assert_stored(own_site.database)


def test_a_lone_event_is_visible_soon(own_site, load):
    """The aim is half a second. What the consumer itself waits is asserted in tests/ingest/test_consumer.py, by its own
    clock; how long broker, database and machine take is only printed here.
    """
    consumer = start(own_site)
    took = []
    for _ in range(5):
        began = time.monotonic()
        load.publish(1)
        consumer.until(lambda: load.is_in(own_site.database))
        took.append(time.monotonic() - began)
    print("seconds until a task's events are visible:", *(f"{seconds:.2f}" for seconds in took))
    assert consumer.terminate() == 0
