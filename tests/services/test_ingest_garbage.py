"""Garbage on the event exchange: the consumer goes on, each bad message is a dead letter, the good ones are stored."""

import gzip
import json
import pickle
import struct
from typing import Any

import amqp
import kombu
import pytest

from tests.ingest.event_streams import BEGIN, event
from tests.ingest.worker_streams import worker_event
from tests.services.consuming import Site, eventually

YEAR_9999 = 253_402_300_000


def good(name: str, **fields: Any) -> dict[str, Any]:
    return event("succeeded", BEGIN, task_id=name, **fields)


def body(message: Any) -> bytes:
    return json.dumps(message).encode()


def throw_garbage(site: Site) -> list[str]:
    """Garbage of every kind between good events; the start of the reason that each must be given, in order."""
    reasons = []

    def bad(reason: str, content: bytes, content_type: str = "application/json", **properties: Any) -> None:
        site.publish_raw(content, content_type, **properties)
        reasons.append(reason)
        site.publish([good(f"after-{len(reasons)}")])

    bad("not JSON", b"garbage")
    bad("not JSON", b"")
    bad("not JSON", b"\xff\x00\xfe")
    bad("no event type", b"{}")
    bad("not an event: a JSON int", b"5")
    bad(
        "content type 'application/x-python-serialize'",
        pickle.dumps(good("x")),
        "application/x-python-serialize",
    )
    bad("content type 'application/x-yaml'", b"a: 1", "application/x-yaml")
    bad("no task id (uuid)", body({k: v for k, v in good("x").items() if k != "uuid"}))
    bad("task id (uuid) longer than 255", body(good("x" * 256)))
    bad("timestamp outside the years", body(good("x") | {"timestamp": YEAR_9999}))
    bad("no timestamp", body(good("x") | {"timestamp": "now"}))
    bad("no event type", body([good("in-a-list-1"), {"no": "type"}, good("in-a-list-2")]))
    bad("not JSON", b"[" * 200_000)
    bad("not JSON", gzip.compress(body(good("x"))))
    bad("not JSON", b"not compressed", headers={"compression": "application/x-gzip"})
    bad("not JSON", b"unknown", headers={"compression": "application/x-of-ours"})
    return reasons


@pytest.mark.parametrize("site", ["sqlite", "postgres"], indirect=True)
def test_garbage_becomes_dead_letters_and_everything_good_around_it_is_stored(site):
    site.declare_queue(**{"x-queue-type": "quorum"})
    reasons = throw_garbage(site)
    site.publish(
        [
            good("nul\0", result="a\0b", **{"na\0me": "\ud800"}),
            good("large", result="x" * 10_485_760),
            [good("in-a-group"), worker_event("heartbeat", BEGIN)],
        ]
    )
    others = ("shop-opened", "worker-elect", "worker-elect-ack")
    site.publish([{"type": kind, "hostname": "h", "timestamp": 1, "topic": "x"} for kind in others])

    said = site.drain(1)

    letters = site.database.rows(
        "SELECT reason, size, length(digest), content_type FROM monitoring_deadletter ORDER BY id"
    )
    for (found, size, digest, content_type), expected in zip(letters, reasons, strict=True):
        assert found.startswith(expected)
        assert digest == 64
        assert isinstance(size, int)
        assert content_type
    names = {f"after-{n + 1}" for n in range(len(reasons))} | {
        "in-a-list-1",
        "in-a-list-2",
        "nul␀",
        "large",
        "in-a-group",
    }
    assert site.database.states() == dict.fromkeys(names, "SUCCESS")
    assert site.database.value("SELECT result FROM monitoring_task WHERE task_id = 'nul␀'") == "a␀b"
    large = site.database.value("SELECT result FROM monitoring_task WHERE task_id = 'large'")
    assert large.endswith("… [cut: 10,485,760 characters]")
    assert len(large) < 100_000
    assert "Traceback" not in said
    assert site.waiting() == 0


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
def test_a_dead_letter_keeps_nothing_of_a_body_and_no_secret_of_its_headers(site):
    site.declare_queue(**{"x-queue-type": "quorum"})
    site.publish_raw(
        b"password=hunter2-in-the-body", headers={"api_key": "hunter2-in-a-header", "hostname": "h"}
    )

    said = site.drain(0.5)

    assert "Dead letter: not JSON" in said
    assert "hunter2" not in said
    assert "hunter2" not in repr(site.database.rows("SELECT * FROM monitoring_deadletter"))
    assert site.database.value("SELECT count(*) FROM monitoring_deadletter") == 1


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
def test_what_a_consumer_had_stored_before_it_was_killed_is_no_second_dead_letter(site):
    site.declare_queue(**{"x-queue-type": "quorum"})
    letters = "SELECT count(*) FROM monitoring_deadletter"
    site.publish_raw(b"garbage")
    site.drain(0.5)
    assert site.database.value(letters) == 1

    # As if the broker had not heard of it.
    site.publish_raw(b"garbage")
    with kombu.Connection(site.broker_url) as connection, connection.channel() as channel:
        eventually(lambda: channel.basic_get(site.queue) is not None)
    site.drain(0.5)
    assert site.database.value(letters) == 1

    site.publish_raw(b"garbage")
    site.drain(0.5)
    assert site.database.value(letters) == 2


def unreadable(site: Site) -> list[str]:
    """Messages that py-amqp cannot read itself, between good events; the reason that each must be given, in order."""
    table = b""
    for _ in range(3_000):  # more levels than py-amqp can go down, and so can nobody's own encoder
        table = b"\x01aF" + struct.pack(">I", len(table)) + table
    texts = "could not be read: UnicodeDecodeError in its properties"
    bad: list[tuple[str, bytes, bytes, bytes]] = [
        (texts, properties(0x8000, b"\x02\xff\xfe"), b"task.multi", body(good("x"))),
        (texts, properties(0x4000, b"\x01\xff"), b"task.multi", b""),
        (
            "could not be read: RecursionError in its properties",
            properties(0x2000, struct.pack(">I", len(table)) + table),
            b"task.multi",
            b"x" * 300_000,  # in frames of its own
        ),
        (
            "could not be read: ValueError in its properties",
            properties(0x2000, struct.pack(">I3sQ", 11, b"\x01aT", 2**40)),  # a time after all years
            b"task.multi",
            body(good("x")),
        ),
        (
            "could not be read: UnicodeDecodeError in its routing key",
            properties(0x8000, b"\x10application/json"),
            b"task.\xff",
            body(good("x")),
        ),
        (
            "could not be read: UnicodeDecodeError in its routing key",
            properties(0x8000, b"\x10application/json"),
            b"task.\xff",
            b"",
        ),
    ]
    with kombu.Connection(site.broker_url) as connection, connection.channel() as channel:
        channel.confirm_select()
        for number, (_, encoded, routing_key, content) in enumerate(bad, 1):
            message = RawProperties(content)
            message.encoded = encoded
            channel.basic_publish_confirm(message, exchange="celeryev", routing_key=routing_key)
            site.publish([good(f"after-{number}")])
    return [reason for reason, *_ in bad]


class RawProperties(amqp.Message):
    encoded: bytes

    def _serialize_properties(self) -> bytes:
        return self.encoded


def properties(flag: int, value: bytes) -> bytes:
    return struct.pack(">H", flag) + value


@pytest.mark.parametrize("site", ["postgres"], indirect=True)
def test_what_the_driver_itself_cannot_read_is_a_dead_letter_and_nothing_around_it_is_lost(site):
    site.declare_queue(**{"x-queue-type": "quorum"})
    site.publish([good("before")])
    reasons = unreadable(site)

    said = site.drain(2)

    letters = site.database.rows("SELECT reason, size FROM monitoring_deadletter ORDER BY id")
    assert [reason for reason, _ in letters] == reasons
    assert [size for _, size in letters] == [len(body(good("x"))), 0, 300_000, *[len(body(good("x")))] * 2, 0]
    names = {"before"} | {f"after-{n + 1}" for n in range(len(reasons))}
    assert site.database.states() == dict.fromkeys(names, "SUCCESS")
    assert said.count("Consuming from") == 1
    assert "Traceback" not in said
    assert site.waiting() == 0
