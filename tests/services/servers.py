"""Servers of a test's own, on free ports, with data folders of their own: the ones that a test may stop.

    with Postgres() as server:
        server.kill()
        server.start()

Each is a child process of the test run, ended with its whole process group, its folder removed.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import amqp
import psycopg
import redis

from tests.services import found
from tests.services.required import require

# A broker that starts while everything else on the machine is busy.
START_SECONDS = 180
STOP_SECONDS = 60


class Server(ABC):
    """What the three have in common: start, stop, kill, restart, on one port, keeping the data."""

    stop_signal = signal.SIGTERM

    def __init__(self) -> None:
        self.port = found.free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{type(self).__name__.lower()}-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where it is, the same after every restart."""

    @abstractmethod
    def _command(self) -> list[str]:
        """The command that serves in the foreground."""

    @abstractmethod
    def _answer(self) -> None:
        """Return when it serves; raise what the client raises while it does not."""

    def _options(self) -> dict[str, Any]:
        """More arguments of Popen."""
        return {}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self._remove()

    def start(self) -> None:
        """Start it and return when it answers. Raises AssertionError, with its log, when it does not."""
        assert self._process is None, "it runs already"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._options(),
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"it did not start:\n{self._log.read_text()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask it to stop and wait for that; nothing, if it does not run."""
        if self._process is None:
            return
        self._process.send_signal(self.stop_signal)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it and everything that it started at once, as a power cut does."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it and everything that it started stand still, as a suspended virtual machine does."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Stop and start again, with the same data on the same port."""
        self.stop()
        self.start()

    def _answers(self) -> bool:
        with suppress(OSError, amqp.AMQPError, psycopg.OperationalError, redis.RedisError):
            self._answer()
            return True
        return False

    @property
    def _log(self) -> Path:
        return self.folder / "log.txt"

    def _remove(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Postgres(Server):
    """A PostgreSQL cluster with the one user `postgres`, no password, and no need for root."""

    # A fast shutdown: open transactions are rolled back, nobody waits for clients to leave.
    stop_signal = signal.SIGINT

    def __init__(self) -> None:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        require(programs, "PostgreSQL's server programs")
        super().__init__()
        self._programs = programs[-1].parent
        self._data = self.folder / "data"

    @property
    def url(self) -> str:
        return f"postgres://postgres@{found.HOST}:{self.port}/postgres"

    def start(self) -> None:
        if not self._data.exists():
            if os.geteuid() == 0:
                shutil.chown(self.folder, "postgres", "postgres")
            make = [
                self._programs / "initdb",
                "-D",
                self._data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
            ]
            options = self._options()
            subprocess.run([*make, "--locale=C", "--no-sync"], check=True, capture_output=True, **options)
        super().start()

    def kill(self) -> None:
        # Its processes lead groups of their own, and a new server does not start while one of them is left, since they
        # share memory.
        left = self._children()
        super().kill()
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + STOP_SECONDS
        while any(map(_runs, left)) and time.monotonic() < deadline:
            time.sleep(0.02)

    def _children(self) -> list[int]:
        if self._process is None:
            return []
        pid = self._process.pid
        with suppress(FileNotFoundError):
            return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return []

    def _command(self) -> list[str]:
        return [
            str(self._programs / "postgres"),
            *("-D", str(self._data), "-h", found.HOST, "-p", str(self.port), "-k", str(self.folder)),
            # Only the machine's end could lose what is not synced, and the test ends with it.
            *("-c", "fsync=off"),
        ]

    def _options(self) -> dict[str, Any]:
        # PostgreSQL refuses to run as root.
        if os.geteuid() == 0:
            return {"user": "postgres", "group": "postgres", "extra_groups": [], "cwd": self.folder}
        return {}

    def _answer(self) -> None:
        psycopg.connect(self.url, connect_timeout=5).close()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class RabbitMQ(Server):
    """A RabbitMQ node of its own, beside the one of the system: own name, cookie, ports and folders."""

    def __init__(self, *plugins: str) -> None:
        # Debian's rabbitmq-server on the PATH changes to the user of the system's node; this is the real one.
        self._programs = Path("/usr/lib/rabbitmq/bin")
        require((self._programs / "rabbitmq-server").exists(), "RabbitMQ's server programs")
        super().__init__()
        self.api_port = found.free_port()
        settings = f"listeners.tcp.1 = {found.HOST}:{self.port}\n"
        if "rabbitmq_management" in plugins:
            settings += f"management.tcp.ip = {found.HOST}\nmanagement.tcp.port = {self.api_port}\n"
            settings += "collect_statistics_interval = 1000\n"
        (self.folder / "rabbitmq.conf").write_text(settings)
        (self.folder / "rabbitmq-env.conf").touch()
        (self.folder / "enabled_plugins").write_text(f"[{','.join(plugins)}].\n")
        # Known before the node starts, so that rabbitmqctl and the node cannot race to make one.
        cookie = self.folder / ".erlang.cookie"
        cookie.touch(mode=0o600)
        cookie.write_text(f"COOKIE{self.folder.name}")
        self._environment = {
            **os.environ,
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"{self.folder.name}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": found.HOST,
            "RABBITMQ_DIST_PORT": str(found.free_port()),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "ERL_EPMD_ADDRESS": found.HOST,
        }

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@{found.HOST}:{self.port}//"

    def close_connections(self) -> None:
        """Cut every client off; the node goes on."""
        self.control("close_all_connections", "a test")

    def control(self, *arguments: str) -> str:
        """Run `rabbitmqctl` on this node; what it prints."""
        command = [self._programs / "rabbitmqctl", "--quiet", *arguments]
        run = subprocess.run(command, env=self._environment, check=True, capture_output=True, text=True)
        return run.stdout

    def _command(self) -> list[str]:
        return [str(self._programs / "rabbitmq-server")]

    def _options(self) -> dict[str, Any]:
        return {"env": self._environment, "cwd": self.folder}

    def _answer(self) -> None:
        address = f"{found.HOST}:{self.port}"
        amqp.Connection(
            address, "guest", "guest", connect_timeout=5, read_timeout=5, write_timeout=5
        ).connect()


class Valkey(Server):
    """A Valkey (or Redis) server that writes every command to its file before it answers."""

    def __init__(self, *arguments: str) -> None:
        self._program = found.valkey_program()
        require(self._program, "a Valkey or Redis server program")
        self._arguments = arguments
        super().__init__()

    @property
    def url(self) -> str:
        return f"redis://{found.HOST}:{self.port}/0"

    def _command(self) -> list[str]:
        return [
            str(self._program),
            *("--bind", found.HOST, "--port", str(self.port), "--dir", str(self.folder)),
            *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
            *self._arguments,
        ]

    def _answer(self) -> None:
        with redis.Redis.from_url(self.url, socket_connect_timeout=5) as client:
            client.ping()
