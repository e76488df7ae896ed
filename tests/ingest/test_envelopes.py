"""Whatever is on Redis, something is made of it that the decoder takes or refuses."""

import json
from collections.abc import Iterator
from typing import Any

import kombu
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.ingest.sources.envelopes import message_in
from tests.ingest.event_streams import BEGIN, event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["body", "headers", "content-type", "properties", "__type__", "__value__"])
PROPERTIES = st.sampled_from(["body_encoding", "delivery_tag", "delivery_info", "priority"])
ENCODINGS = st.sampled_from(["base64", "BASE64", "utf-8", "rot13"])


@pytest.fixture(scope="module")
def channel() -> Iterator[Any]:
    with kombu.Connection("memory://") as connection:
        yield connection.channel()


def envelope(body: str, properties: dict[str, Any], changed: dict[str, Any]) -> bytes:
    usual = {
        "body": body,
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"hostname": "h"},
        "properties": {
            "body_encoding": "base64",
            "delivery_tag": "0",
            "delivery_info": {"exchange": "celeryev", "routing_key": "task.sent"},
            **properties,
        },
    }
    return json.dumps(usual | changed).encode()


ALMOST = st.builds(
    envelope,
    st.just("e30="),
    st.dictionaries(PROPERTIES, JSON | ENCODINGS, max_size=2),
    st.dictionaries(NAMES, JSON, max_size=2),
)


@given(st.binary() | ALMOST | JSON.map(lambda value: json.dumps(value).encode()))
def test_something_is_made_of_anything(channel: Any, content: bytes) -> None:
    message = message_in(content, channel)
    assert isinstance(message.body, bytes | str)
    assert isinstance(message.delivery_info, dict)
    if str(message.content_type).startswith("application/x-unreadable"):
        assert message.body == content


def test_a_message_is_what_was_sent(channel: Any) -> None:
    sent = json.dumps([event("started", BEGIN)])
    body, _ = channel.encode_body(sent, "base64")
    message = message_in(envelope(body, {}, {}), channel)
    assert message.body == sent.encode()
    assert message.content_type == "application/json"
    assert message.delivery_info == {"exchange": "celeryev", "routing_key": "task.sent"}
