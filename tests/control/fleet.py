"""A worker of each pool on one broker, shared by many tests."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from monitoring.control.actor import Actor
from monitoring.control.broadcast import Said, broadcast
from monitoring.control.connecting import BrokerUnavailable
from monitoring.control.contract import Result
from monitoring.control.perform import Report, perform
from tests.control.fleet_app import app
from tests.factories import make_user, make_worker
from tests.services.consuming import SECONDS, Process, eventually

#: Workers by name, with their options. `bare` sends no events, scales by itself and restarts no pools.
OPTIONS = {
    "prefork": ["-P", "prefork", "-c", "2", "-E"],
    "threads": ["-P", "threads", "-c", "2", "-E"],
    "solo": ["-P", "solo", "-E"],
    "gevent": ["-P", "gevent", "-c", "3", "-E"],
    "bare": ["-P", "prefork", "--autoscale", "3,1"],
}
PERMISSIONS = ("view_worker", "control_worker", "shutdown_worker", "view_task", "revoke_task", "run_task")


@dataclass
class Fleet:
    """Its workers are named ``prefork@<tag>`` and consume the queue ``prefork-<tag>``."""

    broker: str
    folder: Path
    tag: str = field(default_factory=lambda: secrets.token_hex(3))
    processes: dict[str, Process] = field(default_factory=dict)

    def start(self, *names: str) -> None:
        for name in names:
            environment = {
                **os.environ,
                "BROKER": self.broker,
                "BACKEND": f"file://{self.folder}",
                "POOL_RESTARTS": "" if name == "bare" else "yes",
                "DJANGO_SETTINGS_MODULE": "",  # else Celery loads Django
                "PYTHONUNBUFFERED": "1",
            }
            command = [
                sys.executable,
                "-m",
                "celery",
                "-A",
                "tests.control.fleet_app",
                "worker",
                "-l",
                "INFO",
            ]
            command += ["--without-mingle", "--without-gossip", "-n", self.host(name), "-Q", self.queue(name)]
            log = self.folder / f"{name}.log"
            self.processes[name] = Process([*command, *OPTIONS[name]], environment, log)
        for name in names:
            self.processes[name].until_said("ready.")
        eventually(lambda: all(self.answers(self.host(name)) for name in names))

    def answers(self, host: str) -> bool:
        with suppress(BrokerUnavailable):
            return broadcast("ping", None, [host], app=app, timeout=2)[host].said is Said.ACKNOWLEDGED
        return False

    def stop(self) -> None:
        for process in self.processes.values():
            children = psutil.Process(process.pid).children(recursive=True) if alive(process.pid) else []
            process.kill()
            for child in children:
                if child.is_running():
                    child.kill()

    def host(self, name: str) -> str:
        return f"{name}@{self.tag}"

    def queue(self, name: str) -> str:
        return f"{name}-{self.tag}"

    def children(self, name: str) -> set[int]:
        """Process ids of its pool."""
        return {child.pid for child in psutil.Process(self.processes[name].pid).children()}

    def rows(self, **pools: str | None) -> None:
        """The workers as the consumer would have written them."""
        for name in self.processes:
            pool = pools.get(name, "prefork" if name == "bare" else name)
            make_worker(self.host(name), pool=pool, queues=[self.queue(name)], concurrency=None)

    # --- Tasks ---

    def file(self) -> Path:
        return self.folder / secrets.token_hex(6)

    def send(self, task: Any, worker: str, path: Path, *args: Any, **options: Any) -> str:
        """Send a task to a worker's own queue; its id."""
        return self.post(task, self.queue(worker), path, *args, **options)

    def post(self, task: Any, queue: str, path: Path, *args: Any, **options: Any) -> str:
        """Send a task to any queue; its id. The app's own pool stays with the broker that it was made for."""
        with app.connection_for_write() as connection:
            sent = app.send_task(task.name, [str(path), *args], queue=queue, connection=connection, **options)
        return str(sent.id)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def marks(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def let_end(path: Path) -> None:
    """Of the task `sleep`: that it has slept enough."""
    path.with_name(f"{path.name}.end").touch()


def notes(path: Path) -> list[tuple[str, list[Any], dict[str, Any]]]:
    """Of the task `note`: id, arguments, keyword arguments of each call."""
    return [tuple(json.loads(line)) for line in marks(path)]


def operator(*permissions: str) -> Actor:
    return Actor(make_user(f"operator-{secrets.token_hex(3)}", *(permissions or PERMISSIONS)))


def use(
    verb: str, targets: list[str], parameters: Mapping[str, Any] | None = None, patience: float = SECONDS
) -> Report:
    return perform(verb, targets, operator(), parameters, patience=patience)


def use_on(verb: str, target: str, **parameters: Any) -> Result:
    """The result for one target, with all the time that its effect may need."""
    return use(verb, [target], parameters).results[target]
