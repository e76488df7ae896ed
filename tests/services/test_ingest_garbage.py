"""Garbage on the event exchange: the consumer goes on, each bad message is a dead letter, the good ones are stored."""

import gzip
import json
import pickle
from typing import Any

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
