"""The short way for simple events gives what the long way gives, or nothing; msgspec writes what the library writes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.ingest.decoding import Decoder
from monitoring.ingest.events import Decoded, Event
from monitoring.ingest.quick_json import PLAIN_FLOATS, encode, encode_any
from monitoring.ingest.redaction import DEFAULT_KEYS, Redactor
from monitoring.ingest.simple_events import SimpleEvents
from monitoring.tracebacks.fingerprint import Places

ENVELOPE = {
    "hostname": "celery@web-1",
    "utcoffset": 0,
    "pid": 4121,
    "clock": 7,
    "timestamp": 1_800_000_000.25,
}
SIGNATURE = {
    "name": "shop.pay",
    "args": "(1, 'password=hunter2')",
    "kwargs": "{'api_key': 'abc', 'n': 2}",
    "root_id": "id",
    "parent_id": None,
    "retries": 0,
    "eta": "2027-01-01T00:00:00",
    "expires": None,
}
SIMPLE: list[dict[str, Any]] = [
    {"type": "task-sent", **SIGNATURE, "queue": "default", "exchange": "", "routing_key": "default"},
    {"type": "task-received", **SIGNATURE},
    {"type": "task-started"},
    {
        "type": "task-received",
        **SIGNATURE,
        "queue": "default",
        "workflow": '{"chain":["shop.mail"]}',
        "arguments": '[[1],{"n":"a"}]',
        "arguments_are": "exact",
    },
    {
        "type": "task-received",
        **SIGNATURE,
        "queue": "default",
        "arguments": '[["password","hunter2"],{"api_key":"abc"}]',
        "arguments_are": "exact",
    },
    {"type": "task-received", **SIGNATURE, "arguments": None, "arguments_are": "too large"},
    {"type": "task-received", **SIGNATURE, "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"},
    {"type": "task-succeeded", "result": "'token=abc'", "runtime": 0.25},
    {"type": "task-succeeded", "result": None, "runtime": 3.2e-05},
    {"type": "task-failed", "exception": "KeyError('x')", "traceback": "Traceback:\nKeyError: x\n"},
    {"type": "task-retried", "exception": "ExceptionWithTraceback()", "traceback": "T\nLost: away\n"},
]

SUCCEEDED = next(fields for fields in SIMPLE if fields["type"] == "task-succeeded")

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.sampled_from(
        [
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "0" * 32,
            "password=x",
            "x" * 300,
            "\0",
            "é",
            "2027-01-01T00:00:00",
            "\\u0070",
        ]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)
names = st.sampled_from([*ENVELOPE, *SIGNATURE, "uuid", "type", "result", "runtime", "exception", "traceback", "queue",
                         "arguments", "arguments_are", "workflow", "trace_id", "local_received", "worker", "progress",
                         "exception_type", "password", "mine"])  # fmt: skip


def both_ways(body: bytes, redactor: Redactor | None = None) -> tuple[Decoded, Decoded]:
    """What the decoder makes of a message, and what it makes of it by the long way alone."""
    redactor = redactor or Redactor()
    long = Decoder(redactor, 65_536)
    long._simple._is_possible = False
    content_type = "application/json"
    return Decoder(redactor, 65_536).decode(body, content_type), long.decode(body, content_type)


def stored(decoded: Decoded) -> list[Any]:
    """All that rows and the log take of events: a field that is None is as good as one that is not there."""
    return sorted(
        (
            event.subject,
            event.type,
            event.kinds,
            event.ts,
            event.tie,
            event.worker,
            str(event.clock),
            event.payload,
            sorted((name, repr(value)) for name, value in event.values.items() if value is not None),
        )
        for event in decoded.tasks
    )


@pytest.mark.parametrize("fields", SIMPLE, ids=lambda fields: fields["type"])
def test_simple_events_are_taken_the_short_way_and_come_out_the_same(fields: dict[str, Any]) -> None:
    raw = {**ENVELOPE, "uuid": "id", **fields}
    body = json.dumps(raw).encode()
    assert SimpleEvents(Redactor(), 65_536, Places()).take(body, []) == []
    short, long = both_ways(body)
    assert stored(short) == stored(long)
    assert not short.undecodable


@pytest.mark.parametrize("character", ["\0", "\ud800", "é"], ids=["nothing", "half", "beyond ASCII"])
def test_what_a_database_may_refuse_is_never_taken_the_short_way(character: str) -> None:
    for fields in SIMPLE:
        for name in (name for name, value in fields.items() if isinstance(value, str) and name != "type"):
            raw = {**ENVELOPE, "uuid": "id", **fields, name: f"a{character}b"}
            body = json.dumps(raw)
            for each in (body, body.encode()):
                assert SimpleEvents(Redactor(), 65_536, Places()).take(each, []) is None
            short, long = both_ways(body.encode())
            assert stored(short) == stored(long)


def test_those_around_an_event_with_more_than_celery_says_go_the_short_way() -> None:
    more = {"type": "task-started", "name": "shop.pay", "queue": "default", "retries": 1}
    items = [{**ENVELOPE, "uuid": "id", **fields} for fields in (SIMPLE[0], more, SUCCEEDED)]
    body = json.dumps(items).encode()
    tasks: list[Event] = []
    assert SimpleEvents(Redactor(), 65_536, Places()).take(body, tasks) == [1]
    assert [event.type for event in tasks] == ["task-sent", "task-succeeded"]
    short, long = both_ways(body)
    assert stored(short) == stored(long)
    assert len(short.tasks) == 3


@given(
    st.lists(
        st.tuples(st.sampled_from(SIMPLE), st.dictionaries(names, values, max_size=3)), min_size=1, max_size=4
    )
)
def test_whatever_a_message_holds_comes_out_the_same_both_ways(
    items: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    body = json.dumps([{**ENVELOPE, "uuid": "id", **simple, **changes} for simple, changes in items]).encode()
    short, long = both_ways(body)
    assert stored(short) == stored(long)
    assert sorted(map(repr, short.workers)) == sorted(map(repr, long.workers))
    assert short.undecodable == long.undecodable
    assert short.dropped == long.dropped


@pytest.mark.parametrize(
    "told",
    [
        {"trace_id": "password=hunter2"},
        {"trace_id": "0" * 32},
        {"trace_id": None},
        {"workflow": "password=hunter2"},
        {"arguments": "password=hunter2"},
    ],
    ids=str,
)
def test_what_a_receipt_is_told_beside_is_no_way_around_redaction(told: dict[str, Any]) -> None:
    received = {**ENVELOPE, "uuid": "id", "type": "task-received", **SIGNATURE, "queue": "default", **told}
    short, long = both_ways(json.dumps(received).encode())
    assert stored(short) == stored(long)
    assert "hunter2" not in repr(short.tasks)


def test_no_secret_comes_through_the_short_way() -> None:
    body = json.dumps([{**ENVELOPE, "uuid": "id", **simple} for simple in SIMPLE]).encode()
    short, _ = both_ways(body)
    text = repr(short.tasks)
    assert "hunter2" not in text
    assert "abc" not in text
    assert "[redacted]" in text


def test_a_project_that_hides_a_field_of_celery_closes_the_short_way() -> None:
    body = json.dumps({**ENVELOPE, "uuid": "id", **SUCCEEDED}).encode()
    short, long = both_ways(body, Redactor((*DEFAULT_KEYS, "result")))
    assert short.tasks[0].values["result"] == "[redacted]"
    assert stored(short) == stored(long)


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(-(2**63) + 1, 2**63 - 1),
            st.floats(PLAIN_FLOATS[0], PLAIN_FLOATS[1], exclude_max=True),
            st.text(st.characters(codec="utf-8")),
        ),
    )
)
def test_quick_json_writes_what_the_standard_library_does(fields: dict[str, Any]) -> None:
    assert encode(fields) == encode_any(fields)
