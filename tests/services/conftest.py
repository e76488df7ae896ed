"""Sites of the bundled project: a migrated database, a broker, and a queue that no other test reads."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.services import found, servers
from tests.services.consuming import ROOT, Database, Postgres, Site, SQLite
from tests.services.required import require


def migrate(database: Database) -> None:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DJANGO_SECRET_KEY": "only-for-tests",
        "DATABASE_URL": database.url,
        "CELERY_BROKER_URL": "memory://",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = SQLite(tmp_path_factory.mktemp("migrated") / "db.sqlite3")
    migrate(database)
    return database.path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> Iterator[str]:
    """Name of a database to make others from. Nothing runs on it, so that it stays empty, and free to be copied."""
    name = f"{postgres_url.rpartition('/')[2]}_migrated"
    with psycopg.connect(found.POSTGRES_URL, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            migrate(Postgres(name))
            yield name
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def sqlite_database(migrated_sqlite: Path, tmp_path: Path) -> SQLite:
    return SQLite(shutil.copy(migrated_sqlite, tmp_path / "db.sqlite3"))


@pytest.fixture
def postgres_database(migrated_postgres: str) -> Iterator[Postgres]:
    name = f"{migrated_postgres}_{secrets.token_hex(3)}"
    with psycopg.connect(found.POSTGRES_URL, autocommit=True) as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(migrated_postgres)
            )
        )
        try:
            yield Postgres(name)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(params=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest, tmp_path: Path, rabbitmq_url: str) -> Iterator[Site]:
    """A site on RabbitMQ. `@pytest.mark.parametrize("site", ["postgres"], indirect=True)` chooses the database."""
    if request.param == "postgres":
        require(found.postgres(), "PostgreSQL")
    database: Database = request.getfixturevalue(f"{request.param}_database")
    site = Site(tmp_path, database, rabbitmq_url, f"celeryev.test-{secrets.token_hex(3)}")
    try:
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[servers.Postgres]:
    """A PostgreSQL that the tests of one module may stop, with a database `migrated` to make others from."""
    with servers.Postgres() as server:
        database = Postgres("migrated", server.url)
        with database.server() as connection:
            connection.execute("CREATE DATABASE migrated")
        migrate(database)
        yield server


@pytest.fixture(scope="module")
def own_rabbitmq() -> Iterator[servers.RabbitMQ]:
    """A RabbitMQ that the tests of one module may stop."""
    with servers.RabbitMQ() as server:
        yield server


@pytest.fixture
def own_database(own_postgres: servers.Postgres) -> Iterator[Postgres]:
    """A migrated database on a PostgreSQL that may be stopped."""
    name = f"test_{secrets.token_hex(4)}"
    database = Postgres(name, own_postgres.url)
    with database.server() as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE migrated")
    yield database
    with database.server() as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def own_site(tmp_path: Path, own_database: Postgres, own_rabbitmq: servers.RabbitMQ) -> Iterator[Site]:
    """A site whose servers may be stopped, if the test starts them again."""
    site = Site(tmp_path, own_database, own_rabbitmq.url, f"celeryev.test-{secrets.token_hex(3)}")
    try:
        yield site
    finally:
        site.stop()
