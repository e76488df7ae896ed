"""Events of tasks as workers really send them, and as only an adversary would, for the property tests.

Two kinds of strategies:

- :func:`histories` plays a task through a cluster whose clocks disagree by up to two seconds, and knows the true state
  at the end, wherever Celery leaves no doubt about it.
- :func:`any_events` are sets without any sense: every kind, few hosts, few moments, so that equal times are common.

Both give events as JSON objects, the way they come from the exchange; :func:`decoded` brings them through the decoder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from monitoring.ingest.decoding import Decoder
from monitoring.ingest.events import Event
from monitoring.ingest.redaction import Redactor

RawEvent = dict[str, Any]

#: Where every history begins: 2026-11-22 12:00:00 UTC, in microseconds.
BEGIN = 1_795_348_800_000_000
SECOND = 1_000_000
MAX_SKEW = 2 * SECOND
#: Between two events on different hosts whose order decides: more than the clocks can disagree.
TOLD_APART = 2 * MAX_SKEW + SECOND
#: Between an end and a new start on another host: the state function allows for five seconds of skew.
RUN_AGAIN = 5 * SECOND + TOLD_APART

#: Ids that are ids of traces; any other text is none.
TRACES = ("4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c")

_decoder = Decoder(Redactor(), 65_536)


def decoded(events: list[RawEvent]) -> list[Event]:
    """The task events of one message that holds `events`."""
    result = _decoder.decode(json.dumps(events), "application/json")
    assert not result.undecodable, result.undecodable
    return result.tasks


def event(kind: str, ts: int, host: str = "celery@a", task_id: str = "t", **fields: Any) -> RawEvent:
    """One event of `kind` ("started"), at `ts` microseconds since the epoch."""
    return {
        "type": f"task-{kind}",
        "uuid": task_id,
        "timestamp": ts / SECOND,
        "hostname": host,
        "pid": 1,
        "clock": 1,
        "utcoffset": 0,
        **fields,
    }


# --- Realistic histories ---


@dataclass
class History:
    """All events of one task in the order of true time, and the state that it is truly in after each of them."""

    task_id: str
    events: list[RawEvent] = field(default_factory=list)
    states: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        return self.states[-1] if self.states else "PENDING"


@dataclass
class Cluster:
    """Hosts with clocks of their own; the microseconds by which each is ahead."""

    skews: dict[str, int]
    clocks: dict[str, int] = field(default_factory=dict)

    def stamp(self, host: str, true_time: int) -> tuple[int, int]:
        """The host's own time and its next logical clock."""
        self.clocks[host] = self.clocks.get(host, 0) + 1
        return true_time + self.skews[host], self.clocks[host]


CLIENT = "gen77@client"
WORKERS = ("celery@a", "celery@b", "celery@c")


class _Story:
    """Plays one task. Each method is something that happens; `history.state` is what is true after it."""

    def __init__(self, draw: st.DrawFn, cluster: Cluster, task_id: str) -> None:
        self._draw = draw
        self._cluster = cluster
        self.history = History(task_id)
        self._now = BEGIN + draw(st.integers(0, 3600)) * SECOND
        self._retries = 0
        self._name = "shop.pay"
        self._worker = CLIENT
        self._has_ended_otherwise = False

    def play(self) -> None:
        self._send(CLIENT)
        for _ in range(self._draw(st.integers(0, 4))):
            if not self._attempt():
                break

    def _attempt(self) -> bool:
        """One delivery and what comes of it; whether another one follows."""
        self._change_worker()
        if self._maybe(1, 12):
            self._emit("revoked", state="REVOKED", terminated=False, signum=None, expired=True)
            self._has_ended_otherwise = True
            return self._maybe_run_again()
        self._receive()
        if self._maybe(1, 10):
            return False
        self._start()
        end = self._draw(st.sampled_from(_ENDS))
        follows: bool = getattr(self, f"_end_{end}")()
        return follows

    # --- How an attempt goes on; each answers whether the task is delivered again ---

    def _end_nowhere(self) -> bool:
        """`Ignore`, or simply not yet: no further event."""
        return False

    def _end_success(self) -> bool:
        runtime = self._draw(st.one_of(st.none(), st.floats(0, 100)))
        self._emit("succeeded", state="SUCCESS", result="'done'", runtime=runtime)
        self._has_ended_otherwise = True
        return self._maybe_run_again()

    def _end_failure(self) -> bool:
        self._emit(
            "failed", state="FAILURE", exception="ValueError('x')", traceback="Traceback\nValueError: x"
        )
        self._has_ended_otherwise = True
        return self._maybe_run_again()

    def _end_hard_time_limit(self) -> bool:
        self._emit("failed", state="FAILURE", exception="TimeLimitExceeded(3)", traceback=None)
        self._emit(
            "failed",
            state="FAILURE",
            exception="ExceptionWithTraceback()",
            traceback="Traceback\nTimeLimitExceeded: 3",
        )
        self._has_ended_otherwise = True
        return self._maybe_run_again()

    def _end_revoked(self) -> bool:
        signum = self._draw(st.sampled_from([9, "SIGTERM", None]))
        self._emit("revoked", state="REVOKED", terminated=True, signum=signum, expired=False)
        self._has_ended_otherwise = True
        return self._maybe_run_again()

    def _end_rejected(self) -> bool:
        """`Reject(requeue=False)`: Celery 5.7 sends a failure before it, Celery 5.6 only this.

        The state function puts every other end before a rejection, so 5.6 is only played where there was none.
        """
        if self._has_ended_otherwise or self._draw(st.booleans()):
            self._emit("failed", state="FAILURE", exception="reject requeue=False: no", traceback=None)
            self._has_ended_otherwise = True
            self._emit("rejected", state="FAILURE", requeue=False)
        else:
            self._emit("rejected", state="REJECTED", requeue=False)
        return self._maybe_run_again()

    def _end_requeue(self) -> bool:
        self._emit("rejected", state="PENDING", requeue=True)
        return True

    def _end_connection_lost(self) -> bool:
        self._emit("cancelled", state="RETRY")
        return True

    def _end_worker_killed(self) -> bool:
        """kill -9: no event; the broker gives the message to another worker."""
        return True

    def _end_retry(self) -> bool:
        """The next attempt is sent, and often even received, before this one is reported as retried."""
        self._retries += 1
        self._send(self._worker)
        early = self._draw(st.booleans())
        if early:
            self._emit("received", **self._message())
        self._emit(
            "retried", state="RETRY", exception="OSError('again')", traceback="Traceback\nOSError: again"
        )
        return True

    def _end_replace(self) -> bool:
        """`self.replace()`: the same id is sent again under a new name, and this attempt says nothing more."""
        self._retries = 0
        self._name = "shop.pay_later"
        self._send(self._worker)
        return True

    def _maybe_run_again(self) -> bool:
        """Somebody sends the task again by hand, under the same id."""
        if not self._maybe(1, 3):
            return False
        self._now += RUN_AGAIN
        self._retries = 0
        self._send(CLIENT)
        self._now += RUN_AGAIN
        return True

    # --- Steps ---

    def _send(self, host: str) -> None:
        self._emit(
            "sent",
            host,
            queue="celery",
            exchange="",
            routing_key="celery",
            **self._message(),
            **self._family(),
        )

    def _receive(self) -> None:
        ended = self.history.state in ("SUCCESS", "FAILURE", "REVOKED", "REJECTED")
        first = self.history.state == "PENDING" and not self._was("rejected")
        self._emit("received", state="RECEIVED" if ended or first else None, **self._message())

    def _start(self) -> None:
        if self._maybe(1, 4):
            self._emit("progress", current=1, total=10, message="reading", pid=99)
        self._emit("started", state="STARTED")
        for step in range(self._draw(st.integers(0, 2))):
            self._emit("progress", current=step, total=10, pid=99)
        if self._maybe(1, 6):
            self._emit("half-way", note="a kind of our own")

    def _change_worker(self) -> None:
        worker = self._draw(st.sampled_from(WORKERS))
        if worker != self._worker:
            self._now += TOLD_APART
        self._worker = worker

    def _message(self) -> dict[str, Any]:
        return {"name": self._name, "args": "(1,)", "kwargs": "{}", "retries": self._retries, "eta": None}

    def _family(self) -> dict[str, Any]:
        return {"root_id": self.history.task_id, "parent_id": None}

    def _was(self, kind: str) -> bool:
        return any(earlier["type"] == f"task-{kind}" for earlier in self.history.events)

    def _maybe(self, chances: int, of: int) -> bool:
        return self._draw(st.integers(1, of)) <= chances

    def _emit(self, kind: str, host: str | None = None, *, state: str | None = None, **fields: Any) -> None:
        self._now += self._draw(st.integers(1, 3 * SECOND))
        host = host or self._worker
        ts, clock = self._cluster.stamp(host, self._now)
        raw = event(kind, ts, host, self.history.task_id, clock=clock)
        self.history.events.append(raw | fields)
        self.history.states.append(state or self.history.state)


_ENDS = tuple(name.removeprefix("_end_") for name in vars(_Story) if name.startswith("_end_"))


@st.composite
def histories(draw: st.DrawFn, task_ids: tuple[str, ...] = ("t",)) -> list[History]:
    """One history for each of `task_ids`, in one cluster."""
    skews = {host: draw(st.integers(-MAX_SKEW, MAX_SKEW)) for host in (CLIENT, *WORKERS)}
    cluster = Cluster(skews)
    stories = [_Story(draw, cluster, task_id) for task_id in task_ids]
    for story in stories:
        story.play()
    return [story.history for story in stories]


# --- Sets without sense ---

KINDS = (
    "sent", "received", "started", "succeeded", "failed", "retried", "revoked", "rejected", "cancelled", "progress",
    "half-way",
)  # fmt: skip
_texts = st.one_of(st.none(), st.sampled_from(["a", "b", "ValueError('x')", "naïve ✓", ""]))
_arguments = st.sampled_from([None, "[[],{}]", '[["\\u2713\\u0000"],{"n":1}]', "[[1],", '[[],{"token":"a"}]'])
_moments = st.integers(0, 6).map(lambda seconds: BEGIN + seconds * 2 * SECOND)
_etas = st.sampled_from([None, "2026-11-22T12:00:07+00:00", "2026-11-22T12:00:03.000001", "soon", 5])


@st.composite
def any_event(draw: st.DrawFn, task_ids: tuple[str, ...] = ("t",)) -> RawEvent:
    """An event of any kind at one of few moments, from one of few hosts, which claims anything."""
    kind = draw(st.sampled_from(KINDS))
    raw = event(
        kind,
        draw(_moments),
        draw(st.sampled_from(WORKERS)),
        draw(st.sampled_from(task_ids)),
        clock=draw(st.integers(0, 3)),
    )
    match kind:
        case "sent" | "received":
            raw |= {
                "name": draw(_texts),
                "args": draw(_texts),
                "kwargs": draw(_texts),
                "retries": draw(st.one_of(st.none(), st.integers(0, 3))),
                "eta": draw(_etas),
                "expires": draw(_etas),
                "root_id": draw(_texts),
                "parent_id": draw(_texts),
            }
            if kind == "received" and draw(st.booleans()):  # by a worker with the plug-in
                raw |= {"queue": draw(_texts), "workflow": draw(_texts), "arguments": draw(_arguments)}
                raw |= {"arguments_are": draw(st.sampled_from(["exact", "redacted", "too large", "?"]))}
            if kind == "received" and draw(st.booleans()):
                raw["trace_id"] = draw(st.one_of(_texts, st.sampled_from(TRACES)))
            if kind == "sent":
                raw |= {"queue": draw(_texts), "exchange": "", "routing_key": draw(_texts)}
        case "succeeded":
            raw |= {
                "result": draw(_texts),
                "runtime": draw(st.one_of(st.none(), st.sampled_from([0.0, 0.1, 7]))),
            }
        case "failed" | "retried":
            raw |= {"exception": draw(_texts), "traceback": draw(_texts)}
        case "revoked":
            raw |= {
                "terminated": draw(st.sampled_from([True, False, None])),
                "signum": draw(st.sampled_from([None, 9, "SIGTERM"])),
                "expired": draw(st.booleans()),
            }
        case "rejected":
            raw |= {"requeue": draw(st.booleans())}
        case "progress":
            raw |= {
                "current": draw(st.integers(0, 4)),
                "total": draw(st.integers(0, 4)),
                "message": draw(_texts),
            }
    return raw


def any_events(task_ids: tuple[str, ...] = ("t",), max_size: int = 14) -> st.SearchStrategy[list[RawEvent]]:
    """A set of events, at least one."""
    return st.lists(any_event(task_ids), min_size=1, max_size=max_size)


# --- How a set may arrive ---


@st.composite
def arrivals(draw: st.DrawFn, events: list[Any]) -> list[list[Any]]:
    """`events` in any order, some of them several times, split into batches; every one of them at least once."""
    again = draw(st.lists(st.sampled_from(events), max_size=len(events)))
    order = draw(st.permutations([*events, *again]))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=4)))
    edges = [0, *cuts, len(order)]
    return [list(order[start:end]) for start, end in pairwise(edges)]
