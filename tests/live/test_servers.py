"""Real web servers and sockets: refusals, two processes, a restart, Redis away, a prefix, a reader that is stuck."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.live.websocket import Closed, Refused, WebSocket
from tests.services import found
from tests.services.consuming import ROOT, Process
from tests.services.servers import Valkey

PREPARE = Path(__file__).with_name("prepare.py")
#: How long anything may take on a machine that is busy with other things.
PATIENCE = 120


class Project:
    """The bundled project with a database of its own; what happens to its tasks is told by the test."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "project.settings",
            "DJANGO_SECRET_KEY": "only-for-tests",
            "DATABASE_URL": database_url,
            "PYTHONUNBUFFERED": "1",
        }
        self._number = 0
        self._run("manage.py", "migrate", "--verbosity", "0")

    def _run(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def do(self, *arguments: str) -> str:
        """Have the database changed, and the feed told of it, as tests/live/prepare.py says."""
        return self._run("-m", "tests.live.prepare", *arguments)

    @contextmanager
    def web(self, port: int | None = None) -> Iterator[Web]:
        """A Daphne, ready to serve."""
        port = port or found.free_port()
        self._number += 1
        command = [
            sys.executable,
            "-m",
            "daphne",
            "-b",
            found.HOST,
            "-p",
            str(port),
            "project.asgi:application",
        ]
        process = Process(command, self.environment, self.folder / f"web-{self._number}.log")
        try:
            process.until_said("Listening on TCP address")
            yield Web(process, port, self.environment.get("URL_PREFIX", ""))
        finally:
            process.kill()


class Web:
    """A web process."""

    def __init__(self, process: Process, port: int, prefix: str) -> None:
        self.process = process
        self.port = port
        self._prefix = f"/{prefix}" if prefix else ""

    def socket(self, cookie: str, query: str = "page=monitor", **headers: str | None) -> WebSocket:
        path = f"{self._prefix}/ws/monitoring/?{query}"
        return WebSocket(found.HOST, self.port, path, Cookie=cookie, **headers)


async def until(socket: WebSocket, what: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Receive, answering, until a message is as it should be."""
    async with asyncio.timeout(PATIENCE):
        while True:
            message: dict[str, Any] = json.loads(await socket.receive())
            if message["type"] == "frame":
                socket.send(json.dumps({"type": "ack", "seq": message["seq"]}))
            if what(message):
                return message


def runs(task_id: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a frame lists a task as running."""
    return lambda message: task_id in message.get("lists", {}).get("running", {}).get("order", [])


def ended(task_id: str) -> Callable[[dict[str, Any]], bool]:
    return lambda message: task_id in message.get("lists", {}).get("finished", {}).get("order", [])


async def in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.to_thread(function, *arguments)


@pytest.fixture(scope="module")
def project(tmp_path_factory, postgres_url):
    return Project(tmp_path_factory.mktemp("live"), postgres_url)


@pytest.fixture(scope="module")
def web(project):
    with project.web() as web:
        yield web


@pytest.fixture(scope="module")
def cookie(project):
    return project.do("user", "viewer", "view_task", "view_worker", "view_payload")


@pytest.fixture(scope="module")
def web_of_every_host(project):
    project.environment["DJANGO_ALLOWED_HOSTS"] = "*"
    try:
        with project.web() as web:
            yield web
    finally:
        del project.environment["DJANGO_ALLOWED_HOSTS"]


@pytest.mark.parametrize(
    "origin",
    ["http://elsewhere.example", "http://{host}:9", "http://localhost:{port}", "http://{host}", "null", None],
)
@pytest.mark.parametrize("serves", ["web", "web_of_every_host"])
async def test_another_origin_or_none_is_refused_with_403(request, cookie, serves, origin):
    web = request.getfixturevalue(serves)
    with pytest.raises(Refused) as refused:
        async with web.socket(cookie, Origin=origin and origin.format(host=found.HOST, port=web.port)):
            pass
    assert refused.value.status == 403


async def test_signed_out_and_forbidden_are_accepted_and_closed_with_their_codes(web, project):
    nobody = await in_thread(project.do, "user", "nobody")
    for cookie, code in (("", 4401), ("sessionid=forged", 4401), (nobody, 4403)):
        async with web.socket(cookie) as socket:
            with pytest.raises(Closed) as closed:
                await socket.receive()
            assert closed.value.code == code


async def test_two_web_processes_show_the_same_without_a_channel_layer(project, web, cookie):
    with project.web() as second:
        async with web.socket(cookie) as one, second.socket(cookie) as other:
            await until(one, lambda message: message.get("full"))
            await until(other, lambda message: message.get("full"))
            await in_thread(project.do, "start", "everywhere")
            await until(one, runs("everywhere"))
            await until(other, runs("everywhere"))


async def test_what_happened_while_the_web_server_was_away_is_shown_when_it_is_back(project, cookie):
    port = found.free_port()
    with project.web(port) as web:
        async with web.socket(cookie) as socket:
            await in_thread(project.do, "start", "interrupted")
            cursor = (await until(socket, runs("interrupted")))["cursor"]
            web.process.kill()
            with pytest.raises(Closed):
                await until(socket, lambda message: False)
    await in_thread(project.do, "end", "interrupted")
    await in_thread(project.do, "start", "meanwhile")
    with project.web(port) as web:
        async with web.socket(cookie, f"page=monitor&cursor={cursor}") as socket:
            frame = await until(socket, lambda message: message["type"] == "frame")
    assert frame["full"]
    assert frame["missed"] == {"changes": 2, "complete": True}
    assert runs("meanwhile")(frame)
    assert ended("interrupted")(frame)
    assert not runs("interrupted")(frame)


async def test_a_reader_that_reads_nothing_costs_no_memory_and_others_no_time(project, web, cookie):
    """It is sent two frames; whoever reads gets all that happens."""
    async with web.socket(cookie) as stuck, web.socket(cookie) as reader:
        await until(reader, lambda message: message.get("full"))
        trickling = asyncio.create_task(
            in_thread(project.do, "trickle", *(f"busy-{number}" for number in range(6)))
        )
        await until(reader, runs("busy-5"))
        await trickling
        frames = []
        # Everything that was sent to it so far is here at once.
        while True:
            try:
                message = json.loads(await asyncio.wait_for(stuck.receive(), 3))
            except TimeoutError:
                break
            if message["type"] == "frame":
                frames.append(message)
        assert len(frames) == 2
        assert not runs("busy-5")(frames[-1])
        stuck.send(json.dumps({"type": "ack", "seq": frames[-1]["seq"]}))
        caught_up = await until(stuck, lambda message: message["type"] == "frame")
        assert runs("busy-5")(caught_up)
        assert runs("busy-0")(caught_up)


@pytest.fixture
def own_redis():
    with Valkey() as server:
        yield server


async def test_redis_brings_changes_and_its_absence_costs_only_time(project, cookie, own_redis):
    project.environment["CHANNEL_LAYER_URL"] = f"{own_redis.url}"
    try:
        with project.web() as web:
            async with web.socket(cookie) as socket:
                await until(socket, lambda message: message.get("full"))
                await in_thread(project.do, "start", "nudged")
                await until(socket, runs("nudged"))
                own_redis.kill()
                await in_thread(project.do, "start", "without-redis")
                await until(socket, runs("without-redis"))
            # A page that is opened while it is away.
            async with web.socket(cookie) as socket:
                await until(socket, runs("without-redis"))
            own_redis.start()
            async with web.socket(cookie) as socket:
                await until(socket, lambda message: message.get("full"))
                await in_thread(project.do, "start", "redis-is-back")
                await until(socket, runs("redis-is-back"))
    finally:
        del project.environment["CHANNEL_LAYER_URL"]


async def test_below_a_prefix_the_socket_opens_and_rows_link_below_it(project, cookie):
    project.environment["URL_PREFIX"] = "celery"
    try:
        with project.web() as web:
            async with web.socket(cookie) as socket:
                await in_thread(project.do, "start", "prefixed")
                frame = await until(socket, runs("prefixed"))
    finally:
        del project.environment["URL_PREFIX"]
    rows = frame["lists"]["running"]["rows"]
    assert 'href="/celery/admin/monitoring/task/prefixed/change/"' in rows["prefixed"]


async def test_a_database_that_goes_away_costs_the_pages_nothing_but_time(project, web, cookie):
    name = project.environment["DATABASE_URL"].rpartition("/")[2]
    async with web.socket(cookie) as socket:
        await until(socket, lambda message: message.get("full"))
        with psycopg.connect(found.POSTGRES_URL, autocommit=True) as server:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
        await in_thread(project.do, "start", "after-the-database-was-away")
        await until(socket, runs("after-the-database-was-away"))


async def test_a_session_that_ends_ends_its_sockets(project, cookie):
    """Within a minute; here the real time, in a real process."""
    leaving = await in_thread(project.do, "user", "leaving", "view_task")
    with project.web() as web:
        async with web.socket(leaving) as socket:
            await until(socket, lambda message: message.get("full"))
            await in_thread(project.do, "sign-out", leaving.partition("=")[2])
            with pytest.raises(Closed) as closed:
                await until(socket, lambda message: False)
            assert closed.value.code == 4401
