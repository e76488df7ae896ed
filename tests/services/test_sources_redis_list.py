"""With DurableEvents nothing is lost on Redis or Valkey, and nothing of the watched app is touched."""

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery

from monitoring.ingest.sources.contract import SourceOptions
from monitoring.ingest.sources.redis_list import RedisListSource
from tests.services import servers
from tests.services.consuming import Process, Site, SQLite, eventually

pytestmark = pytest.mark.timeout(600)
QUEUE = "celeryev.monitoring"
DURABLE = "monitoring.celery:DurableEvents"
KINDS = ("task-received", "task-started", "task-succeeded")


@pytest.fixture(scope="module")
def valkey() -> Iterator[servers.Valkey]:
    with servers.Valkey() as server:
        yield server


@pytest.fixture
def client(valkey: servers.Valkey) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey.url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
def site(
    tmp_path: Path, sqlite_database: SQLite, valkey: servers.Valkey, client: redis.Redis
) -> Iterator[Site]:
    site = Site(tmp_path, sqlite_database, valkey.url, QUEUE)
    site.environment["WATCHED_EVENTS"] = DURABLE
    site.set(CELERY_APP="tests.services.watched_project.app")
    try:
        yield site
    finally:
        site.stop()


def deliver_again_after(site: Site, seconds: int) -> None:
    constants = {"monitoring.ingest.sources.redis_list.LIFE": seconds}
    site.environment["TEST_CONSTANTS"] = json.dumps(constants)


def start(site: Site, *options: str, log: str = "consumer") -> Process:
    consumer = site.consumer("--no-upkeep", *options, log=log)
    consumer.until_said("Consuming from")
    return consumer


def watched(url: str, **options: Any) -> Celery:
    app = Celery("watched", broker=url, events=DURABLE, set_as_current=False)
    app.conf.broker_transport_options = options
    return app


def send(app: Celery, tasks: range) -> None:
    """The events of so many tasks, as a process of the watched app sends them."""
    with (
        app.connection_for_write() as connection,
        app.events.Dispatcher(connection, hostname="celery@a") as sender,
    ):
        for number in tasks:
            for kind in KINDS:
                sender.send(kind, uuid=f"t{number}", name="shop.pay", retries=0, result="1", runtime=0.1)


def assert_stored(site: Site, tasks: range) -> None:
    stored = site.database.rows("SELECT task_id, type FROM monitoring_taskevent")
    expected = [(f"t{number}", kind) for number in tasks for kind in KINDS]
    assert sorted(stored) == sorted(expected)
    assert site.database.states() == {f"t{number}": "SUCCESS" for number in tasks}


@contextmanager
def opened(url: str, prefetch: int = 10) -> Iterator[tuple[RedisListSource, list[Any]]]:
    """A source that is read in this process, and the messages that it delivers."""
    messages: list[Any] = []
    source = RedisListSource(watched(url), SourceOptions(QUEUE, 10, 1_000, prefetch))
    source.open(messages.append)
    try:
        yield source, messages
    finally:
        source.close()


def stored(site: Site) -> int:
    return int(site.database.value("SELECT count(*) FROM monitoring_taskevent"))


def test_what_is_sent_while_no_consumer_runs_waits_for_it(site):
    send(watched(site.broker_url), range(100))

    site.drain(1)

    assert_stored(site, range(100))
    assert site.database.value("SELECT count(*) FROM monitoring_gap") == 0


def test_what_a_killed_consumer_held_is_delivered_again(site, client):
    send(watched(site.broker_url), range(50))
    deliver_again_after(site, 2)
    first = start(site, "--batch-seconds", "3600")
    first.until(lambda: client.hlen(f"{QUEUE}.unacked") == 150)
    first.kill()

    second = start(site, log="second")
    second.until(lambda: stored(site) == 150)

    second.until(lambda: client.hlen(f"{QUEUE}.unacked") == 0)
    assert second.terminate() == 0
    assert_stored(site, range(50))


def test_nothing_is_lost_by_consumers_that_are_killed_at_any_moment(site, client):
    """Also between what the server does and what the consumer knows of it."""
    app, is_over = watched(site.broker_url), threading.Event()
    sent: list[int] = []

    def shop() -> None:
        while not is_over.wait(0.005):
            send(app, range(len(sent), len(sent) + 1))
            sent.append(1)

    deliver_again_after(site, 2)
    shopping = threading.Thread(target=shop)
    shopping.start()
    try:
        for number in range(4):
            consumer = start(site, log=f"killed-{number}")
            before = stored(site)
            consumer.until(lambda before=before: stored(site) > before)
            time.sleep(random.random())
            consumer.kill()
    finally:
        is_over.set()
        shopping.join()
    site.drain(1)

    assert_stored(site, range(len(sent)))


def test_a_message_is_in_the_list_or_held_by_somebody_at_every_moment(valkey, client):
    """Taken by the server for a consumer that never hears of it."""
    send(watched(valkey.url), range(1))
    first = RedisListSource(watched(valkey.url), SourceOptions(QUEUE, 10, 1_000, prefetch=10))
    first.open(lambda message: None)
    first._on_message = dies
    with pytest.raises(KeyboardInterrupt):
        first.read(0.1)
    first.connection.release()
    assert client.llen(QUEUE) == 0

    client.zadd(f"{QUEUE}.consumers", dict.fromkeys(client.zrange(f"{QUEUE}.consumers", 0, -1), 0))
    with opened(valkey.url) as (second, messages):
        assert not second.is_empty()
        second.read(0.1)
        assert [json.loads(message.body)["type"] for message in messages] == list(KINDS)
        second.acknowledge([message.delivery_tag for message in messages])
        assert second.is_empty()
        assert client.zcard(f"{QUEUE}.unacked_index") == client.hlen(f"{QUEUE}.unacked") == 0
        assert client.zcard(f"{QUEUE}.consumers") == 1


def dies(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_an_answer_that_was_lost_on_its_way_is_given_again(valkey, client):
    """As a client does that asks once more by itself where a connection broke."""
    send(watched(valkey.url), range(2))
    with opened(valkey.url) as (source, messages):
        take = source._take
        source._take = lambda *call: take(*call) and take(*call)
        source.read(0.1)
    assert len(messages) == 6
    assert len({message.delivery_tag for message in messages}) == 6


def test_no_more_is_taken_than_may_be_held(valkey, client):
    send(watched(valkey.url), range(5))
    with opened(valkey.url, prefetch=4) as (source, messages):
        assert source.read(0.1)
        assert not source.read(0.01)
        assert len(messages) == 4
        source.acknowledge([message.delivery_tag for message in messages[:3]])
        assert source.read(0.1)
        assert len(messages) == 7


def test_a_drain_waits_for_what_a_killed_consumer_held(site, client):
    send(watched(site.broker_url), range(20))
    deliver_again_after(site, 4)
    first = start(site, "--batch-seconds", "3600")
    first.until(lambda: client.hlen(f"{QUEUE}.unacked") == 60)
    first.kill()

    site.drain(1)

    assert_stored(site, range(20))


def test_the_horizon_waits_for_what_a_killed_consumer_held(site, client):
    """Until it is delivered again nobody may conclude that it did not happen."""
    app = watched(site.broker_url)
    send(app, range(1))
    deliver_again_after(site, 5)
    first = start(site, "--batch-seconds", "3600")
    first.until(lambda: client.hlen(f"{QUEUE}.unacked") == 3)
    first.kill()
    delivered_at = min(score for _, score in client.zrange(f"{QUEUE}.unacked_index", 0, -1, withscores=True))

    second = start(site, log="second")
    horizon = (
        f"SELECT (julianday(horizon) - 2440587.5) * 86400 FROM monitoring_consumer WHERE pid = {second.pid}"
    )
    while stored(site) == 0:
        before = site.database.value(horizon)
        assert stored(site) or before is None or before < delivered_at

    second.until(lambda: (site.database.value(horizon) or 0) > delivered_at)
    assert_stored(site, range(1))


def test_the_horizon_waits_for_what_a_killed_consumer_held_whatever_else_arrives(site, client):
    app = watched(site.broker_url)
    send(app, range(1))
    deliver_again_after(site, 5)
    first = start(site, "--batch-seconds", "3600")
    first.until(lambda: client.hlen(f"{QUEUE}.unacked") == 3)
    first.kill()
    delivered_at = min(score for _, score in client.zrange(f"{QUEUE}.unacked_index", 0, -1, withscores=True))
    is_stored = "SELECT count(*) FROM monitoring_task WHERE task_id = 't0'"

    second = start(site, log="second")
    horizon = (
        f"SELECT (julianday(horizon) - 2440587.5) * 86400 FROM monitoring_consumer WHERE pid = {second.pid}"
    )
    number = 1
    while not site.database.value(is_stored):
        send(app, range(number, number + 1))
        number += 1
        before = site.database.value(horizon)
        assert site.database.value(is_stored) or before is None or before < delivered_at + 0.1

    second.until(lambda: (site.database.value(horizon) or 0) > delivered_at + 1)
    second.until(lambda: stored(site) == 3 * number)
    assert_stored(site, range(number))


NO_MESSAGES: list[tuple[str | bytes, str]] = [
    (b"", "JSONDecodeError"),
    (b"garbage", "JSONDecodeError"),
    (b"\xff\xfe", "UnicodeDecodeError"),
    (b"[" * 100_000, "RecursionError"),
    (b"{}", "KeyError"),
    (b"5", "TypeError"),
    (b"[1]", "TypeError"),
    (b'{"body": "e30="}', "KeyError"),
    (b'{"properties": {"delivery_tag": "1"}}', "TypeError"),
    (b'{"body": 1000000000000, "properties": {"delivery_tag": "1"}}', "TypeError"),
    (b'{"body": "e30=", "properties": {"delivery_tag": "1", "body_encoding": "rot13"}}', "AttributeError"),
    (b'{"body": "e30", "properties": {"delivery_tag": "1", "body_encoding": "base64"}}', "Error"),
    (b'{"body": "e30=", "properties": {"delivery_tag": "1", "delivery_info": "x"}}', "TypeError"),
    (b'{"body": "e30=", "headers": [1], "properties": {"delivery_tag": "1"}}', "AttributeError"),
    (b'{"body": "e30=", "headers": {"__type__": 1, "__value__": 1}, "properties": {}}', "ValueError"),
]


def test_what_is_no_message_is_a_dead_letter_and_nothing_around_it_is_lost(site, client):
    for number, (content, _) in enumerate(NO_MESSAGES):
        client.lpush(QUEUE, content)
        send(watched(site.broker_url), range(number, number + 1))

    said = site.drain(2)

    assert site.database.rows("SELECT reason, size FROM monitoring_deadletter ORDER BY id") == [
        (f"could not be read: {fault} in its envelope", len(content)) for content, fault in NO_MESSAGES
    ]
    assert_stored(site, range(len(NO_MESSAGES)))
    assert said.count("Consuming from") == 1
    assert "Traceback" not in said
    assert client.exists(QUEUE, f"{QUEUE}.unacked", f"{QUEUE}.unacked_index") == 0


def test_what_is_delivered_again_says_so(valkey, client):
    """A dead letter of it may be stored already."""
    app = watched(valkey.url)
    send(app, range(1))
    said: list[bool] = []
    for deliveries in (1, 2):
        source = RedisListSource(app, SourceOptions(QUEUE, 10, 1_000, prefetch=1))
        source.open(lambda message: said.append(message.delivery_info.get("redelivered", False)))
        try:
            eventually(lambda source=source, n=deliveries: not source.read(0.1) and len(said) >= n)
        finally:
            source.close()
    assert said == [False, True]


def test_what_waits_and_what_is_under_way_survives_a_restart_of_the_server(site, valkey, client):
    deliver_again_after(site, 2)
    app = watched(site.broker_url)
    consumer = start(site)
    send(app, range(20))
    consumer.until(lambda: stored(site) == 60)

    valkey.kill()
    consumer.until_said("Next try in")
    valkey.start()
    send(app, range(20, 40))

    consumer.until(lambda: stored(site) == 120)
    assert consumer.terminate() == 0
    assert "Traceback" not in consumer.log
    assert_stored(site, range(40))


def test_a_server_that_does_not_answer_is_left_and_keeps_no_consumer_from_ending(site, valkey):
    """As one whose host has died: the connection stands, and nothing comes over it."""
    consumer = start(site)
    with valkey.frozen():
        consumer.until_said("Next try in")
    send(watched(site.broker_url), range(10))
    consumer.until(lambda: stored(site) == 30)

    with valkey.frozen():
        assert consumer.terminate() == 0
    assert_stored(site, range(10))


def test_what_is_sent_while_the_server_is_away_is_kept_once_and_sent_when_it_is_back(site, valkey, client):
    app = watched(site.broker_url)
    fields = {"uuid": "t0", "name": "shop.pay", "retries": 0, "result": "1", "runtime": 0.1}
    with (
        app.connection_for_write() as connection,
        app.events.Dispatcher(connection, hostname="celery@a") as sender,
    ):
        sender.send("task-received", **fields)
        valkey.kill()
        sender.send("task-started", **fields)
        sender.send("task-succeeded", **fields)
        sender.flush()
        assert len(sender._outbound_buffer) == 2
        valkey.start()
        sender.flush()
        assert len(sender._outbound_buffer) == 0
    assert client.llen(QUEUE) == 3

    site.drain(1)

    assert_stored(site, range(1))


def test_the_publisher_keeps_the_list_at_its_greatest_length_and_the_loss_is_a_gap(site, client, settings):
    settings.MONITORING = {**settings.MONITORING, "QUEUE_MAX_LENGTH": 50}
    site.set(QUEUE_MAX_LENGTH=50)
    app = watched(site.broker_url)
    send(app, range(67))  # 201 messages; the list is cut with the first of each hundred

    assert client.llen(QUEUE) == 50
    site.drain(1)

    newest = sorted(f"t{number}" for number in range(50, 67))
    assert set(newest) <= set(site.database.states())
    assert stored(site) == 50
    (reason,) = site.database.rows("SELECT reason FROM monitoring_gap")[0]
    assert "cap" in reason


def test_a_key_prefix_of_the_whole_database_is_kept_to(site, client, settings):
    settings.MONITORING = {**settings.MONITORING, "QUEUE_MAX_LENGTH": 100}
    site.set(CELERY_BROKER_TRANSPORT_OPTIONS={"global_keyprefix": "shop."}, QUEUE_MAX_LENGTH=100)
    deliver_again_after(site, 2)
    send(watched(site.broker_url, global_keyprefix="shop."), range(30))
    consumer = start(site, "--batch-seconds", "3600")
    consumer.until(lambda: client.hlen(f"shop.{QUEUE}.unacked") == 90)
    consumer.kill()
    assert all(key.startswith("shop.") for key in client.scan_iter())

    second = start(site, log="second")
    second.until(lambda: stored(site) == 90)
    second.until(lambda: client.hlen(f"shop.{QUEUE}.unacked") == 0)
    assert_stored(site, range(30))


def test_events_still_go_to_every_subscriber(site, client):
    """Gossip and Flower live on them."""
    app = watched(site.broker_url)
    seen: list[dict[str, Any]] = []
    with app.connection_for_read() as connection:

        def see(event: dict[str, Any]) -> None:
            seen.append(event)
            receiver.should_stop = len(seen) == len(KINDS)

        receiver = app.events.Receiver(connection, handlers={"*": see})
        capture = threading.Thread(target=lambda: receiver.capture(timeout=60, wakeup=False))
        capture.start()
        eventually(lambda: client.pubsub_numpat() or client.pubsub_channels())
        send(app, range(1))
        capture.join()

    assert [event["type"] for event in seen] == list(KINDS)


def test_long_and_postponed_tasks_of_the_watched_app_run_once_beside_a_short_visibility_timeout(
    site, tmp_path
):
    deliver_again_after(site, 1)
    runs = tmp_path / "runs"
    site.environment |= {"RUNS": str(runs), "CELERY_BROKER_URL": site.broker_url}
    from tests.services import watched_project

    consumer = start(site)
    worker = site.worker("-P", "threads", "-c", "2", "-E", app="tests.services.watched_project")
    app = watched(site.broker_url)
    slow = app.send_task(watched_project.slow.name, args=(8,), ignore_result=True)
    later = app.send_task(watched_project.later.name, countdown=8, ignore_result=True)

    consumer.until(lambda: site.database.states() == {slow.id: "SUCCESS", later.id: "SUCCESS"})

    assert sorted(runs.read_text().split()) == ["later", "slow"]
    kinds = site.database.rows(f"SELECT type FROM monitoring_taskevent WHERE task_id = '{slow.id}'")
    assert sorted(kinds) == [("task-received",), ("task-started",), ("task-succeeded",)]
    assert worker.terminate() == 0
    assert consumer.terminate() == 0
