"""Counters go on where they were when everything is started again, and nothing counts twice."""

from __future__ import annotations

import time

import pytest

from tests.metrics.scrape import Scrape
from tests.project import serving
from tests.services.consuming import Site, eventually
from tests.services.load import steps

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.parametrize("site", ["postgres"], indirect=True),
]


def _counters(scrape: Scrape) -> dict[tuple[str, ...], float]:
    """Every sample of the tasks' counters and histograms."""
    return {
        (sample.name, *map(str, sorted(sample.labels.items()))): sample.value
        for family in scrape.families
        if family.type in ("counter", "histogram") and family.name.startswith(("flower_", "celery_"))
        for sample in family.samples
    }


def test_two_restarts_of_everything_keep_every_counter_and_redelivery_adds_nothing(site: Site, tmp_path):
    site.set(METRICS_PUBLIC=True)
    heartbeats = [
        {"type": "worker-heartbeat", "hostname": f"celery@{n}", "timestamp": time.time(), "clock": 1, "freq": 2.0,
         "active": 0, "processed": 1, "loadavg": [0.1, 0.1, 0.1]}
        for n in range(3)
    ]  # fmt: skip
    tasks = [steps(f"t{number}", number) for number in range(60)]
    before: dict[tuple[str, ...], float] = {}
    for known in (20, 40, 60):
        consumer = site.consumer()
        consumer.until_said("Consuming from")
        site.publish([*heartbeats, *tasks[:known]])  # the first ones once more each time
        with serving.daphne("project.asgi:application", tmp_path, **site.environment) as web:

            def scrape(web: serving.Site = web) -> Scrape:
                return Scrape(web.get("/metrics").text)

            def sent(scrape=scrape) -> float:
                return scrape().total("celery_task_sent_total")

            consumer.until(lambda known=known, sent=sent: sent() == known)
            # Added to the totals by upkeep, or not yet: the figures are the same.
            eventually(lambda: site.database.value("SELECT count(*) FROM monitoring_eventdelta") == 0)
            seen = scrape()
        counters = _counters(seen)
        assert before.keys() <= counters.keys()
        assert all(counters[series] >= value for series, value in before.items())
        failed = known // 10
        assert seen.total("celery_task_failed_total", exception="OSError") == failed
        assert seen.total("celery_task_succeeded_total") == known - failed
        assert seen.total("celery_task_runtime_count") == known - failed
        assert seen.total("flower_events_total") == 4 * known
        before = counters
        if known == 20:
            consumer.kill()
        else:
            assert consumer.terminate() == 0
