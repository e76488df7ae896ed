"""Brokers that cannot carry events are refused with the reason and the way out."""

from pathlib import Path

import pytest

from tests.services.consuming import Site, SQLite


@pytest.mark.parametrize(
    ("url", "name", "way_out"),
    [
        ("sqla+sqlite:///broker.sqlite3", "'sqlalchemy'", "Use RabbitMQ, Redis or Valkey as the broker."),
        ("sqs://key:secret@", "'sqs'", "or SQS with SNS (transport option supports_fanout)."),
    ],
)
def test_a_transport_without_publish_subscribe_is_refused(
    url: str, name: str, way_out: str, tmp_path: Path, sqlite_database: SQLite
):
    consumer = Site(tmp_path, sqlite_database, url, "celeryev.monitoring").consumer("--no-upkeep")

    assert consumer.wait() == 1
    last_line = consumer.log.strip().splitlines()[-1]
    assert last_line.startswith(f"CommandError: Celery sends no events through the broker transport {name}")
    assert last_line.endswith(way_out)
    assert "Traceback" not in consumer.log
    assert "secret" not in consumer.log


def test_a_transport_whose_packages_are_missing_says_which(tmp_path: Path, sqlite_database: SQLite):
    consumer = Site(tmp_path, sqlite_database, "zookeeper://127.0.0.1", "celeryev.monitoring").consumer()

    assert consumer.wait() == 1
    assert "CommandError: The broker transport 'zookeeper' cannot be loaded" in consumer.log


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense://127.0.0.1", "Celery knows no broker transport 'nonsense'."),
        ("amqp://guest:hush/hush@127.0.0.1//", "are /, :, @, # and % in its password percent-encoded?"),
        ("amqp://guest:hush@127.0.0.1:99999//", "is its port a number"),
    ],
)
def test_an_address_of_no_broker_is_refused(
    url: str, words: str, tmp_path: Path, sqlite_database: SQLite
) -> None:
    consumer = Site(tmp_path, sqlite_database, url, "celeryev.monitoring").consumer("--no-upkeep")

    assert consumer.wait() == 1
    assert words in consumer.log.strip().splitlines()[-1]
    assert "Traceback" not in consumer.log
    assert "hush" not in consumer.log
