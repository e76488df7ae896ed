"""Services for the tests: each test that uses one gets a corner of its own, and leaves nothing in it."""

import os
import secrets
import socket
import subprocess
from collections.abc import Generator, Iterator

import psycopg
import pytest
import redis
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from kombu import pools
from psycopg import sql

from tests.services import found
from tests.services.required import require

# A busy machine is no failing example, and no slow generator of examples. Where many rely on the outcome the examples
# are the same in each run, so that it changes with the code alone; a developer's runs look for new ones.
hypothesis_settings.register_profile(
    "monitoring",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
hypothesis_settings.load_profile("monitoring")

#: For a question of a page, in place of a quarter of a second.
READING_SECONDS = 30.0
# Redis has 16 databases; 0 is everybody's default.
REDIS_DATABASES = range(1, 16)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """`django_db(databases=["postgresql"])` needs a PostgreSQL, which is an alias of tests/settings.py."""
    for marker in item.iter_markers("django_db"):
        if "postgresql" in (marker.kwargs.get("databases") or ()):
            require("postgresql" in settings.DATABASES, "PostgreSQL")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright keeps an event loop in the main thread, where asyncio tests need to start one."""
    items.sort(key=lambda item: "chromium" in getattr(item, "fixturenames", ()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """xdist sends reports as UTF-8, which cannot say the halves of characters that some tests make the product log."""
    report = yield
    report.sections = [(name, text.encode(errors="replace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(autouse=True)
def _open_broker_pools() -> None:
    """kombu keeps pools by URL for the whole process: none that an app of another test has closed is for this one."""
    for group in (pools.connections, pools.producers):
        for connection, pool in list(group.items()):
            # A pool of producers is open itself when its connections are closed.
            if pool._closed or getattr(pool, "connections", pool)._closed:
                # Its keys are hashes already; its own `del` would hash them again.
                dict.pop(group, connection)


@pytest.fixture(autouse=True)
def _patient_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that a busy machine lets wait is no slow one; tests of what is too slow say so themselves."""
    for module in ("queries.reading", "admin.task_list"):
        monkeypatch.setattr(f"monitoring.{module}.LIMIT", READING_SECONDS)


@pytest.fixture(scope="session")
def rabbitmq_url() -> Iterator[str]:
    """Broker URL of a virtual host of its own on the running RabbitMQ."""
    require(found.rabbitmq(), "RabbitMQ")
    vhost = f"test-{secrets.token_hex(4)}"
    try:
        rabbitmqctl("add_vhost", vhost)
    except (OSError, subprocess.CalledProcessError):
        # Debian's rabbitmqctl is for root and for the server's own user.
        require(False, "a rabbitmqctl that this user may use")
    try:
        rabbitmqctl("set_permissions", "-p", vhost, "guest", ".*", ".*", ".*")
        yield f"{found.RABBITMQ_URL}/{vhost}"
    finally:
        rabbitmqctl("delete_vhost", vhost)


def rabbitmqctl(*arguments: str) -> None:
    """Run a command against the running RabbitMQ."""
    subprocess.run(["rabbitmqctl", "--quiet", *arguments], check=True, capture_output=True, text=True)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """URL of an empty database of the running Redis; it is emptied again afterwards."""
    require(found.redis_server(), "Redis")
    with redis.Redis.from_url(f"{found.REDIS_URL}/0") as registry:
        number = _claim_redis_database(registry)
        url = f"{found.REDIS_URL}/{number}"
        try:
            with redis.Redis.from_url(url) as client:
                client.flushdb()
                yield url
                client.flushdb()
        finally:
            registry.delete(_claim(number))


def _claim(number: int) -> str:
    return f"monitoring-tests:database:{number}"


def _claim_redis_database(registry: "redis.Redis[bytes]") -> int:
    """The number of a database that no other test run has taken; a run that was killed gives up after an hour."""
    for number in REDIS_DATABASES:
        if registry.set(_claim(number), "taken", nx=True, ex=3600):
            return number
    pytest.fail("every database of Redis is taken by another test run", pytrace=False)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of an empty database of its own on the running PostgreSQL."""
    require(found.postgres(), "PostgreSQL")
    name = f"test_{secrets.token_hex(4)}"
    with psycopg.connect(found.POSTGRES_URL, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield found.POSTGRES_URL.rpartition("/")[0] + f"/{name}"
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the system's Chromium."""
    path = found.chromium()
    require(path, "Chromium")
    assert path
    return path


@pytest.fixture(scope="session")
def closed_port() -> Iterator[int]:
    """A loopback port that nobody listens on, and that nobody else can take."""
    with socket.socket() as taken:
        taken.bind((found.HOST, 0))
        yield taken.getsockname()[1]
