"""The consumer outlives what surrounds it: broker, database, and a queue that somebody else made."""

import os
import signal

import pytest
from celery import Celery

from monitoring.ingest.sources.contract import NO_CAP, SourceOptions
from monitoring.ingest.sources.rabbitmq import RabbitMQSource
from monitoring.ingest.sources.read_ahead import ReadAhead
from tests.conftest import rabbitmqctl
from tests.ingest.event_streams import BEGIN, event
from tests.ingest.worker_streams import worker_event
from tests.services.consuming import Site, eventually

ON_SQLITE = pytest.mark.parametrize("site", ["sqlite"], indirect=True)
ON_POSTGRES = pytest.mark.parametrize("site", ["postgres"], indirect=True)
STATES = "SELECT state FROM monitoring_task"


def vhost(site: Site) -> str:
    return site.broker_url.rpartition("/")[2]


@ON_SQLITE
def test_a_consumer_whose_connection_is_closed_connects_again_and_says_so(site):
    consumer = site.consumer()
    consumer.until_said("Consuming from")
    site.publish([event("started", BEGIN, task_id="before")])
    consumer.until(lambda: "before" in site.database.states())

    rabbitmqctl("close_all_connections", "--vhost", vhost(site), "a test")
    consumer.until_said("Next try in")
    consumer.until(lambda: consumer.log.count("Consuming from") >= 2)
    site.publish([event("started", BEGIN, task_id="after")])
    consumer.until(lambda: "after" in site.database.states())

    assert "Broker amqp://guest:**@" in consumer.log
    assert consumer.terminate() == 0
    assert "Traceback" not in consumer.log


@ON_SQLITE
def test_events_that_come_while_no_consumer_runs_wait_for_it(site):
    consumer = site.consumer()
    consumer.until_said("Consuming from")
    assert consumer.terminate() == 0

    site.publish([event("succeeded", BEGIN, task_id=f"t{n}") for n in range(50)])
    site.drain(0.5)

    assert site.database.states() == {f"t{n}": "SUCCESS" for n in range(50)}


@ON_SQLITE
def test_a_queue_with_other_arguments_is_used_as_it_is_with_a_warning(site):
    site.declare_queue(**{"x-queue-type": "classic", "x-max-length": 5_000})
    site.publish([event("succeeded", BEGIN)])

    said = site.drain(0.5)

    assert "exists with other arguments and is used as it is" in said
    assert site.database.states() == {"t": "SUCCESS"}


@ON_SQLITE
@pytest.mark.parametrize(
    ("arguments", "length", "size"),
    [
        ({"x-queue-type": "quorum", "x-max-length": 20}, 20, None),
        ({"x-queue-type": "classic", "x-max-length-bytes": 2_000, "x-expires": 60_000}, None, 2_000),
        ({"x-queue-type": "quorum", "x-max-length": 10, "x-max-length-bytes": 10_000}, 10, 10_000),
    ],
)
def test_the_caps_of_a_queue_with_other_arguments_are_its_own(site, arguments, length, size):
    """What it drops is known by them alone."""
    site.declare_queue(**arguments)
    app = Celery(broker=site.broker_url, set_as_current=False)
    source = RabbitMQSource(app, SourceOptions(site.queue, 10, 10_000, prefetch=1))
    source.open(lambda message: None)
    source.close()

    assert (source.options.max_length, source.options.max_bytes) == (length or NO_CAP, size or NO_CAP)


@ON_POSTGRES
def test_what_a_queue_at_its_cap_drops_while_it_is_read_lies_in_a_gap(site):
    site.set(CELERY_APP="tests.services.watched_project.app", QUEUE_MAX_LENGTH=100)
    second = 1_000_000
    consumer = site.consumer("--no-upkeep", "--batch-size", "10")
    consumer.until_said("Consuming from")
    site.publish([event("started", BEGIN + n * second, task_id=f"{n}") for n in range(50)])
    consumer.until(lambda: len(site.database.states()) == 50)
    with site.database.locked("monitoring_task"):
        site.publish([event("started", BEGIN + n * second, task_id=f"{n}") for n in range(50, 400)])
        length = "SELECT max(queue_length) FROM monitoring_consumer"
        consumer.until(lambda: (site.database.value(length) or 0) >= 95)
    consumer.until(lambda: site.database.value("SELECT count(*) FROM monitoring_gap"))

    missing = sorted(set(range(400)) - set(map(int, site.database.states())))
    ((begin, end),) = site.database.rows(
        "SELECT extract(epoch FROM started_at)::int, extract(epoch FROM ended_at)::int FROM monitoring_gap"
    )
    assert len(missing) > 200
    assert 0 <= begin - BEGIN // second <= missing[0] < missing[-1] < end - BEGIN // second
    assert consumer.terminate() == 0


GAPS = "SELECT reason FROM monitoring_gap"


@ON_SQLITE
def test_a_queue_that_is_deleted_is_made_anew_and_what_was_in_it_lies_in_a_gap(site):
    site.publish([event("started", BEGIN, task_id="nobody-listens")])
    consumer = site.consumer("--no-upkeep")
    consumer.until_said("Consuming from")
    site.publish([event("started", BEGIN, task_id="before")])
    consumer.until(lambda: "before" in site.database.states())
    assert site.database.rows(GAPS) == []  # nobody knows of anything before the first queue

    rabbitmqctl("delete_queue", "--vhost", vhost(site), site.queue)
    consumer.until(lambda: consumer.log.count("Consuming from") >= 2)
    consumer.until(lambda: len(site.database.rows(GAPS)) == 1)
    assert consumer.terminate() == 0

    site.publish([event("started", BEGIN, task_id="waits")])
    site.drain(0.5)
    assert len(site.database.rows(GAPS)) == 1

    rabbitmqctl("delete_queue", "--vhost", vhost(site), site.queue)
    site.publish([event("started", BEGIN, task_id="lost")])
    site.drain(0.5)
    assert (
        site.database.rows(GAPS)
        == [("the event queue was not there, so nothing has kept what was sent meanwhile",)] * 2
    )
    assert set(site.database.states()) == {"before", "waits"}


@ON_SQLITE
def test_drain_ends_while_heartbeats_go_on(site):
    """A worker is never silent; only task events keep a drain from ending."""
    site.declare_queue(**{"x-queue-type": "quorum"})
    site.publish([event("succeeded", BEGIN, task_id=f"t{n}") for n in range(2_000)])
    consumer = site.consumer("--drain", "1", "--batch-size", "100")

    beats = 0
    while consumer._process.poll() is None:
        beats += 1
        site.publish([worker_event("heartbeat", BEGIN + beats)])
        assert beats < 100_000, consumer.log

    assert consumer.wait() == 0
    assert len(site.database.states()) == 2_000


@ON_POSTGRES
def test_a_consumer_waits_for_a_database_that_is_away_and_then_writes_everything(site):
    consumer = site.consumer()
    consumer.until_said("Consuming from")
    with site.database.away():
        site.publish([event("started", BEGIN, task_id=f"t{n}") for n in range(100)])
        consumer.until_said("could not be written and are kept")

    consumer.until(lambda: len(site.database.states()) == 100)

    assert consumer.terminate() == 0
    site.drain(0.2)
    assert site.database.value("SELECT count(*) FROM monitoring_taskevent") == 100


@ON_POSTGRES
def test_a_consumer_that_is_asked_to_stop_while_the_database_is_away_ends_and_loses_nothing(site):
    consumer = site.consumer()
    consumer.until_said("Consuming from")
    with site.database.away():
        site.publish([event("started", BEGIN, task_id=f"t{n}") for n in range(100)])
        consumer.until_said("could not be written and are kept")

        assert consumer.terminate() == 0

    assert site.database.states() == {}
    site.drain(0.5)
    assert len(site.database.states()) == 100


@ON_POSTGRES
def test_a_consumer_that_starts_before_its_database_waits_for_it(site):
    site.declare_queue(**{"x-queue-type": "quorum"})
    site.publish([event("started", BEGIN)])
    with site.database.away():
        consumer = site.consumer()
        consumer.until_said("not currently accepting connections")

    consumer.until(lambda: site.database.states() == {"t": "STARTED"})

    assert consumer.terminate() == 0


@ON_SQLITE
def test_a_consumer_that_starts_before_its_broker_waits_and_can_be_stopped(site):
    site.environment["CELERY_BROKER_URL"] = "amqp://guest:sesame@127.0.0.1:1//"
    consumer = site.consumer()
    consumer.until_said("Next try in")

    assert consumer.terminate() == 0
    assert "sesame" not in consumer.log


@ON_SQLITE
def test_a_broker_that_carries_no_events_is_refused_with_the_reason(site):
    site.environment["CELERY_BROKER_URL"] = "sqla+sqlite:///nowhere.sqlite3"
    consumer = site.consumer()

    assert consumer.wait() != 0
    assert "no publish/subscribe" in consumer.log or "No module named 'sqlalchemy'" in consumer.log


def test_what_the_broker_sends_is_read_ahead_on_each_connection(rabbitmq_url):
    app = Celery(broker=rabbitmq_url, set_as_current=False)
    source = RabbitMQSource(app, SourceOptions("ahead", 10, 10_000, 1))
    source.open(lambda message: None)
    try:
        assert isinstance(source.connection.connection.transport._quick_recv, ReadAhead)
    finally:
        source.close()


@ON_SQLITE
def test_hanging_up_takes_nothing_more_and_what_was_acknowledged_stays_so(site):
    """What the broker has handed out in advance stands before its answer: up to 8,000 messages by default."""
    site.declare_queue(**{"x-queue-type": "classic"})
    site.publish([event("started", BEGIN, task_id=f"t{n}") for n in range(300)])
    options = SourceOptions(site.queue, 1_000, 10_000_000, prefetch=250)
    source = RabbitMQSource(Celery(broker=site.broker_url, set_as_current=False), options)
    taken = []
    source.open(taken.append)
    try:
        eventually(lambda: site.waiting() == 50)
        while len(taken) < 20:
            source.read(1)
        source.acknowledge([message.delivery_tag for message in taken])
    finally:
        source.close()

    assert len(taken) == 20
    eventually(lambda: site.waiting() == 280)


@ON_POSTGRES
def test_a_consumer_that_is_asked_to_stop_in_a_backlog_stores_what_it_acknowledges(site):
    """The broker has handed out as much as it may by then."""
    consumer = site.consumer("--no-upkeep", "--batch-size", "100")
    consumer.until_said("Consuming from")
    with site.database.locked("monitoring_task"):
        site.publish([[event("started", BEGIN, task_id=f"t{m}-{n}") for n in range(24)] for m in range(500)])
        consumer.until(lambda: site.waiting() == 300)
        os.kill(consumer.pid, signal.SIGTERM)

    assert consumer.wait() == 0
    stored = site.database.value("SELECT count(*) FROM monitoring_taskevent")
    # What was not acknowledged waits again once the broker has noticed its end.
    eventually(lambda: stored - 100 <= 24 * (500 - site.waiting()) <= stored, lambda: f"{stored} are stored")
    site.drain(0.5)
    assert site.database.value("SELECT count(*) FROM monitoring_taskevent") == 24 * 500
