"""On Redis and Valkey without DurableEvents: one subscriber, that never waits, and a gap for all that is missed."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery

from tests.services import servers
from tests.services.consuming import Postgres, Process, Site, eventually
from tests.services.load import steps

pytestmark = pytest.mark.timeout(600)
STORED = "SELECT count(*) FROM monitoring_taskevent"
GAPS = "SELECT started_at, ended_at, reason FROM monitoring_gap ORDER BY id"
NOW = "SELECT clock_timestamp()"
#: A server that cuts off subscribers which leave more than this unread; by default it is 32 MB.
IMPATIENT = ("--client-output-buffer-limit", "pubsub 1mb 512kb 3")
#: Tasks whose events it would let a subscriber leave unread.
AT_ONCE = 100


@pytest.fixture(scope="module")
def valkey() -> Iterator[servers.Valkey]:
    with servers.Valkey(*IMPATIENT) as server:
        yield server


@pytest.fixture
def database(postgres_database: Postgres) -> Postgres:
    return postgres_database


@pytest.fixture
def site(tmp_path: Path, database: Postgres, valkey: servers.Valkey) -> Iterator[Site]:
    site = Site(tmp_path, database, valkey.url, "celeryev.monitoring")
    site.set(CELERY_APP="tests.services.watched_project.app")
    shorten(site, **{"wiring.TENURE": 4})
    try:
        yield site
    finally:
        site.stop()


def shorten(site: Site, **constants: int) -> None:
    """Change constants of the consumers that start from now on."""
    changed = {f"monitoring.ingest.{path}": value for path, value in constants.items()}
    site.environment["TEST_CONSTANTS"] = json.dumps(changed)


def start(site: Site, *options: str, log: str = "consumer") -> Process:
    consumer = site.consumer("--no-upkeep", *options, log=log)
    consumer.until_said("Consuming from")
    return consumer


def send(site: Site, *tasks: int) -> None:
    """All events of each task in one message, as Celery's own dispatcher sends them."""
    app = Celery("watched", broker=site.broker_url, set_as_current=False)
    with (
        app.connection_for_write() as connection,
        app.events.Dispatcher(connection, hostname="celery@a") as sender,
        redis.Redis.from_url(site.broker_url) as client,
    ):
        for sent, number in enumerate(tasks, 1):
            sender._publish(steps(f"t{number}", number), sender.producer, "task.multi")
            if sent % AT_ONCE == 0:
                # On a busy machine the server may send faster than a subscriber gets to read.
                eventually(lambda: unread(client) == 0)


def until_heard(site: Site, consumer: Process, task: int) -> None:
    """Wait until a task is stored, and until the consumer has reported that it has heard all up to then."""
    consumer.until(lambda: f"t{task}" in site.database.states())
    reported = (
        "SELECT listening_until > newest AND horizon > newest FROM monitoring_consumer,"
        f" (SELECT max(timestamp) AS newest FROM monitoring_taskevent) heard WHERE pid = {consumer.pid}"
    )
    consumer.until(lambda: site.database.value(reported))


def test_the_first_consumer_ever_has_missed_nothing(site, database):
    consumer = start(site)
    send(site, 1)
    until_heard(site, consumer, 1)
    assert consumer.terminate() == 0
    assert database.rows(GAPS) == []


@pytest.mark.parametrize("end", [Process.terminate, Process.kill])
def test_the_time_between_two_consumers_is_a_gap_from_the_end_to_the_beginning(site, database, end):
    first = start(site)
    send(site, 1)
    until_heard(site, first, 1)
    heard = database.value("SELECT max(timestamp) FROM monitoring_taskevent")
    end(first)
    ended = database.value(NOW)
    send(site, 2)

    second = start(site, log="second")
    second.until_said("Gap from")
    began = database.value(NOW)
    send(site, 3)
    until_heard(site, second, 3)

    assert second.terminate() == 0
    assert set(database.states()) == {"t1", "t3"}
    ((started_at, ended_at, reason),) = database.rows(GAPS)
    assert heard < started_at < ended < ended_at <= began
    assert "no consumer was connected" in reason


@pytest.mark.parametrize("end", [Process.terminate, Process.kill])
def test_the_second_consumer_stands_by_and_takes_over(site, database, end):
    shorten(site)  # this one takes the time that it really takes
    first = start(site)
    second = site.consumer("--no-upkeep", log="second")
    second.until_said("standing by")
    send(site, 1)
    until_heard(site, first, 1)

    end(first)
    began = time.monotonic()
    second.until_said("Consuming from")
    print(f"taken over after {time.monotonic() - began:.1f} s")

    send(site, 2)
    until_heard(site, second, 2)
    assert second.terminate() == 0
    assert set(database.states()) == {"t1", "t2"}
    assert len(database.rows(GAPS)) == 1


def test_a_consumer_that_was_frozen_stands_by_when_another_has_taken_over(site, database):
    shorten(site)  # one that is only slow must not lose its turn to the first
    first = start(site)
    send(site, 1)
    until_heard(site, first, 1)
    with first.frozen():
        second = start(site, log="second")
    first.until_said("another consumer has taken over")
    first.until_said("standing by")

    send(site, 2)
    until_heard(site, second, 2)
    assert (first.terminate(), second.terminate()) == (0, 0)
    assert set(database.states()) == {"t1", "t2"}


def test_a_database_that_blocks_does_not_get_the_subscriber_cut_off(site, database):
    """Ten times what the server would let it leave unread."""
    consumer = start(site, "--batch-size", "500")
    send(site, 0)
    consumer.until(database.states)
    with database.locked("monitoring_task"), database.locked("monitoring_lease"):
        send(site, *range(1, 4_000))
        consumer.until(lambda: database.value("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    consumer.until(lambda: database.value(STORED) == 16_000)

    assert consumer.log.count("Consuming from") == 1
    assert consumer.terminate() == 0
    assert database.rows(GAPS) == []


def test_what_the_buffer_has_no_room_for_is_a_gap(site, database):
    shorten(site, **{"buffer.MAX_BYTES": 300_000})
    consumer = start(site, "--batch-size", "100")
    send(site, 0)
    consumer.until(database.states)
    before = database.value(NOW)
    with database.locked("monitoring_task"):
        send(site, *range(1, 500))
        consumer.until_said("messages are dropped")

    consumer.until(lambda: "t499" in database.states())
    consumer.until(lambda: database.rows(GAPS))
    assert consumer.terminate() == 0
    gaps = database.rows(GAPS)
    dropped = sum(int(re.match(r"\d+", reason).group()) for _, _, reason in gaps)
    assert dropped + len(database.states()) == 500
    assert all(before < started_at <= ended_at < database.value(NOW) for started_at, ended_at, _ in gaps)


def test_a_subscriber_that_is_cut_off_keeps_what_it_has_heard(site, database, valkey):
    consumer = start(site, "--batch-size", "100")
    send(site, 0)
    until_heard(site, consumer, 0)
    with database.locked("monitoring_task"):
        send(site, *range(1, 500))
        with redis.Redis.from_url(valkey.url) as client:
            consumer.until(lambda: unread(client) == 0)
            client.client_kill_filter(_type="pubsub")
        consumer.until(lambda: consumer.log.count("Consuming from") == 2)

    send(site, 500)
    consumer.until(lambda: len(database.states()) == 501)
    assert consumer.terminate() == 0
    ((started_at, ended_at, reason),) = database.rows(GAPS)
    assert started_at < ended_at
    assert "no consumer was connected" in reason


def unread(client: redis.Redis) -> int:
    """Bytes that the server holds for its subscribers."""
    return sum(int(each["omem"]) for each in client.client_list(_type="pubsub"))


@pytest.mark.parametrize(
    ("garbage", "fault"),
    [
        ("{}", "KeyError"),
        ("5", "TypeError"),
        ("secret=hunter2", "JSONDecodeError"),
        ("[" * 100_000, "RecursionError"),
        ('{"body": "x", "properties": {"delivery_tag": "x", "body_encoding": "x"}}', "AttributeError"),
    ],
)
def test_what_is_no_message_at_all_is_a_dead_letter_and_no_gap(site, database, valkey, garbage, fault):
    consumer = start(site)
    with redis.Redis.from_url(valkey.url) as client:
        assert client.publish("/0.celeryev/task.sent", garbage) == 1
    send(site, 0)
    until_heard(site, consumer, 0)

    assert consumer.terminate() == 0
    assert database.rows("SELECT reason, size FROM monitoring_deadletter") == [
        (f"could not be read: {fault} in its envelope", len(garbage))
    ]
    assert database.rows(GAPS) == []
    assert consumer.log.count("Consuming from") == 1
    assert "hunter2" not in consumer.log
    assert "Traceback" not in consumer.log


def test_a_server_that_does_not_answer_is_left_and_keeps_no_consumer_from_ending(site, database, valkey):
    """As one whose host has died: the connection stands, nothing comes over it, and nobody may conclude anything."""
    consumer = start(site)
    send(site, 0)
    until_heard(site, consumer, 0)
    horizon = f"SELECT horizon FROM monitoring_consumer WHERE pid = {consumer.pid}"
    with valkey.frozen():
        frozen_at = database.value(NOW)
        consumer.until_said("no sign of life")
        assert database.value(horizon) < frozen_at
    consumer.until(lambda: consumer.log.count("Consuming from") == 2)
    send(site, 1)
    until_heard(site, consumer, 1)
    ((started_at, ended_at, _),) = database.rows(GAPS)
    assert started_at < frozen_at < ended_at

    with valkey.frozen():
        assert consumer.terminate() == 0


def test_drain_subscribes_and_ends_after_the_silence(site, database):
    first = start(site)
    send(site, 0)
    until_heard(site, first, 0)
    assert first.terminate() == 0
    # The gap between the two has to be written before the second may end, however late the event comes.
    with database.locked("monitoring_gap"):
        consumer = start(site, "--drain", "2", log="drain")
        send(site, 1)

    assert consumer.wait() == 0
    assert set(database.states()) == {"t0", "t1"}
