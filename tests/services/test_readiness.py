"""``/readyz`` tells the truth under every fault, soon, and no secret; the process itself is well all the time."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.ingest.event_streams import event
from tests.project import serving
from tests.services.consuming import Site, eventually

pytestmark = pytest.mark.timeout(600)

#: Seconds for an answer of a machine that is busy with other things; what hangs in these tests hangs for ever.
SOON = 30


class Probed:
    """A web server as an orchestrator sees it."""

    def __init__(self, web: serving.Site, secrets: tuple[str, ...]) -> None:
        self._web = web
        self._secrets = secrets

    def reasons(self) -> dict[str, str]:
        """Why it is not ready; empty: it is."""
        begun = time.monotonic()
        answer: Any = self._web.get("/readyz")
        assert time.monotonic() - begun < SOON
        assert self._web.get("/healthz").status == 200
        said = json.loads(answer.text)
        assert (answer.status, said["ready"]) in {(200, True), (503, False)}
        assert said["ready"] is not bool(said["reasons"])
        for secret in self._secrets:
            assert secret not in answer.text
        return said["reasons"]

    def until(self, **wanted: str) -> None:
        """Wait until exactly these are not well, each for a reason that begins so."""

        def so() -> bool:
            found = self.reasons()
            return set(found) == set(wanted) and all(found[name].startswith(wanted[name]) for name in wanted)

        eventually(so, lambda: str(self.reasons()))


def test_every_fault_is_told_and_ends_with_its_cause(own_site: Site, own_postgres, own_rabbitmq, tmp_path):
    secrets = (
        own_site.database.url,
        own_site.broker_url,
        str(own_postgres.port),
        str(own_rabbitmq.port),
        "guest",
    )
    with serving.daphne("project.asgi:application", tmp_path, **own_site.environment) as web:
        probed = Probed(web, secrets)
        probed.until(consumer="No event consumer is running")

        consumer = own_site.consumer()
        probed.until()

        with own_site.database.locked("monitoring_task"):
            own_site.publish([event("started", int(time.time() * 1e6), task_id="waits")])
            probed.until(consumer="The event consumer is ")
        probed.until()

        with own_rabbitmq.frozen():
            eventually(lambda: "broker" in probed.reasons(), lambda: str(probed.reasons()))
        own_rabbitmq.kill()
        probed.until(broker="Cannot be reached", consumer="The event consumer is not connected")
        own_rabbitmq.start()
        probed.until()

        with own_postgres.frozen():
            probed.until(
                database="No answer within 1 s.", consumer="Not known, since the database does not answer."
            )
        probed.until()
        own_postgres.kill()
        probed.until(database="Cannot be reached (OperationalError)", consumer="Not known")
        own_postgres.start()
        probed.until()

        consumer.kill()
        probed.until(consumer="No event consumer is running")
    assert "Traceback" not in (tmp_path / "daphne.log").read_text()
