"""A consumer is heard of as long as it lives."""

import time

import pytest

from monitoring.ingest import health
from monitoring.ingest.figures import Figures
from monitoring.models import Consumer

SECONDS = 60


@pytest.mark.django_db(transaction=True, available_apps=["monitoring"])
def test_a_fault_that_nobody_expects_ends_no_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = [RuntimeError("a fault")]
    hostname = health.socket.gethostname()

    def name_of_host() -> str:
        if faults:
            raise faults.pop()
        return hostname

    monkeypatch.setattr(health.socket, "gethostname", name_of_host)
    monkeypatch.setattr(health, "REPORT_SECONDS", 0.05)
    reporter = health.HealthReporter("c", Figures(), "default")
    reporter.start()
    deadline = time.monotonic() + SECONDS
    while not Consumer.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    reporter.stop()
    assert Consumer.objects.get().stopped_at is not None
