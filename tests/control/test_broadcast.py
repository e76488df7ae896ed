"""Commands to workers and their answers: told apart, bounded in time, and never more than four at once.

The workers here are mailboxes in threads: they answer as a worker's does. Real ones are in test_real_workers.py.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import celery
import kombu
import pytest
import redis
from django.core.exceptions import SynchronousOnlyOperation

from monitoring.control import connecting
from monitoring.control.broadcast import Answers, Said, ask, broadcast
from monitoring.control.connecting import BrokerUnavailable, TooManyCalls, control_connection
from tests.services import found, servers
from tests.services.consuming import SECONDS, eventually


@pytest.fixture(params=["rabbitmq_url", "redis_url"])
def app(request: pytest.FixtureRequest) -> Iterator[celery.Celery]:
    app = celery.Celery("watched", broker=request.getfixturevalue(request.param), set_as_current=False)
    yield app
    app.close()


def app_on(url: str) -> celery.Celery:
    return celery.Celery("watched", broker=url, set_as_current=False)


class Mailbox(threading.Thread):
    """Answers commands as a worker does, with what `handlers` return."""

    def __init__(self, app: Any, hostname: str, *, serializer: str = "json", **handlers: Any) -> None:
        super().__init__(daemon=True)
        self.hostname = hostname
        self.asked = 0
        self.ready = threading.Event()
        self._serializer = serializer
        self._app, self._handlers = app, handlers
        self._leave = threading.Event()

    def run(self) -> None:
        with self._app.connection_for_read() as connection:
            mailbox = self._app.control.Mailbox(
                self._app.conf.control_exchange,
                type="fanout",
                connection=connection,
                serializer=self._serializer,
            )
            channel = connection.channel()
            handlers = {name: self._counted(value) for name, value in self._handlers.items()}
            node = mailbox.Node(self.hostname, state=None, channel=channel, handlers=handlers)
            with node.listen():
                self.ready.set()
                while not self._leave.is_set():
                    try:
                        connection.drain_events(timeout=0.1)
                    except TimeoutError:
                        continue

    def _counted(self, value: Any) -> Any:
        def handler(state: Any, **arguments: Any) -> Any:
            self.asked += 1
            return value(**arguments) if callable(value) else value

        return handler

    def leave(self) -> None:
        self._leave.set()
        self.join()


@contextmanager
def mailboxes(app: celery.Celery, *hostnames: str, **handlers: Any) -> Iterator[list[Mailbox]]:
    nodes = [Mailbox(app, hostname, **handlers) for hostname in hostnames]
    for node in nodes:
        node.start()
    try:
        for node in nodes:
            assert node.ready.wait(SECONDS)
            # On Redis the subscription is there a moment after it was asked for.
            eventually(lambda node=node: _answers(app, node.hostname))  # type: ignore[misc]
        yield nodes
    finally:
        for node in nodes:
            node.leave()


def until_answered(call: Callable[[], Answers], *hostnames: str) -> Answers:
    """What `call` finds, which waits for a moment only, once these have been scheduled within it."""
    found_answers: Answers = {}

    def have_answered() -> bool:
        found_answers.clear()
        with suppress(BrokerUnavailable):
            found_answers.update(call())
        answered = {host for host, answer in found_answers.items() if answer.said is not Said.NOTHING}
        return answered.issuperset(hostnames)

    eventually(have_answered)
    return found_answers


def _answers(app: celery.Celery, hostname: str) -> bool:
    with suppress(BrokerUnavailable):
        answers = broadcast("ping", destination=[hostname], app=app, timeout=1)
        return answers[hostname].said is not Said.NOTHING
    return False


def test_answers_are_told_apart(app: celery.Celery) -> None:
    def grow(n: int) -> Any:
        if n > 3:
            raise ValueError("no more than 3")
        return {"ok": "pool will grow"}

    with mailboxes(app, "celery@a", "celery@b", pool_grow=grow):
        found_answers = until_answered(
            lambda: broadcast("pool_grow", {"n": 2}, ["celery@a", "celery@gone"], app=app, timeout=1),
            "celery@a",
        )
        assert found_answers["celery@a"].said is Said.ACKNOWLEDGED
        assert found_answers["celery@a"].words == "pool will grow"
        assert found_answers["celery@gone"].said is Said.NOTHING
        assert found_answers["celery@gone"].seconds is None
        refused = broadcast("pool_grow", {"n": 9}, ["celery@b"], app=app, timeout=SECONDS)["celery@b"]
        assert (refused.said, refused.words) == (Said.REFUSED, "ValueError('no more than 3')")


def test_an_answer_does_not_wait_for_the_deadline(app: celery.Celery) -> None:
    with mailboxes(app, "celery@a", "celery@b", ping={"ok": "pong"}):
        began = time.monotonic()
        broadcast("ping", destination=["celery@a", "celery@b"], app=app, timeout=SECONDS)
        broadcast("ping", expected=["celery@a", "celery@b"], app=app, timeout=SECONDS)
        assert time.monotonic() - began < SECONDS


def test_all_workers_are_reached_and_the_expected_ones_named(app: celery.Celery) -> None:
    with mailboxes(app, "celery@a", "celery@b", ping={"ok": "pong"}):
        answers = until_answered(
            lambda: broadcast("ping", expected=["celery@a", "celery@gone"], app=app, timeout=1),
            "celery@a",
            "celery@b",
        )
        assert {host: answer.said for host, answer in answers.items()} == {
            "celery@a": Said.ACKNOWLEDGED,
            "celery@b": Said.ACKNOWLEDGED,
            "celery@gone": Said.NOTHING,
        }


def test_only_the_destination_is_asked(app: celery.Celery) -> None:
    with mailboxes(app, "celery@a", "celery@b", ping={"ok": "pong"}) as (first, second):
        before = second.asked
        broadcast("ping", destination=["celery@a"], app=app, timeout=SECONDS)
        broadcast("ping", destination=["celery@b"], app=app, timeout=SECONDS)
        assert (first.asked >= 1, second.asked) == (True, before + 1)


def test_no_destination_at_all_reaches_nobody(app: celery.Celery) -> None:
    with mailboxes(app, "celery@a", ping={"ok": "pong"}) as (node,):
        before = node.asked
        assert broadcast("ping", destination=[], app=app) == {}
        assert ask(["ping"], [], app=app) == {}
        broadcast("ping", destination=["celery@a"], app=app, timeout=SECONDS)
        assert node.asked == before + 1


def test_several_questions_share_one_connection_and_one_deadline(app: celery.Celery) -> None:
    with mailboxes(app, "celery@a", "celery@b", ping={"ok": "pong"}, stats={"pid": 7}, active=[]):
        hosts, answers = ["celery@a", "celery@b", "celery@gone"], {}

        def have_answered() -> bool:
            began = time.monotonic()
            with suppress(BrokerUnavailable):
                answers.update(ask(["stats", "active", "nonsense"], hosts, app=app, timeout=1))
            assert time.monotonic() - began < 1 + SECONDS
            return bool(answers) and all(
                found[host].said is not Said.NOTHING for found in answers.values() for host in hosts[:2]
            )

        # They may not be scheduled within the one second.
        eventually(have_answered)
        assert answers["stats"]["celery@b"].value == {"pid": 7}
        assert answers["active"]["celery@a"].value == []
        assert answers["nonsense"]["celery@a"].said is Said.REFUSED
        assert {command: found["celery@gone"].said for command, found in answers.items()} == dict.fromkeys(
            answers, Said.NOTHING
        )


def test_an_answer_in_pickle_is_not_read(app: celery.Celery) -> None:
    app.conf.update(accept_content=["pickle", "json"], task_serializer="pickle")
    node = Mailbox(app, "celery@a", serializer="pickle", ping={"ok": "pong"})
    node.start()
    try:
        assert node.ready.wait(SECONDS)
        said = set()

        def asked() -> bool:
            with suppress(BrokerUnavailable):
                said.add(broadcast("ping", destination=["celery@a"], app=app, timeout=0.5)["celery@a"].said)
            return node.asked > 1

        eventually(asked)
    finally:
        node.leave()
    assert said == {Said.NOTHING}


def test_nothing_is_left_on_the_broker(redis_url: str) -> None:
    app = app_on(redis_url)
    with redis.Redis.from_url(redis_url) as client:
        before = set(client.keys("*"))
        with mailboxes(app, "celery@a", ping={"ok": "pong"}):
            until_answered(
                lambda: broadcast("ping", destination=["celery@a", "celery@gone"], app=app, timeout=0.5),
                "celery@a",
            )
        assert [key for key in set(client.keys("*")) - before if b"reply" in key] == []


def test_an_election_is_never_sent(app: celery.Celery) -> None:
    with pytest.raises(ValueError, match="never sent"):
        broadcast("election", {"id": "1", "topic": "x"}, app=app)


def test_on_an_event_loop_it_is_refused() -> None:
    async def page() -> None:
        broadcast("ping", destination=["celery@a"], app=app_on("memory://"))

    with pytest.raises(SynchronousOnlyOperation):
        asyncio.run(page())


@pytest.mark.parametrize("scheme", ["amqp://guest:guest@", "redis://"])
def test_a_broker_that_is_down_is_said_without_its_password(scheme: str) -> None:
    app = app_on(f"{scheme}127.0.0.1:{found.free_port()}")
    began = time.monotonic()
    with pytest.raises(BrokerUnavailable) as raised:
        broadcast("ping", destination=["celery@a"], app=app, timeout=3)
    assert time.monotonic() - began < SECONDS
    assert "guest" not in str(raised.value)


@pytest.mark.parametrize("scheme", ["amqp://guest:guest@", "redis://"])
def test_a_broker_that_takes_connections_and_says_nothing_is_down(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        app = app_on(f"{scheme}127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(BrokerUnavailable):
            broadcast("ping", destination=["celery@a"], app=app, timeout=1)
        assert time.monotonic() - began < SECONDS


def test_wrong_credentials_are_no_other_error(rabbitmq_url: str) -> None:
    app = app_on(rabbitmq_url.replace("guest:guest", "guest:wrong"))
    with pytest.raises(BrokerUnavailable):
        broadcast("ping", destination=["celery@a"], app=app, timeout=3)


def kill_once_awaited(server: servers.Valkey) -> None:
    """Kill a server while some client waits for a message."""
    with redis.Redis.from_url(server.url) as client:
        eventually(lambda: any("b" in each["flags"] for each in client.client_list()))
    server.kill()


def test_a_broker_that_ends_while_an_answer_is_awaited_leaves_it_unconfirmed() -> None:
    with servers.Valkey() as server:
        app = app_on(server.url)
        killer = threading.Thread(target=kill_once_awaited, args=(server,))
        killer.start()
        answer = broadcast("ping", destination=["celery@a"], app=app, timeout=SECONDS)["celery@a"]
        killer.join()
    assert answer.said is Said.NOTHING
    assert "lost" in answer.words


def test_a_fifth_call_waits_for_its_turn_up_to_the_deadline(redis_url: str) -> None:
    app = app_on(redis_url)
    with ExitStack() as three:
        for _ in range(3):
            three.enter_context(control_connection(app, SECONDS))
        with control_connection(app, SECONDS), pytest.raises(TooManyCalls), control_connection(app, 0.2):
            pass
        with control_connection(app, SECONDS):
            pass


def test_thirty_calls_at_once_all_answer_and_four_at_once_is_the_most(
    app: celery.Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once: list[int] = []
    lock, now = threading.Lock(), 0
    opened = connecting.open_connection

    def counting(app: celery.Celery, seconds: float, *, confirm: bool) -> kombu.Connection:
        nonlocal now
        connection = opened(app, seconds, confirm=confirm)
        release = connection.release

        def leave() -> None:
            nonlocal now
            with lock:
                now -= 1
            release()

        with lock:
            now += 1
            at_once.append(now)
        connection.release = leave  # type: ignore[method-assign]
        return connection

    with mailboxes(app, "celery@a", "celery@b", ping={"ok": "pong"}):
        monkeypatch.setattr(connecting, "open_connection", counting)
        said: list[Said] = []

        def call() -> None:
            answers = broadcast("ping", destination=["celery@a", "celery@b"], app=app, timeout=60)
            said.extend(answer.said for answer in answers.values())

        threads = [threading.Thread(target=call) for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
    assert said == [Said.ACKNOWLEDGED] * 60
    assert 1 < max(at_once) <= 4
    assert now == 0
