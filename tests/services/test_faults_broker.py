"""Whatever happens to RabbitMQ, the database has what the broker had taken, and has it once."""

from datetime import timedelta

import pytest

from tests.services import servers
from tests.services.consuming import Site, eventually
from tests.services.load import Load

pytestmark = pytest.mark.timeout(600)
QUORUM = {"x-queue-type": "quorum"}


@pytest.fixture
def load(own_site: Site):
    with Load(own_site.broker_url) as load:
        yield load


def stop_and_start_the_application(server: servers.RabbitMQ) -> None:
    server.control("stop_app")
    server.control("start_app")


def kill_and_start(server: servers.RabbitMQ) -> None:
    """As a power cut does. RabbitMQ 3.10 forgets the leader of a queue that is younger than its last clean stop."""
    server.kill()
    server.start()


def close_connections(server: servers.RabbitMQ) -> None:
    server.close_connections()


def declare(site: Site, server: servers.RabbitMQ) -> None:
    """Let a consumer make its queue, and the broker remember it."""
    consumer = site.consumer("--no-upkeep", log="first")
    consumer.until_said("Consuming from")
    assert consumer.terminate() == 0
    stop_and_start_the_application(server)


@pytest.mark.parametrize("restart", [stop_and_start_the_application, kill_and_start])
def test_events_that_wait_survive_a_restart_of_the_broker(own_site, own_rabbitmq, load, restart):
    declare(own_site, own_rabbitmq)
    load.publish(300)

    restart(own_rabbitmq)

    own_site.drain(3)
    load.assert_stored(own_site.database)


@pytest.mark.parametrize("fault", [stop_and_start_the_application, kill_and_start, close_connections])
def test_nothing_is_lost_when_the_broker_fails_while_events_are_consumed(own_site, own_rabbitmq, load, fault):
    declare(own_site, own_rabbitmq)
    consumer = own_site.consumer("--batch-size", "200")
    consumer.until_said("Consuming from")
    load.start()
    consumer.until(lambda: own_site.database.value("SELECT count(*) FROM monitoring_taskevent") > 500)

    fault(own_rabbitmq)

    consumer.until(lambda: consumer.log.count("Consuming from") >= 2)
    load.until_more()
    load.stop()
    consumer.until(lambda: load.is_in(own_site.database))
    reconnects = "SELECT max(reconnects) FROM monitoring_consumer"
    consumer.until(lambda: own_site.database.value(reconnects) >= 1)
    assert consumer.terminate() == 0
    assert "Traceback" not in consumer.log
    load.assert_stored(own_site.database)


def test_a_connection_cut_off_in_the_middle_of_a_batch_costs_a_second_delivery(own_site, own_rabbitmq, load):
    """The batch is held in the database, so that what has been delivered is not yet acknowledged."""
    consumer = own_site.consumer("--batch-size", "200", "--no-upkeep")
    consumer.until_said("Consuming from")
    with own_site.database.locked("monitoring_task"):
        load.publish(400)
        consumer.until(lambda: own_site.waiting() == 0)
        own_rabbitmq.close_connections()
        consumer.until(lambda: consumer.log.count("Consuming from") >= 2)

    consumer.until(lambda: load.is_in(own_site.database))
    consumer.until(lambda: own_site.database.value("SELECT events FROM monitoring_consumer") > 1600)
    assert consumer.terminate() == 0
    load.assert_stored(own_site.database)
    own_site.drain(0.2)
    load.assert_stored(own_site.database)


def test_a_queue_found_at_its_cap_becomes_a_gap_since_the_last_committed_event(own_site, load):
    own_site.set(QUEUE_MAX_LENGTH=20)
    consumer = own_site.consumer("--no-upkeep")
    consumer.until_said("Consuming from")
    load.publish(1)
    consumer.until(lambda: load.is_in(own_site.database))
    assert consumer.terminate() == 0
    newest = own_site.database.value("SELECT max(timestamp) FROM monitoring_taskevent")
    load.publish(200)
    eventually(lambda: own_site.waiting() == 20)

    said = own_site.drain(1)

    gaps = own_site.database.rows("SELECT started_at, ended_at, reason FROM monitoring_gap")
    assert len(gaps) == 1, said
    started_at, ended_at, reason = gaps[0]
    # Of each sender the event that came last counts, which need not be its newest.
    assert newest - timedelta(seconds=1) <= started_at <= newest
    assert ended_at > started_at
    assert "cap" in reason
    assert "Gap from" in said
    stored = own_site.database.value("SELECT count(*) FROM monitoring_taskevent")
    assert 0 < stored < len(load.published)


def test_a_queue_below_its_cap_is_no_gap(own_site, load):
    own_site.declare_queue(**QUORUM)
    load.publish(50)

    own_site.drain(1)

    assert own_site.database.value("SELECT count(*) FROM monitoring_gap") == 0
    load.assert_stored(own_site.database)


#: Of the one consumer: its loop waits for something, and has done so for a while.
STANDS_STILL = (
    "SELECT reported_at - listening_until > interval '3 seconds' FROM monitoring_consumer"
    " WHERE stopped_at IS NULL"
)


def test_a_broker_that_does_not_answer_is_left_and_keeps_no_consumer_from_ending(
    own_site, own_rabbitmq, load
):
    """As one whose host has died: the connection stands, and nothing comes over it."""
    declare(own_site, own_rabbitmq)
    consumer = own_site.consumer("--no-upkeep")
    consumer.until_said("Consuming from")
    with own_rabbitmq.frozen():
        consumer.until_said("Next try in")
    load.publish(10)
    consumer.until(lambda: load.is_in(own_site.database))

    with own_rabbitmq.frozen():
        consumer.until(lambda: own_site.database.value(STANDS_STILL))
        assert consumer.terminate() == 0
    load.assert_stored(own_site.database)
