"""What a consumer says of itself: its row for the pages, and a line in its log."""

import json
import re

import pytest

from tests.ingest.event_streams import BEGIN, event
from tests.services.consuming import Site
from tests.services.load import Load

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def consumer_row(own_site: Site):
    def row() -> dict[str, object]:
        text = own_site.database.value("SELECT row_to_json(c) FROM monitoring_consumer c")
        return text or {}

    return row


def test_the_row_says_how_the_consumer_does(own_site, own_rabbitmq, consumer_row):
    consumer = own_site.consumer("--no-upkeep", "--batch-size", "100")
    consumer.until_said("Consuming from")
    own_rabbitmq.close_connections()
    consumer.until(lambda: consumer.log.count("Consuming from") == 2)
    own_site.publish_raw(b"{no json")
    with Load(own_site.broker_url) as load:
        load.publish(100)
        consumer.until(lambda: load.is_in(own_site.database))
    consumer.until(lambda: consumer_row().get("events") == 400 and consumer_row()["dead_letters"] == 1)
    consumer.until(lambda: consumer_row()["queue_length"] == 0)

    row = consumer_row()
    assert row["pid"] == consumer.pid
    assert row["connected"] is True
    assert row["stopped_at"] is None
    assert row["reconnects"] == 1
    assert row["gaps"] == 0
    assert row["batches"] >= 1
    assert row["batch_seconds"] > 0
    assert 0 <= row["lag"] < 150
    assert row["broker"].startswith("amqp://guest:**@127.0.0.1")
    assert row["last_error"] != ""
    assert row["last_event_at"] is not None

    # Where nothing comes any more, the time goes on up to which everything is known.
    consumer.until(lambda: consumer_row()["horizon"] > row["last_event_at"])
    assert consumer.terminate() == 0
    row = consumer_row()
    assert row["connected"] is False
    assert row["stopped_at"] is not None


def test_rates_are_those_of_the_last_report(own_site, consumer_row):
    consumer = own_site.consumer("--no-upkeep")
    consumer.until_said("Consuming from")
    with Load(own_site.broker_url) as load:
        load.start()

        def goes_on() -> bool:
            row = consumer_row()
            return row.get("events_per_second", 0) > 0 and row["batches_per_second"] > 0

        consumer.until(goes_on)
    consumer.until(lambda: consumer_row()["events_per_second"] == 0)
    assert consumer.terminate() == 0


def test_what_the_database_does_not_take_shows_in_the_length_of_the_queue(
    own_site, own_database, consumer_row
):
    consumer = own_site.consumer("--no-upkeep", "--batch-size", "10")
    consumer.until_said("Consuming from")
    with Load(own_site.broker_url) as load, own_database.locked("monitoring_task"):
        load.publish(300)  # 50 messages, of which the broker hands out 20
        consumer.until(lambda: (consumer_row().get("queue_length") or 0) >= 30)
        horizon = consumer_row()["horizon"]
        assert horizon is None or horizon < own_database.value("SELECT to_json(now())")
    consumer.until(lambda: load.is_in(own_database) and consumer_row()["queue_length"] == 0)
    assert consumer.terminate() == 0


def test_the_log_has_a_line_of_figures_now_and_then(own_site):
    constants = {"monitoring.ingest.health.LOG_SECONDS": 1}
    own_site.environment["TEST_CONSTANTS"] = json.dumps(constants)
    own_site.set(CELERY_APP="tests.services.watched_project.app")
    consumer = own_site.consumer("--no-upkeep")
    consumer.until_said("Consuming from")
    own_site.publish([event("started", BEGIN)])

    line = re.compile(
        r"[\d.]+ events/s in \d+ batches, lag [\d.]+ s, \d+ messages waiting, horizon 20\d\d-.*;"
        r" so far 0 dead letters, 0 gaps, 0 reconnects"
    )
    consumer.until(lambda: line.search(consumer.log))
    assert consumer.terminate() == 0
