"""A real consumer under a configured OpenTelemetry SDK."""

import json
from pathlib import Path

import pytest

from tests.ingest.event_streams import BEGIN, event
from tests.services.consuming import Site

pytestmark = [pytest.mark.timeout(600), pytest.mark.parametrize("site", ["sqlite"], indirect=True)]


def test_every_batch_of_a_consumer_is_a_span(site: Site, tmp_path: Path) -> None:
    site.declare_queue(**{"x-queue-type": "quorum"})
    site.publish([event("received", BEGIN, name="shop.pay"), event("started", BEGIN + 1)])
    spans = tmp_path / "spans"
    site.environment |= {"DJANGO_SETTINGS_MODULE": "tests.services.traced_settings", "SPANS": str(spans)}
    site.drain()
    found = [json.loads(line) for line in spans.read_text().splitlines()]
    assert {span["name"] for span in found} == {"monitoring.batch"}
    assert sum(span["attributes"]["monitoring.batch.new_events"] for span in found) == 2
