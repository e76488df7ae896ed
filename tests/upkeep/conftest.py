"""Upkeep on both kinds of databases, in this process and in others."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connections

from monitoring.upkeep.lease import UPKEEP, LeaseHolder
from tests.services import found

#: How long anything may take on a machine that is busy with other things.
PATIENCE = 120
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(
    params=[
        # What is scheduled stands in the default database, wherever the monitor's own tables are.
        pytest.param(
            alias, marks=pytest.mark.django_db(transaction=True, databases=sorted({"default", alias}))
        )
        for alias in ("default", "postgresql")
    ]
)
def using(request: pytest.FixtureRequest) -> str:
    """Alias of a database, each in turn; real transactions."""
    alias: str = request.param
    request.getfixturevalue("transactional_db")
    return alias


@pytest.fixture
def lease(using: str) -> LeaseHolder:
    """The lease of upkeep, held for as long as any test lasts."""
    holder = LeaseHolder(using, UPKEEP, "tests", duration=3600)
    assert holder.try_acquire()
    return holder


def until(what: Callable[[], object], why: str) -> None:
    """Return once `what` answers something true."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, f"{why} within {PATIENCE} s"
        time.sleep(0.05)


def database_url(using: str) -> str:
    """Where the test database of an alias is, for another process."""
    name = connections[using].settings_dict["NAME"]
    if connections[using].vendor == "sqlite":
        return f"sqlite:///{name}"
    return found.POSTGRES_URL.rpartition("/")[0] + f"/{name}"


def environment(url: str) -> dict[str, str]:
    """The environment of another process whose default database is at `url`."""
    return {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DJANGO_SECRET_KEY": "only-for-tests",
        "PYTHONUNBUFFERED": "1",
    }


class Process(subprocess.Popen[str]):
    """A Python process on a test's database, spoken to by lines of text."""

    def __init__(self, url: str, *arguments: str) -> None:
        super().__init__(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment(url),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def tell(self, command: str) -> None:
        assert self.stdin is not None
        self.stdin.write(f"{command}\n")
        self.stdin.flush()

    def answer(self) -> str:
        assert self.stdout is not None
        return self.stdout.readline().strip()

    def ask(self, command: str) -> str:
        self.tell(command)
        return self.answer()


@pytest.fixture
def start(using: str) -> Iterator[Callable[..., Process]]:
    """Start Python processes on the test's database; they are killed at its end."""
    processes: list[Process] = []

    def start_process(*arguments: str) -> Process:
        processes.append(Process(database_url(using), *arguments))
        return processes[-1]

    yield start_process
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def role_without_rights(transactional_db: None) -> Iterator[str]:
    """A role of PostgreSQL that may read and write every table and make none."""
    role = f"monitoring_tests_{os.getpid()}"
    with connections["postgresql"].cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role}")
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
    yield role
    with connections["postgresql"].cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(f"DROP OWNED BY {role}")
        cursor.execute(f"DROP ROLE {role}")
