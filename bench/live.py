"""Watchers: `python -m bench.live`. A load with nobody watching, and with many, on PostgreSQL, RabbitMQ and Redis.

Prints how far behind now the sockets are (in seconds from a frame's look at the database to its arrival, which are
frames as well, since there is at most one a second), how many frames they got and how large, what the web process used,
and what became of the consumer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import servers
from bench.ingest import ours
from bench.ingest.load import Load, make_load
from bench.processes import Child, running, stop_on_signals
from tests.live.websocket import Closed, WebSocket
from tests.services.found import HOST, free_port

REDIS_URL = "redis://127.0.0.1:6379/15"
#: Filters of the audiences; each with two permissions, and half of them in another language.
FILTERS = (
    "",
    "state=STARTED",
    "state=FAILURE&state=RETRY",
    "name=shop.*",
    "worker=celery@*1*",
)
#: Sockets that connect in a second, and seconds that all of them have for it; a page tries again as these do.
CONNECTING, CONNECTED_WITHIN, TRY_AGAIN = 25, 180.0, 2.0


@dataclass
class Watched:
    """What the sockets saw. `ages`: seconds from the look at the database to the arrival; `gaps`: between frames."""

    frames: int = 0
    bytes_largest: int = 0
    ages: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    closest: float = float("inf")


@dataclass
class Measured:
    """One run of the load: the consumer's part, and the watchers' where there were any."""

    consumer: ours.Run
    web_cpu: float = 0.0
    seconds: float = 0.0
    watched: Watched | None = None


class Watchers:
    """Many sockets in a thread with an event loop of its own."""

    def __init__(self, port: int, cookies: list[str], sockets: int, audiences: int) -> None:
        self._port = port
        self._cookies = cookies
        self._sockets = sockets
        self._audiences = audiences
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._connected = 0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._watch()))
        self.watched, self._begun_at = Watched(), 0.0
        self.failures: list[BaseException] = []

    def __enter__(self) -> Watchers:
        self._thread.start()
        self._ready.wait(CONNECTED_WITHIN + self._sockets / CONNECTING)
        return self

    def begin(self) -> None:
        """Forget what was seen before: the load begins. Until then there was nothing to be told."""
        self.watched, self._begun_at = Watched(), time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _query(self, number: int) -> tuple[str, str]:
        """The cookie and the query string of a socket's audience."""
        audience = number % self._audiences
        wanted = FILTERS[audience % len(FILTERS)]
        language = ("en", "de")[audience // len(FILTERS) % 2]
        page = "monitor" if audience % 2 else "tasks"
        cookie = self._cookies[audience // (2 * len(FILTERS)) % len(self._cookies)]
        return cookie, f"page={page}&lang={language}&{wanted}"

    async def _watch(self) -> None:
        tasks = []
        for number in range(self._sockets):
            tasks.append(asyncio.create_task(self._socket(*self._query(number))))
            await asyncio.sleep(1 / CONNECTING)
        while not self._stopping.is_set():
            await asyncio.sleep(0.2)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _socket(self, cookie: str, query: str) -> None:
        """A page: it connects again when its connection breaks."""
        while True:
            try:
                await self._page(cookie, query)
            except (Closed, OSError, asyncio.IncompleteReadError) as error:
                self.failures.append(error)
                await asyncio.sleep(TRY_AGAIN)

    async def _page(self, cookie: str, query: str) -> None:
        last = None
        async with WebSocket(HOST, self._port, f"/ws/monitoring/?{query}", Cookie=cookie) as socket:
            while True:
                text = await socket.receive()
                message = json.loads(text)
                if message["type"] != "frame":
                    continue
                socket.send(json.dumps({"type": "ack", "seq": message["seq"]}))
                now = time.monotonic()
                self._count(text, message, None if last is None else now - max(last, self._begun_at))
                if last is None:
                    self._connected += 1
                    if self._connected >= self._sockets:
                        self._ready.set()
                last = now

    def _count(self, text: str, message: dict[str, Any], gap: float | None) -> None:
        watched = self.watched
        watched.frames += 1
        watched.bytes_largest = max(watched.bytes_largest, len(text.encode()))
        watched.ages.append(time.time() - datetime.fromisoformat(message["at"]).timestamp())
        if gap is not None:
            watched.gaps.append(gap)
            watched.closest = min(watched.closest, gap)


@contextmanager
def web(port: int, setting: ours.Setting, environment: dict[str, str]) -> Iterator[Child]:
    """A Daphne that serves."""
    command = [sys.executable, "-m", "daphne", "-b", HOST, "-p", str(port), "project.asgi:application"]
    with running(command, setting.logs / "web.log", cwd=servers.ROOT, env=environment) as child:
        deadline = time.monotonic() + 60
        while "Listening on TCP address" not in child.tail():
            child.check()
            if time.monotonic() > deadline:
                raise TimeoutError(child.tail())
            time.sleep(0.1)
        yield child


def sign_in(environment: dict[str, str], name: str, *permissions: str) -> str:
    command = [sys.executable, "-m", "tests.live.prepare", "user", name, *permissions]
    done = subprocess.run(
        command, cwd=servers.ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def measure(
    load: Load, setting: ours.Setting, environment: dict[str, str], options: argparse.Namespace
) -> Measured:
    """The load with `options.sockets` watchers."""
    port = free_port()
    cookies = [
        sign_in(environment, "all", "view_task", "view_worker", "view_payload"),
        sign_in(environment, "some", "view_task"),
    ]
    with (
        web(port, setting, environment) as child,
        Watchers(port, cookies, options.sockets, options.audiences) as watchers,
    ):
        used, begun = child.used().cpu, time.monotonic()
        run = ours.keep_up(load, setting, begun=watchers.begin)
        seconds = time.monotonic() - begun
        measured = Measured(run, child.used().cpu - used, seconds, watchers.watched)
    if watchers.failures:
        print(f"{len(watchers.failures)} connections were lost, the first with {watchers.failures[0]!r}")
    return measured


def report(alone: Measured, watched: Measured) -> None:
    for name, measured in (("nobody watches", alone), ("watched", watched)):
        run = measured.consumer
        print(
            f"{name:>15}: consumer {run.rate:,.0f} events/s, lag p50 {run.lag_p50:.2f} s, p99 {run.lag_p99:.2f} s, "
            f"{run.cpu:.1f} s of processor, database {run.database_cpu or 0:.1f} s; {run.wrong or 'nothing wrong'}"
        )
    print(f"consumer's rate, watched : alone = {watched.consumer.rate / alone.consumer.rate:.3f}")
    seen = watched.watched
    assert seen is not None
    if not seen.gaps:
        print("no socket got two frames")
        return
    late = statistics.quantiles(seen.gaps, n=100)
    ages = statistics.quantiles(seen.ages, n=100)
    print(
        f"web process: {watched.web_cpu / watched.seconds:.2f} of a core\n"
        f"frames: {seen.frames:,}, largest {seen.bytes_largest:,} bytes, closest {seen.closest:.3f} s\n"
        f"seconds between frames of a socket: p50 {late[49]:.2f}, p95 {late[94]:.2f}, greatest {max(seen.gaps):.2f}\n"
        f"seconds from the look at the database to the socket: p50 {ages[49]:.2f}, p95 {ages[94]:.2f}, "
        f"greatest {max(seen.ages):.2f}\n"
        f"sockets are at most {max(seen.ages):.1f} s, that is frames, behind now"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sockets", type=int, default=500)
    parser.add_argument("--audiences", type=int, default=20)
    parser.add_argument("--rate", type=int, default=5_000, help="events per second")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--polling", action="store_true", help="without a channel layer")
    options = parser.parse_args()
    stop_on_signals()
    databases = servers.Databases(servers.POSTGRES_URL)
    servers.VAR.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=servers.VAR) as name,
        servers.virtual_host(servers.RABBITMQ_URL) as broker,
    ):
        folder = Path(name)
        if not options.polling:
            os.environ["CHANNEL_LAYER_URL"] = REDIS_URL
        try:
            runs = []
            for watching in (False, True):
                path = folder / f"load-{watching}"
                events = options.rate * options.seconds
                load = make_load(
                    path, shape="interleaved", group=24, events=events, rate=options.rate, seed=path.name
                )
                url = databases.make()
                setting = ours.Setting(broker, url, folder)
                environment = servers.project_environment(url, broker)
                if watching:
                    runs.append(measure(load, setting, environment, options))
                else:
                    runs.append(Measured(ours.keep_up(load, setting)))
            report(*runs)
        finally:
            databases.drop_all()


if __name__ == "__main__":
    main()
