"""The demo as it runs: web server, worker and broker, and a queue that gets every event."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kombu import Connection, Exchange, Queue

from tests.project.serving import CHECKOUT, daphne
from tests.services.found import HOST

SECONDS = 180  # a machine that does everything else at the same time

EVENTS = Queue("everything", Exchange("celeryev", type="topic", durable=True), routing_key="#", durable=True)


class Events:
    """What the worker and the publishers said, in the order of arrival."""

    def __init__(self, connection: Connection) -> None:
        self._queue = EVENTS(connection.channel())
        self._queue.declare()
        self._seen: list[dict[str, Any]] = []

    def of(self, task_id: str) -> list[dict[str, Any]]:
        """The events of one task so far."""
        while (message := self._queue.get(no_ack=True)) is not None:
            body = message.payload
            self._seen.extend(body if isinstance(body, list) else [body])
        return [event for event in self._seen if event.get("uuid") == task_id]

    def until(self, task_id: str, kind: str) -> list[dict[str, Any]]:
        """The events of one task as soon as one of `kind` is among them."""
        wait_for(lambda: any(event["type"] == kind for event in self.of(task_id)), f"{kind} of {task_id}")
        return self.of(task_id)

    def last(self, task_id: str, kind: str) -> dict[str, Any]:
        """The newest event of `kind`, as soon as there is one."""
        return [event for event in self.until(task_id, kind) if event["type"] == kind][-1]


class Shop:
    """Speaks to the demo API as curl does: no session, no CSRF token, no redirects."""

    def __init__(self, port: int, events: Events | None = None, log: Path | None = None) -> None:
        self.events = events
        self.log = log
        """What the worker writes."""
        self._port = port

    def post(self, path: str, body: bytes = b"", content_type: str = "application/x-www-form-urlencoded"):
        """(status, JSON) of a POST."""
        return self._ask("POST", path, body, {"Content-Type": content_type})

    def get(self, path: str):
        """(status, JSON) of a GET."""
        return self._ask("GET", path)

    def start(self, path: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a POST with a JSON object, which must be 202."""
        status, answer = self.post(path, json.dumps(parameters).encode(), "application/json")
        assert (status, answer["status"]) == (202, "PENDING"), answer
        return answer

    def outcome(self, task_id: str, *states: str) -> dict[str, Any]:
        """What GET /tasks/<task_id>/ says once the task is in one of `states`."""
        seen: dict[str, Any] = {}

        def arrived() -> bool:
            seen.update(self.get(f"/tasks/{quote(task_id)}/")[1])
            return seen["status"] in states

        wait_for(arrived, lambda: f"{states} of {task_id}, which is {seen}")
        return seen

    def _ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None):
        connection = HTTPConnection(HOST, self._port, timeout=SECONDS)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, json.load(response)
        finally:
            connection.close()


def wait_for(happened: Callable[[], object], what: str | Callable[[], str]) -> None:
    """Return when it has happened; fail with `what` when it never does."""
    deadline = time.monotonic() + SECONDS
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError(f"not seen: {what() if callable(what) else what}")
        time.sleep(0.05)


def environment_of(folder: Path, broker_url: str, **more: str) -> dict[str, str]:
    """The environment of a process of the demo, with a SQLite database in `folder`."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "CELERY_BROKER_URL": broker_url,
        "PYTHONUNBUFFERED": "1",
        **more,
    }


def manage(environment: dict[str, str], *arguments: str) -> str:
    """What a management command prints; fails where it does."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=CHECKOUT, env=environment, check=True, capture_output=True, text=True, timeout=SECONDS
    ).stdout


@contextmanager
def worker(environment: dict[str, str], log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A prefork worker, from when it is ready."""
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "project",
        "worker",
        "-E",
        "-l",
        "INFO",
        "-c",
        "4",
        "-I",
        "tests.tasksdemo.patience",
        *arguments,
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_for(
            lambda: b" ready." in log.read_bytes() or process.poll() is not None,
            lambda: f"a ready worker:\n{log.read_text(errors='replace')}",
        )
        assert process.poll() is None, log.read_text(errors="replace")
        yield process
    finally:
        # Cold: what still sleeps need not wake up first.
        process.send_signal(signal.SIGQUIT)
        process.wait(SECONDS)


@contextmanager
def open_shop(broker_url: str, folder: Path) -> Iterator[Shop]:
    """Everything, on a broker that is there already, with a SQLite database in `folder`."""
    environment = environment_of(folder, broker_url)
    manage(environment, "migrate", "-v0")
    with Connection(broker_url) as connection:
        events = Events(connection)
        with (
            worker(environment, folder / "worker.log"),
            daphne("project.asgi:application", folder, **environment) as site,
        ):
            yield Shop(site.port, events, folder / "worker.log")
