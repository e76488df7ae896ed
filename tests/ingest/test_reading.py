"""Whatever a message holds, it is read: nothing in it raises, and what is no event is a dead letter."""

from typing import Any

import kombu
import pytest

from monitoring.ingest.decoding import Decoder
from monitoring.ingest.figures import Figures
from monitoring.ingest.reading import Reading
from monitoring.ingest.redaction import Redactor


class Undescribable:
    def __repr__(self) -> str:
        raise LookupError


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize("headers", [{"a": nested(5_000)}, {"a": Undescribable()}, {"a": 10**5_000}])
def test_a_message_with_headers_that_cannot_be_described_is_a_dead_letter(headers: dict[str, Any]) -> None:
    reading = Reading(Decoder(Redactor(), 1_000), Figures(), 10)
    reading.add(kombu.Message(b"garbage", content_type="application/json", headers=headers, delivery_tag="1"))
    (letter,) = reading.batch.dead_letters
    assert letter.reason.startswith("not JSON")
    assert letter.size == len(b"garbage")


@pytest.mark.parametrize("body", [None, 5, [300], {"a": 1}, memoryview(b"x")])
def test_a_message_whose_body_is_no_text_is_a_dead_letter(body: Any) -> None:
    reading = Reading(Decoder(Redactor(), 1_000), Figures(), 10)
    reading.add(kombu.Message(body, content_type="application/json", delivery_tag="1"))
    assert len(reading.batch.dead_letters) == 1


def test_a_message_that_was_delivered_nobody_knows_how_is_a_dead_letter() -> None:
    reading = Reading(Decoder(Redactor(), 1_000), Figures(), 10)
    odd: Any = "x"
    reading.add(kombu.Message(b"", content_type="application/json", delivery_info=odd, delivery_tag="1"))
    assert len(reading.batch.dead_letters) == 1
