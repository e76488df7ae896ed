"""Real consumers and workers as processes, on a database and a broker of the test's own."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import kombu
import psycopg
from celery.events.event import event_exchange
from psycopg import sql

from tests.services import found

ROOT = Path(__file__).resolve().parents[2]
#: For whatever happens in the end, however slow the machine.
SECONDS = 150


def eventually(condition: Callable[[], object], why: Callable[[], str] = str) -> None:
    """Return when `condition` is true; fail, saying `why`, when it never is."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not so after {SECONDS} s: {why()}"
        time.sleep(0.05)


class Process:
    """A command that runs beside the test, and what it says."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def has_said(self, text: str) -> bool:
        return text in self.log

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition` is true while the process lives."""

        def holds() -> object:
            assert self._process.poll() is None, f"it ended with {self._process.returncode}:\n{self.log}"
            return condition()

        eventually(holds, lambda: self.log)

    def until_said(self, text: str) -> None:
        self.until(lambda: self.has_said(text))

    @property
    def pid(self) -> int:
        return self._process.pid

    def memory(self) -> int:
        """Bytes that it has in memory now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it stand still, as a suspended virtual machine does."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def wait(self) -> int:
        """Its exit code, once it has ended by itself."""
        return self._process.wait(SECONDS)

    def terminate(self) -> int:
        """Ask it to stop; its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it as a power cut does."""
        self._process.kill()
        self._process.wait()


class Database(ABC):
    """A migrated database of the bundled project, read with SQL."""

    url: str

    @abstractmethod
    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What `query` finds. Times come as the database has them: ask for the registers' microseconds instead."""

    def value(self, query: str) -> Any:
        """The one value that `query` finds; None where there is no row."""
        found_rows = self.rows(query)
        return found_rows[0][0] if found_rows else None

    def states(self) -> dict[str, str]:
        return dict(self.rows("SELECT task_id, state FROM monitoring_task"))

    def log(self) -> list[tuple[Any, ...]]:
        """Every event of the log: task, type, tie, sender, and the rest as a dict."""
        events = self.rows("SELECT task_id, type, tie, worker, payload FROM monitoring_taskevent")
        return [
            (*rest, json.loads(payload) if isinstance(payload, str) else payload) for *rest, payload in events
        ]


class SQLite(Database):
    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path, timeout=30)) as connection:
            return connection.execute(query).fetchall()


class Postgres(Database):
    def __init__(self, name: str, server_url: str = found.POSTGRES_URL) -> None:
        self.name = name
        self.url = server_url.rpartition("/")[0] + f"/{name}"
        self._server_url = server_url

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()

    def server(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection to another database of the same server, outside transactions."""
        return psycopg.connect(self._server_url, autocommit=True)

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Let everybody read a table and nobody write to it: writers wait."""
        with psycopg.connect(self.url) as connection:
            connection.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE".encode())
            yield
            connection.rollback()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Cut everybody off and let nobody in."""
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        with self.server() as server:
            server.execute(allow.format(sql.Identifier(self.name), sql.SQL("false")))
            try:
                server.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [self.name]
                )
                yield
            finally:
                server.execute(allow.format(sql.Identifier(self.name), sql.SQL("true")))


class Site:
    """The bundled project on one database and one broker: what an operator runs."""

    def __init__(self, folder: Path, database: Database, broker_url: str, queue: str) -> None:
        self.folder = folder
        self.database = database
        self.broker_url = broker_url
        self.queue = queue
        self._processes: list[Process] = []
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "project.settings",
            "DJANGO_SECRET_KEY": "only-for-tests",
            "DATABASE_URL": database.url,
            "CELERY_BROKER_URL": broker_url,
            "BROKER": broker_url,
            "PYTHONUNBUFFERED": "1",
        }

    def set(self, **settings: Any) -> None:
        """Change settings of the processes that start from now on: Django's, or keys of ``MONITORING``."""
        overrides = json.loads(self.environment.get("TEST_SETTINGS", "{}")) | settings
        self.environment |= {
            "DJANGO_SETTINGS_MODULE": "tests.services.watched_settings",
            "TEST_SETTINGS": json.dumps(overrides),
        }

    def consumer(self, *options: str, log: str = "consumer") -> Process:
        """`manage.py run_event_consumer` on this site's own queue."""
        return self._start(
            [sys.executable, "manage.py", "run_event_consumer", "--queue", self.queue, *options], log
        )

    def drain(self, seconds: float = 1.0, *options: str) -> str:
        """Consume all that waits; what the consumer said."""
        # What a killed consumer held waits again only once the broker has noticed its end.
        eventually(lambda: not self._is_consumed())
        process = self.consumer("--drain", str(seconds), *options, log="drain")
        assert process.wait() == 0, process.log
        return process.log

    def worker(self, *options: str, app: str = "tests.services.watched_app", **environment: str) -> Process:
        """`celery worker`, when it is ready for tasks."""
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            app,
            "worker",
            "--without-mingle",
            "--without-gossip",
        ]
        if app == "tests.services.watched_app":
            environment["DJANGO_SETTINGS_MODULE"] = (
                ""  # else Celery loads Django, and Django sets the time zone
            )
        process = self._start([*command, "-l", "INFO", *options], "worker", environment)
        process.until(lambda: "ready." in process.log)
        return process

    def celery(self, *arguments: str, app: str = "tests.services.watched_app") -> str:
        """What a command of Celery's says that ends by itself."""
        command = [sys.executable, "-m", "celery", "-A", app, *arguments]
        run = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def _start(self, command: list[str], log: str, environment: Mapping[str, str] | None = None) -> Process:
        process = Process(command, self.environment | dict(environment or {}), self.folder / f"{log}.log")
        self._processes.append(process)
        return process

    def stop(self) -> None:
        """End whatever still runs, and remove the queue."""
        for process in self._processes:
            process.kill()
        with kombu.Connection(self.broker_url) as connection, connection.channel() as channel:
            for name in (self.queue, "watched"):
                with suppress(*connection.channel_errors):
                    channel.queue_delete(name)

    # --- The event exchange, from the other side ---

    def _publishing(self) -> kombu.Connection:
        """A connection that waits until the broker has each message: a busy one forgets what a closed channel sent."""
        return kombu.Connection(self.broker_url, transport_options={"confirm_publish": True})

    def publish(self, messages: Sequence[Any]) -> None:
        """Send each message as a worker would: an event, or a list of them."""
        with self._publishing() as connection, connection.Producer() as producer:
            for message in messages:
                kind = "task.multi" if isinstance(message, list) else message["type"].replace("-", ".")
                producer.publish(
                    message, routing_key=kind, exchange=event_exchange, declare=[event_exchange], delivery_mode=1,
                    headers={"hostname": "h"},
                )  # fmt: skip

    def publish_raw(self, body: bytes, content_type: str = "application/json", **properties: Any) -> None:
        """Send one message of any bytes."""
        with self._publishing() as connection, connection.channel() as channel:
            exchange = event_exchange(channel)
            exchange.declare()
            message = channel.prepare_message(
                body, content_type=content_type, content_encoding="utf-8", **properties
            )
            channel.basic_publish(message, exchange=exchange.name, routing_key="task.multi")

    def declare_queue(self, **arguments: Any) -> None:
        """Make this site's queue before any consumer does."""
        with kombu.Connection(self.broker_url) as connection:
            kombu.Queue(self.queue, event_exchange, routing_key="#", durable=True, queue_arguments=arguments)(
                connection.default_channel
            ).declare()

    def _is_consumed(self) -> bool:
        """Whether the broker knows of a consumer of this site's queue."""
        with kombu.Connection(self.broker_url) as connection, suppress(*connection.channel_errors):
            return bool(connection.default_channel.queue_declare(self.queue, passive=True).consumer_count)
        return False

    def waiting(self) -> int:
        """Messages in this site's queue that nobody has been given."""
        with kombu.Connection(self.broker_url) as connection:
            return int(connection.default_channel.queue_declare(self.queue, passive=True).message_count)

    @contextmanager
    def tap(self) -> Iterator[Callable[[], list[dict[str, Any]]]]:
        """Everything that passes the event exchange from now on, in a queue of the test's own."""
        with kombu.Connection(self.broker_url) as connection:
            queue = kombu.Queue("", event_exchange, routing_key="#", exclusive=True, auto_delete=True)
            bound = queue(connection.default_channel)
            bound.declare()

            def passed() -> list[dict[str, Any]]:
                events: list[dict[str, Any]] = []
                while message := bound.get(no_ack=True):
                    payload = json.loads(message.body)
                    events += payload if isinstance(payload, list) else [payload]
                return events

            yield passed
