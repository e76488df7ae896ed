"""What the benchmarks offer: every task's four events once, in an order that a real run has."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from bench.ingest.load import GROUP, SHAPES, Load, make_load, read_messages
from monitoring.ingest.decoding import Decoder
from monitoring.ingest.redaction import Redactor

EVENTS = 2_000
BASE = 1_800_000_000.0


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[GROUP, 1])
def load(request: pytest.FixtureRequest, shape: str, tmp_path: Path) -> Load:
    return make_load(
        tmp_path / "load", shape=shape, group=request.param, events=EVENTS, rate=1_000, seed="a seed"
    )


def bodies(load: Load) -> list[bytes]:
    step = 1 / load.rate
    return [
        message.template % tuple([BASE + position * step for position in message.positions])
        for message in read_messages(load.path)
    ]


def events(load: Load) -> list[dict[str, Any]]:
    """In the order of their times."""
    found: list[dict[str, Any]] = []
    for body in bodies(load):
        message = json.loads(body)
        found += message if isinstance(message, list) else [message]
    return sorted(found, key=lambda event: event["timestamp"])


def test_each_task_is_sent_received_started_and_ends_once_and_in_this_order(load: Load) -> None:
    kinds = defaultdict(list)
    for event in events(load):
        kinds[event["uuid"]].append(event["type"])
    assert len(kinds) == load.tasks == EVENTS // 4
    for found in kinds.values():
        assert found[:3] == ["task-sent", "task-received", "task-started"]
        assert found[3:] in (["task-succeeded"], ["task-failed"])
    assert 0 < load.failed == sum(found[3] == "task-failed" for found in kinds.values())


def test_times_run_with_the_rate_from_the_moment_of_publishing_on(load: Load) -> None:
    times = [event["timestamp"] for event in events(load)]
    assert times == pytest.approx([BASE + number / load.rate for number in range(load.events)])
    assert load.seconds == load.events / load.rate


def test_a_message_holds_events_of_one_host_and_no_more_than_a_worker_buffers(load: Load) -> None:
    messages = [json.loads(body) for body in bodies(load)]
    assert len(messages) == load.messages
    if load.group == 1:
        assert all(isinstance(message, dict) for message in messages)
        return
    for message in messages:
        assert 1 <= len(message) <= GROUP
        assert len({event["hostname"] for event in message}) == 1


def test_events_of_a_task_stand_side_by_side_or_apart_as_the_shape_says(load: Load) -> None:
    places = defaultdict(list)
    for place, event in enumerate(events(load)):
        places[event["uuid"]].append(place)
    spread = [found[-1] - found[0] for found in places.values()]
    if load.shape == "contiguous":
        assert set(spread) == {3}
    else:
        assert max(spread) > 100


def test_the_consumer_takes_every_event(load: Load) -> None:
    decoder = Decoder(Redactor(), 65_536)
    decoded = [decoder.decode(body, "application/json") for body in bodies(load)]
    assert sum(len(message.tasks) for message in decoded) == load.events
    assert not any(message.undecodable or message.dropped for message in decoded)


def test_a_load_is_read_again_from_its_file(load: Load) -> None:
    assert Load.open(load.path) == load
    assert load.probes[-1].position == load.events - 1
