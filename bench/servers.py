"""A virtual host on the running RabbitMQ and databases on the running PostgreSQL, removed again however a run ends."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import amqp
import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
#: Scratch files, environments and load files of the benchmarks. `make clean` removes them.
VAR = ROOT / "var" / "bench"
#: The names that a run's virtual host and databases begin with, so that two runs can be told apart.
PREFIX = "bench_{pid}_"

RABBITMQ_URL = "amqp://guest:guest@127.0.0.1:5672"
#: What children take from the environment of the benchmark.
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "CHANNEL_LAYER_URL")
POSTGRES_URL = "postgres://postgres@127.0.0.1:5432/postgres"


def _new_name() -> str:
    return PREFIX.format(pid=os.getpid()) + secrets.token_hex(4)


def require_loopback(url: str) -> None:
    """A benchmark fills queues and disks: it runs against this machine alone. Raises SystemExit."""
    if urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
        sys.exit(f"bench: {urlsplit(url).hostname} is another machine; benchmarks run on loopback only")


@contextmanager
def virtual_host(rabbitmq_url: str) -> Iterator[str]:
    """Broker URL of a new virtual host. Needs `rabbitmqctl` and its rights."""
    require_loopback(rabbitmq_url)
    name = _new_name()
    user = urlsplit(rabbitmq_url).username or "guest"
    _rabbitmqctl("add_vhost", name)
    try:
        _rabbitmqctl("set_permissions", "-p", name, user, ".*", ".*", ".*")
        yield f"{rabbitmq_url.rstrip('/')}/{name}"
    finally:
        _rabbitmqctl("delete_vhost", name)


def _rabbitmqctl(*arguments: str) -> None:
    # A group of its own: Ctrl-C must not end the command that cleans up.
    subprocess.run(["rabbitmqctl", "--quiet", *arguments], check=True, capture_output=True, process_group=0)


def connect(broker_url: str) -> amqp.Connection:
    """An open AMQP connection to a virtual host that :func:`virtual_host` gave."""
    url = urlsplit(broker_url)
    connection = amqp.Connection(
        f"{url.hostname}:{url.port}",
        url.username,
        url.password,
        virtual_host=url.path.removeprefix("/"),
        heartbeat=0,
    )
    connection.connect()
    return connection


def project_environment(database_url: str, broker_url: str) -> dict[str, str]:
    """The environment that the bundled project reads its settings from."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {
        **inherited,
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DJANGO_SECRET_KEY": "only-for-benchmarks",
        "DATABASE_URL": database_url,
        "CELERY_BROKER_URL": broker_url,
    }


def migrate(database_url: str) -> None:
    """Create the project's tables. Raises SystemExit with the command's own words."""
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT,
        env=project_environment(database_url, RABBITMQ_URL),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"bench: migrate failed\n{done.stderr}")


class Databases:
    """Makes databases with the project's tables: the first is migrated, the others are copies of it."""

    def __init__(self, postgres_url: str) -> None:
        require_loopback(postgres_url)
        self._server = postgres_url
        self._template = _new_name()
        self._names: list[str] = []

    def make(self) -> str:
        """The URL of a new database with empty tables."""
        if not self._names:
            self._create(self._template, "template1")
            migrate(self._url(self._template))
        name = _new_name()
        self._create(name, self._template)
        return self._url(name)

    def drop(self, url: str) -> None:
        name = url.rpartition("/")[2]
        self._names.remove(name)
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def drop_all(self) -> None:
        for name in self._names.copy():
            self.drop(self._url(name))

    def _url(self, name: str) -> str:
        return f"{self._server.rpartition('/')[0]}/{name}"

    def _create(self, name: str, template: str) -> None:
        self._names.append(name)
        self._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def databases(postgres_url: str) -> Iterator[Databases]:
    """Databases that are dropped at the end."""
    made = Databases(postgres_url)
    try:
        yield made
    finally:
        made.drop_all()
