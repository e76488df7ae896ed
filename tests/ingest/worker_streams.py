"""Events of workers, for the tests."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from monitoring.ingest.stores.columns import to_datetime
from monitoring.ingest.worker_samples import DELAY, MINUTE
from tests.ingest.event_streams import BEGIN, SECOND, WORKERS, Event, RawEvent, _decoder

_SOFTWARE = {"sw_ident": "py-celery", "sw_ver": "5.7.0", "sw_sys": "Linux"}


def worker_event(kind: str, ts: int, host: str = "celery@a", **fields: Any) -> RawEvent:
    """One event of `kind` ("heartbeat"), at `ts` microseconds since the epoch."""
    stock = {
        "type": f"worker-{kind}",
        "hostname": host,
        "timestamp": ts / SECOND,
        "pid": 1,
        "clock": 1,
        "utcoffset": 0,
    }
    return {**stock, **_SOFTWARE, **fields}


def decoded_worker_events(events: list[RawEvent]) -> list[Event]:
    """The worker events of one message that holds `events`."""
    result = _decoder.decode(json.dumps(events), "application/json")
    assert not result.undecodable, result.undecodable
    return result.workers


@st.composite
def any_worker_event(draw: st.DrawFn) -> RawEvent:
    """An event of any kind, at one of few moments, of one of few workers that restart often."""
    kind = draw(st.sampled_from(["online", "heartbeat", "heartbeat", "heartbeat", "offline"]))
    figures: dict[str, Any] = {"freq": draw(st.sampled_from([2.0, 5]))}
    if draw(st.booleans()):
        figures |= {
            "active": draw(st.integers(0, 9)),
            "processed": draw(st.integers(0, 99)),
            "loadavg": [0.5, 1, 1.5],
        }
    moment = BEGIN + draw(st.integers(0, 6)) * draw(st.sampled_from([SECOND, 20 * SECOND]))
    return worker_event(kind, moment, draw(st.sampled_from(WORKERS)), pid=draw(st.integers(1, 3)), **figures)


any_worker_events = st.lists(any_worker_event(), min_size=1, max_size=10)


@st.composite
def with_delays(draw: st.DrawFn, events: list[Event]) -> list[Event]:
    """`events` as they are received, each once or twice: some at a time that tells of the sender's clock."""
    received = []
    for event in events:
        for _ in range(draw(st.integers(1, 2))):
            copied = deepcopy(event)
            if draw(st.booleans()):
                copied.values[DELAY] = draw(st.integers(-50, 50)) / 4
            received.append(copied)
    return received


def samples_of(events: list[Event]) -> list[tuple[Any, ...]]:
    """The rows of samples by their definition: the first measured heartbeat of each minute, and the extremes."""
    beats = [e for e in events if e.type != "worker-offline"]
    rows = []
    for hostname, minute in sorted({(e.subject, e.ts // MINUTE * MINUTE) for e in beats}):
        mine = [e for e in beats if (e.subject, e.ts // MINUTE * MINUTE) == (hostname, minute)]
        measured = sorted((e for e in mine if e.values["active"] is not None), key=lambda e: (e.ts, e.tie))
        first = (None,) * 7
        if measured:
            v = measured[0].values
            first = (measured[0].ts, measured[0].tie, v["active"], v["processed"], *v["loadavg"])
        pids = [e.values["pid"] for e in mine]
        delays = [e.values[DELAY] for e in mine if DELAY in e.values]
        rows.append(
            (
                hostname,
                to_datetime(minute),
                *first,
                max((e.values["active"] for e in measured), default=None),
                min(pids),
                max(pids),
                min(delays, default=None),
                0,
            )
        )
    return rows


def comings_and_goings(events: list[Event]) -> list[tuple[Any, ...]]:
    """The log of workers, in order of its key."""
    rows = {
        (e.subject, to_datetime(e.ts), e.type, e.tie, e.values["pid"], e.values["processed"])
        for e in events
        if e.type != "worker-heartbeat"
    }
    return sorted(rows, key=lambda row: row[:4])
