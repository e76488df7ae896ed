"""Redis and Valkey behind Sentinel, both ways."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery

from tests.services import found, servers
from tests.services.consuming import Site, SQLite
from tests.services.load import steps

pytestmark = pytest.mark.timeout(600)
MASTER = "mymaster"


class Sentinel(servers.Valkey):
    """The same program as a sentinel that watches one server."""

    def __init__(self, watched: servers.Valkey) -> None:
        super().__init__()
        self._configuration = self.folder / "sentinel.conf"
        self._configuration.write_text(
            f"port {self.port}\nbind {found.HOST}\nsentinel monitor {MASTER} {found.HOST} {watched.port} 1\n"
        )

    @property
    def url(self) -> str:
        return f"sentinel://{found.HOST}:{self.port}/0"

    def _command(self) -> list[str]:
        return [str(self._program), str(self._configuration), "--sentinel"]

    def _answer(self) -> None:
        with redis.Redis(found.HOST, self.port, socket_connect_timeout=5) as client:
            client.ping()


@pytest.fixture(scope="module")
def sentinel() -> Iterator[Sentinel]:
    with servers.Valkey() as valkey, Sentinel(valkey) as sentinel:
        yield sentinel


@pytest.mark.parametrize("events", ["monitoring.celery:DurableEvents", "celery.app.events:Events"])
def test_events_come_through_a_sentinel(events, sentinel: Sentinel, tmp_path: Path, sqlite_database: SQLite):
    site = Site(tmp_path, sqlite_database, sentinel.url, "celeryev.monitoring")
    site.environment["WATCHED_EVENTS"] = events
    options = {"master_name": MASTER}
    site.set(CELERY_APP="tests.services.watched_project.app", CELERY_BROKER_TRANSPORT_OPTIONS=options)
    app = Celery("watched", broker=sentinel.url, events=events, set_as_current=False)
    app.conf.broker_transport_options = options
    consumer = site.consumer("--no-upkeep")
    try:
        consumer.until_said("Consuming from sentinel://")
        with app.connection_for_write() as connection, app.events.Dispatcher(connection) as sender:
            for number in range(20):
                sender._publish(steps(f"t{number}", number), sender.producer, "task.multi")

        consumer.until(lambda: len(site.database.states()) == 20)

        assert site.database.value("SELECT count(*) FROM monitoring_taskevent") == 80
        assert consumer.terminate() == 0
    finally:
        consumer.kill()
