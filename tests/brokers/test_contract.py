"""One contract for every adapter, against the real servers: figures are compared with the servers' own tools."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

import celery
import kombu
import pytest
import redis

from monitoring.brokers import BrokerAdapter, BrokerUnavailable, adapter_for
from monitoring.brokers import redis as adapters
from monitoring.control.connecting import ConnectionLost
from tests.conftest import rabbitmqctl
from tests.services import found, servers
from tests.services.consuming import eventually
from tests.services.test_sources_sentinel import MASTER, Sentinel

SECONDS = 10.0
#: Priorities of Redis's sub-lists (kombu's default steps), and of nothing else.
STEPS = (0, 3, 6, 9)


@dataclass
class Case:
    """A broker, and what its own tool says of a queue: ready and unacknowledged messages."""

    app: celery.Celery
    truth: Callable[[str], tuple[int, int]]
    names: list[str] = field(default_factory=list)

    @property
    def adapter(self) -> BrokerAdapter:
        return adapter_for(self.app)

    def queue(self, name: str = "") -> str:
        """A new queue, empty, deleted at the end."""
        name = name or f"jobs-{time.monotonic_ns()}"
        with self.app.connection_for_write() as connection:
            kombu.Queue(name, kombu.Exchange(name), name)(connection.default_channel).declare()
        self.names.append(name)
        return name

    def send(self, name: str, count: int = 1, priority: int = 0, task_id: str = "") -> None:
        for number in range(count):
            self.app.send_task(
                "shop.pay",
                ("secret", number),
                queue=kombu.Queue(name, kombu.Exchange(name), name),
                priority=priority,
                **({"task_id": task_id} if task_id else {}),
            )

    def take(self, name: str, count: int) -> kombu.Connection:
        """Take messages and do not acknowledge them, until the connection is closed."""
        connection = self.app.connection_for_read()
        queue = kombu.Queue(name, kombu.Exchange(name), name)(connection.default_channel)
        for _ in range(count):
            assert queue.get(no_ack=False) is not None
        return connection


def make_app(url: str, **options: object) -> celery.Celery:
    app = celery.Celery("brokers", broker=url, set_as_current=False)
    if url.startswith("amqp"):
        # Else a message that was sent may come to its queue after somebody has looked there over another connection.
        options["confirm_publish"] = True
    app.conf.update(broker_transport_options=options, task_default_queue="celery", broker_pool_limit=1)
    return app


@pytest.fixture(scope="module")
def managed() -> Iterator[servers.RabbitMQ]:
    """A RabbitMQ with its management plugin."""
    with servers.RabbitMQ("rabbitmq_management") as server:
        yield server


@pytest.fixture(scope="module")
def own_valkey() -> Iterator[servers.Valkey]:
    with servers.Valkey() as server:
        yield server


@pytest.fixture(scope="module")
def sentinel(own_valkey: servers.Valkey) -> Iterator[Sentinel]:
    with Sentinel(own_valkey) as server:
        yield server


KINDS = ["rabbitmq", "rabbitmq with management", "redis", "redis with a prefix", "valkey", "sentinel"]


@pytest.fixture(params=KINDS)
def case(request: pytest.FixtureRequest, settings: object) -> Iterator[Case]:
    kind = request.param
    settings.MONITORING = {**settings.MONITORING, "RABBITMQ_API_URL": ""}  # type: ignore[attr-defined]
    if kind == "rabbitmq":
        url = request.getfixturevalue("rabbitmq_url")
        vhost = url.rpartition("/")[2]
        made = Case(make_app(url), lambda name: _rabbitmq(name, vhost))
    elif kind == "rabbitmq with management":
        server = request.getfixturevalue("managed")
        api = f"http://guest:guest@{found.HOST}:{server.api_port}"
        settings.MONITORING = {**settings.MONITORING, "RABBITMQ_API_URL": api}  # type: ignore[attr-defined]
        made = Case(make_app(server.url), lambda name: _row(server.control(*_LIST), name))
    else:
        server = request.getfixturevalue("redis_url" if "redis" in kind else "own_valkey")
        url = server if isinstance(server, str) else server.url
        prefix = "shop:" if "prefix" in kind else ""
        options = {"global_keyprefix": prefix} if prefix else {}
        if kind == "sentinel":
            app = make_app(request.getfixturevalue("sentinel").url, master_name=MASTER)
        else:
            app = make_app(url, **options)
        made = Case(app, _Redis(url, prefix))
    try:
        yield made
    finally:
        with made.app.connection_for_write() as connection:
            for name in made.names:
                connection.default_channel.queue_delete(name)
        made.app.close()


_LIST = ("list_queues", "name", "messages_ready", "messages_unacknowledged", "--formatter", "json")


def _rabbitmq(name: str, vhost: str) -> tuple[int, int]:
    import subprocess

    run = subprocess.run(
        ["rabbitmqctl", "--quiet", "-p", vhost, *_LIST], check=True, capture_output=True, text=True
    )
    return _row(run.stdout, name)


def _row(listed: str, name: str) -> tuple[int, int]:
    [row] = [row for row in json.loads(listed) if row["name"] == name]
    return row["messages_ready"], row["messages_unacknowledged"]


@dataclass
class _Redis:
    """What ``redis-cli`` would print."""

    url: str
    prefix: str

    def __call__(self, name: str) -> tuple[int, int]:
        with redis.Redis.from_url(self.url) as client:
            keys = [self.prefix + name + (f"\x06\x16{step}" if step else "") for step in STEPS]
            unacked = [json.loads(value) for value in client.hvals(f"{self.prefix}unacked")]
            return sum(client.llen(key) for key in keys), sum(row[2] == name for row in unacked)


def test_figures_are_those_of_the_servers_own_tools(case: Case) -> None:
    """Random loads: ten on each of the six, with priorities and with messages that somebody holds."""
    chance = random.Random(11)
    loads = {}
    held = []
    try:
        for _ in range(10):
            name, sent = case.queue(), 0
            for priority in chance.sample(STEPS, chance.randint(1, 4)):
                count = chance.randint(0, 4)
                case.send(name, count, priority)
                sent += count
            taken = chance.randint(0, min(3, sent))
            held.append(case.take(name, taken))
            loads[name] = (sent - taken, taken)

        def as_told() -> bool:
            queues = case.adapter.read(list(loads), SECONDS).queues
            return all(
                queues[name].exists
                and queues[name].ready == ready
                and queues[name].unacked in (unacked, None)
                and (queues[name].unacked is not None) == case.adapter.supports_unacked
                for name, (ready, unacked) in loads.items()
            )

        # The management plugin counts every second at best.
        eventually(as_told, lambda: "the adapter says what was sent and taken")
        for name, expected in loads.items():
            assert case.truth(name) == expected
    finally:
        for connection in held:
            connection.release()


def test_a_queue_that_does_not_exist_has_no_messages(case: Case) -> None:
    queue = case.adapter.read(["nowhere"], SECONDS).queues["nowhere"]
    assert not queue.ready
    # Redis makes a list with its first message: it does not tell an empty queue from none.
    assert queue.exists == case.adapter.supports_peek


def test_consumers_are_counted_where_the_broker_can(case: Case) -> None:
    name = case.queue()
    with case.app.connection_for_read() as connection:
        queue = kombu.Queue(name, kombu.Exchange(name), name)
        with kombu.Consumer(connection.default_channel, [queue], callbacks=[lambda body, message: None]):
            expected = 1 if case.adapter.supports_consumers else None
            eventually(
                lambda: case.adapter.read([name], SECONDS).queues[name].consumers == expected,
                lambda: "one consumer",
            )


def test_a_purge_deletes_what_waits_and_nothing_that_somebody_has(case: Case) -> None:
    name = case.queue()
    for priority in STEPS:
        case.send(name, 2, priority)
    connection = case.take(name, 1)
    try:
        eventually(lambda: case.truth(name) == (7, 1), lambda: "one is taken")
        assert case.adapter.purge(name, SECONDS) == 7
        eventually(lambda: case.truth(name) == (0, 1), lambda: "what waited is gone")
    finally:
        connection.release()


def test_a_name_that_no_queue_can_have_hides_no_other(case: Case) -> None:
    """Names come from events, too, in which anything may stand; AMQP has 255 bytes for one."""
    name, endless = case.queue(), "é" * 128
    case.send(name, 2)
    eventually(lambda: case.truth(name) == (2, 0), lambda: "two wait")

    queues = case.adapter.read([endless, name], SECONDS).queues

    assert not queues[endless].ready
    # The management plugin counts every second at best.
    eventually(
        lambda: case.adapter.read([endless, name], SECONDS).queues[name].ready == 2,
        lambda: "what waits is read",
    )
    if not case.adapter.supports_peek:
        with pytest.raises(LookupError):
            case.adapter.purge(endless, SECONDS)


@pytest.mark.parametrize(
    "garbage",
    [b"[" * 100_000, b"", b"\xff", b"5", b"[]", b'{"headers": 1}', b'{"headers": {"id": "a\\u0000\\ud800"}}'],
    ids=["deep", "empty", "binary", "number", "list", "no headers", "odd id"],
)
def test_what_is_no_message_of_celerys_stops_no_reading(own_valkey: servers.Valkey, garbage: bytes) -> None:
    case = Case(make_app(own_valkey.url), lambda name: (0, 0))
    name = case.queue()
    case.send(name, task_id="good")
    with redis.Redis.from_url(own_valkey.url) as client:
        client.rpush(name, garbage)  # this end is delivered first
        client.hset("unacked", "tag", garbage)
        try:
            queue = case.adapter.read([name], SECONDS).queues[name]
            assert (queue.ready, queue.unacked) == (2, 0)
            odd, good = case.adapter.peek(name, 2, SECONDS)
            assert good.task_id == "good"
            assert queue.next_task_id == odd.task_id
            # As the events of the same task are stored.
            assert odd.task_id in ("", "a\u2400\ufffd")
            assert case.adapter.remove(name, "good", SECONDS) is True
        finally:
            client.delete(name, "unacked")
    case.app.close()


@pytest.mark.parametrize(
    "held", [b'["x", "", ["y"]]', b'["x", {}, "y"]', b'["x", "nowhere", "y"]', b'["x", "", null]']
)
def test_what_no_worker_can_hold_is_counted_for_no_queue(own_valkey: servers.Valkey, held: bytes) -> None:
    case = Case(make_app(own_valkey.url), lambda name: (0, 0))
    name = case.queue()
    with redis.Redis.from_url(own_valkey.url) as client:
        client.hset("unacked", "tag", held)
        try:
            assert case.adapter.read([name], SECONDS).queues[name].unacked == 0
        finally:
            client.delete("unacked")
    case.app.close()


@pytest.mark.parametrize("case", ["rabbitmq with management"], indirect=True)
def test_a_queue_is_listed_by_a_name_that_every_database_stores(case: Case) -> None:
    """The broker takes NUL in a name and in an argument."""
    with case.app.connection_for_write() as connection:
        connection.default_channel.queue_declare(
            "odd\0name", durable=True, arguments={"x-dead-letter-exchange": "nowhere\0"}
        )
        case.names.append("odd\0name")
    eventually(
        lambda: "odd\u2400name" in case.adapter.read(["celery"], SECONDS).queues,
        lambda: str(case.adapter.read(["celery"], SECONDS).queues),
    )
    queue = case.adapter.read(["celery"], SECONDS).queues["odd\u2400name"]
    assert queue.settings["x-dead-letter-exchange"] == "nowhere\u2400"


def test_looking_at_messages_leaves_them_in_their_place(case: Case) -> None:
    name = case.queue()
    if not case.adapter.supports_peek:
        with pytest.raises(NotImplementedError):
            case.adapter.peek(name, 5, SECONDS)
        return
    case.send(name, priority=0, task_id="first")
    case.send(name, priority=0, task_id="second")
    case.send(name, priority=9, task_id="late")
    for _ in range(2):
        peeked = case.adapter.peek(name, 2, SECONDS)
        assert [message.task_id for message in peeked] == ["first", "second"]
    assert {message.task_name for message in peeked} == {"shop.pay"}
    assert case.adapter.read([name], SECONDS).queues[name].next_task_id == "first"
    with case.app.connection_for_read() as connection:
        got = kombu.Queue(name, kombu.Exchange(name), name)(connection.default_channel).get(no_ack=True)
    assert got.headers["id"] == "first"
    assert [message.task_id for message in case.adapter.peek(name, 9, SECONDS)] == ["second", "late"]


def test_one_message_is_taken_out_of_its_queue(case: Case) -> None:
    name = case.queue()
    if not case.adapter.supports_remove:
        with pytest.raises(NotImplementedError):
            case.adapter.remove(name, "any", SECONDS)
        return
    for task_id, priority in (("a", 0), ("b", 6), ("c", 6)):
        case.send(name, priority=priority, task_id=task_id)
    assert case.adapter.remove(name, "b", SECONDS) is True
    assert case.adapter.remove(name, "b", SECONDS) is False
    assert [message.task_id for message in case.adapter.peek(name, 9, SECONDS)] == ["a", "c"]


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "_PAGE", 2)


def looked_at(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
    """Let something happen whenever the adapter has looked at a message."""
    look = adapters._headers

    def look_and_wait(raw: bytes | str) -> dict[str, object]:
        found = look(raw)
        meanwhile()
        return found

    monkeypatch.setattr(adapters, "_headers", look_and_wait)


@pytest.mark.parametrize("place", range(12))
def test_a_message_is_found_while_workers_take_others_and_more_are_sent(
    own_valkey: servers.Valkey, monkeypatch: pytest.MonkeyPatch, small_pages: None, place: int
) -> None:
    case = Case(make_app(own_valkey.url), lambda name: (0, 0))
    name = case.queue()
    for number in range(12):
        case.send(name, task_id="wanted" if number == place else f"other-{number}")
    with redis.Redis.from_url(own_valkey.url) as client:
        looks = count(1)

        def meanwhile() -> None:
            if b"wanted" not in client.lindex(name, -1):
                client.rpop(name)
            if next(looks) % 3 == 0:
                client.lpush(name, json.dumps({"headers": {"id": "newer"}}))

        looked_at(monkeypatch, meanwhile)
        assert case.adapter.remove(name, "wanted", SECONDS) is True
        assert not any(b"wanted" in message for message in client.lrange(name, 0, -1))
        client.delete(name)
    case.app.close()


def test_a_message_that_a_worker_takes_and_puts_back_meanwhile_is_taken_out(
    own_valkey: servers.Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Case(make_app(own_valkey.url), lambda name: (0, 0))
    name = case.queue()
    case.send(name, task_id="wanted")
    takes = iter([1])

    def meanwhile() -> None:
        # A connection puts back what it has not acknowledged when it is closed.
        for number in takes:
            case.take(name, number).release()

    looked_at(monkeypatch, meanwhile)
    assert case.adapter.remove(name, "wanted", SECONDS) is True
    assert case.truth(name) == (0, 0)
    with redis.Redis.from_url(own_valkey.url) as client:
        assert client.llen(name) == 0
    case.app.close()


def test_what_is_not_found_in_time_is_not_said_not_to_wait(
    own_valkey: servers.Valkey, monkeypatch: pytest.MonkeyPatch, small_pages: None
) -> None:
    case = Case(make_app(own_valkey.url), lambda name: (0, 0))
    name = case.queue()
    case.send(name, 6)
    looked_at(monkeypatch, lambda: time.sleep(0.6))
    assert case.adapter.remove(name, "wanted", 1.0) is None
    with redis.Redis.from_url(own_valkey.url) as client:
        client.delete(name)
    case.app.close()


@pytest.mark.parametrize("delete", ["purge", "remove"])
def test_a_deletion_that_nobody_answers_in_time_is_not_said_not_to_have_been_sent(
    own_valkey: servers.Valkey, delete: str
) -> None:
    """Nobody knows whether the server comes to it once it is well again."""
    case = Case(make_app(own_valkey.url), lambda name: (0, 0))
    name = f"jobs-{time.monotonic_ns()}"
    case.send(name, task_id="only")
    arguments = (name,) if delete == "purge" else (name, "only")
    with redis.Redis.from_url(own_valkey.url) as client:
        client.client_pause(60_000, all=False)
        try:
            with pytest.raises(ConnectionLost, match="may still come"):
                getattr(case.adapter, delete)(*arguments, 1.0)
        finally:
            client.client_unpause()
            client.delete(name)
    case.app.close()


def test_the_broker_is_named_with_its_version_and_without_its_password(case: Case) -> None:
    reading = case.adapter.read([], SECONDS)
    assert reading.product in ("RabbitMQ", "Redis", "Valkey")
    assert reading.version[0].isdigit()
    assert not reading.problem
    assert "guest:" not in case.adapter.address
    assert found.HOST in case.adapter.address


def test_a_broker_that_is_away_is_said_without_its_password() -> None:
    port = found.free_port()
    for url in (f"amqp://shop:hunter2@{found.HOST}:{port}//", f"redis://:hunter2@{found.HOST}:{port}/0"):
        app = make_app(url)
        adapter = adapter_for(app)
        with pytest.raises(BrokerUnavailable) as raised:
            adapter.read(["jobs"], 1.0)
        assert "hunter2" not in f"{raised.value!s} {adapter.address}"


def test_management_lists_what_nobody_named_and_leaves_out_what_is_celerys_own(
    managed: servers.RabbitMQ, settings: object
) -> None:
    api = f"http://guest:guest@{found.HOST}:{managed.api_port}/api/"
    settings.MONITORING = {**settings.MONITORING, "RABBITMQ_API_URL": api}  # type: ignore[attr-defined]
    case = Case(make_app(managed.url), lambda name: (0, 0))
    name, pidbox = case.queue(), case.queue("w1@host.celery.pidbox")
    eventually(
        lambda: {name, pidbox} <= set(case.adapter.read([], SECONDS).queues), lambda: "they are listed"
    )
    reading = case.adapter.read([], SECONDS)
    assert not reading.queues[name].is_internal
    assert reading.queues[pidbox].is_internal
    assert reading.memory_used is not None
    assert reading.disk_free is not None
    assert reading.connections is not None


@pytest.mark.parametrize("credentials", ["guest:wrong-hunter2", "guest:guest"])
def test_while_the_api_does_not_answer_amqp_is_asked_and_the_reason_is_said(
    rabbitmq_url: str, managed: servers.RabbitMQ, settings: object, credentials: str
) -> None:
    port = managed.api_port if "wrong" in credentials else found.free_port()
    api = f"http://{credentials}@{found.HOST}:{port}"
    settings.MONITORING = {**settings.MONITORING, "RABBITMQ_API_URL": api}  # type: ignore[attr-defined]
    case = Case(make_app(rabbitmq_url), lambda name: (0, 0))
    name = case.queue()
    case.send(name, 3)
    reading = case.adapter.read([name], SECONDS)
    assert reading.queues[name].ready == 3
    assert ("401" if "wrong" in credentials else "cannot be reached") in reading.problem
    assert "hunter2" not in reading.problem


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"])
def test_an_api_that_answers_byte_by_byte_is_not_waited_for(
    rabbitmq_url: str, settings: object, begin: bytes
) -> None:
    ended = threading.Event()

    def trickle(server: socket.socket) -> None:
        connection, _address = server.accept()
        with connection, suppress(OSError):
            connection.sendall(begin or b"HTTP/1.1 200 OK\r\nX-Long: ")
            until = time.monotonic() + 30
            while time.monotonic() < until and not ended.wait(0.1):
                connection.sendall(b" ")

    with socket.create_server((found.HOST, 0)) as server:
        thread = threading.Thread(target=trickle, args=(server,))
        thread.start()
        api = f"http://guest:guest@{found.HOST}:{server.getsockname()[1]}"
        settings.MONITORING = {**settings.MONITORING, "RABBITMQ_API_URL": api}  # type: ignore[attr-defined]
        case = Case(make_app(rabbitmq_url), lambda name: (0, 0))
        name, began = case.queue(), time.monotonic()
        reading = case.adapter.read([name], 2.0)
        took = time.monotonic() - began
        ended.set()
        thread.join()
    assert took < 20
    assert reading.queues[name].ready == 0
    assert "cannot be reached (TimeoutError)" in reading.problem


def test_other_transports_say_what_kombu_can_tell() -> None:
    app = make_app("memory://")
    case = Case(app, lambda name: (0, 0))
    name = case.queue()
    case.send(name, 2)
    reading = case.adapter.read([name], SECONDS)
    assert reading.queues[name].ready == 2
    assert reading.queues[name].unacked is None
    assert "memory" in reading.problem
    assert case.adapter.purge(name, SECONDS) == 2


def test_what_workers_hold_is_counted_by_bindings_not_by_names(redis_url: str) -> None:
    app = make_app(redis_url, global_keyprefix="bindings:")
    case = Case(app, lambda name: (0, 0))
    case.queue("other")
    with app.connection_for_write() as connection:
        bound = kombu.Queue("held", kombu.Exchange("shop"), "other")(connection.default_channel)
        bound.declare()
        app.send_task("shop.pay", queue=bound)
        assert bound.get(no_ack=False) is not None
        queues = case.adapter.read(["held", "other"], SECONDS).queues
        assert (queues["held"].unacked, queues["other"].unacked) == (1, 0)


def test_a_port_that_speaks_no_http_and_a_url_that_is_none_leave_amqp(
    rabbitmq_url: str, redis_url: str, settings: object
) -> None:
    case = Case(make_app(rabbitmq_url), lambda name: (0, 0))
    name = case.queue()
    port = redis_url.rpartition(":")[2].partition("/")[0]
    for url, words in (
        (f"http://guest:guest@{found.HOST}:{port}", "cannot be reached"),
        ("rabbit:hunter2", "form"),
    ):
        settings.MONITORING = {**settings.MONITORING, "RABBITMQ_API_URL": url}  # type: ignore[attr-defined]
        reading = case.adapter.read([name], SECONDS)
        assert reading.queues[name].ready == 0
        assert words in reading.problem
        assert "hunter2" not in reading.problem


def test_an_api_that_was_only_guessed_at_is_not_missed(rabbitmq_url: str, settings: object) -> None:
    settings.MONITORING = {**settings.MONITORING, "RABBITMQ_API_URL": None}  # type: ignore[attr-defined]
    app = make_app(rabbitmq_url)
    for _ in range(2):
        reading = adapter_for(app).read([], SECONDS)
        assert reading.product == "RabbitMQ"
        assert reading.problem == ""


def test_sentinels_are_told_one_by_one_and_without_passwords() -> None:
    app = make_app("sentinel://:hunter2@a:26379/0;sentinel://:hunter2@b:26379/0", master_name="main")
    address = adapter_for(app).address
    assert address == "sentinel://a:26379/0;sentinel://b:26379/0"


def test_the_rabbitmqctl_of_this_machine_is_the_judge(rabbitmq_url: str) -> None:
    """The comparisons above would pass for ever if it answered for another virtual host."""
    rabbitmqctl("list_vhosts")
    name = Case(make_app(rabbitmq_url), lambda name: (0, 0)).queue()
    assert _rabbitmq(name, rabbitmq_url.rpartition("/")[2]) == (0, 0)
