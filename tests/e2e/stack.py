"""Everything that a live page hears from, as it runs in production: Valkey, event consumer, worker, web servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.project.processes import running
from tests.project.serving import CHECKOUT, Site
from tests.services.found import HOST, free_port
from tests.services.servers import Valkey
from tests.tasksdemo.shop import Shop, environment_of, manage, wait_for, worker

#: In the order of their permissions: a viewer may see everything, a bystander may sign in and see nothing.
SET_UP = """
from django.contrib.auth.models import User
from project.demo.users import create_demo_users
create_demo_users()
User.objects.create_user("bystander", password="bystander", is_staff=True)
"""


class WebServer:
    """One Daphne on a port that it keeps when it is killed and started again."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.port = free_port()
        self.address = f"http://{HOST}:{self.port}"
        self.shop = Shop(self.port)
        self._environment = environment
        self._log = folder / f"web-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "daphne",
            "-b",
            HOST,
            "-p",
            str(self.port),
            "tests.e2e.policed:application",
        ]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=CHECKOUT, env=self._environment, stdout=log, stderr=log
            )
        wait_for(self._answers, lambda: f"an answer of the web server:\n{self._log.read_text()}")

    def kill(self) -> None:
        """At once, as a crash does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        try:
            return Site(self.port).get("/admin/login/").status == 200
        except ConnectionError:
            return False


@dataclass(frozen=True)
class Stack:
    """`redis` is a web server whose channel layer crosses processes, `memory` one that polls the feed."""

    redis: WebServer
    memory: WebServer
    environment: dict[str, str]


@contextmanager
def live_stack(folder: Path) -> Iterator[Stack]:
    with ExitStack() as stack:
        valkey = stack.enter_context(Valkey())
        environment = environment_of(
            folder,
            valkey.url,
            DJANGO_SETTINGS_MODULE="tests.e2e.settings",
            CHANNEL_LAYER_URL=valkey.url,
            DJANGO_LOG_LEVEL="WARNING",
        )
        manage(environment, "migrate", "-v0")
        manage(environment, "shell", "-v0", "-c", SET_UP)
        consumer = [sys.executable, "manage.py", "run_event_consumer"]
        stack.enter_context(running(consumer, CHECKOUT, environment, folder / "consumer.log"))
        stack.enter_context(worker(environment, folder / "worker.log", "-n", "celery@shop-1"))
        servers = []
        for layer in (valkey.url, ""):
            server = WebServer({**os.environ, **environment, "CHANNEL_LAYER_URL": layer}, folder)
            stack.callback(server.kill)
            server.start()
            servers.append(server)
        yield Stack(*servers, environment)
