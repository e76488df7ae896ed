"""What a task's row must be, worked out from all of its events at once, the slow and obvious way.

Written from the text of the design (docs/architecture.md, "The merge"), not from the code: it never merges anything. It
takes an event's key, (ts, tie), as the decoder gives it, and everything else from the events themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from monitoring.ingest.events import Event
from tests.ingest.event_streams import TRACES

TOLERANCE = 5_000_000


class Task:
    """The events of one task, and what follows from them."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = list(events)

    # --- Newest and first of their kind ---

    def _newest(self, *kinds: str, where: Callable[[Event], bool] = lambda e: True) -> Event | None:
        found = [e for e in self.events if e.type.removeprefix("task-") in kinds and where(e)]
        return max(found, key=lambda e: (e.ts, e.tie), default=None)

    def _first_time(self, kind: str) -> int | None:
        return min((e.ts for e in self.events if e.type == f"task-{kind}"), default=None)

    @property
    def _message(self) -> Event | None:
        return self._newest("sent", "received")

    @property
    def _start(self) -> Event | None:
        return self._newest("started")

    @property
    def _retry(self) -> Event | None:
        return self._newest("retried", "cancelled")

    @property
    def _requeue(self) -> Event | None:
        return self._newest("rejected", where=lambda e: bool(e.values.get("requeue")))

    @property
    def _end(self) -> tuple[str, Event] | None:
        """The newest success, failure or revocation; a rejection only where there is none of them."""
        ends = {
            "SUCCESS": self._newest("succeeded"),
            "FAILURE": self._newest("failed"),
            "REVOKED": self._newest("revoked"),
        }
        written = [(state, e) for state, e in ends.items() if e is not None]
        if written:
            return max(written, key=lambda end: (end[1].ts, end[1].tie))
        rejection = self._newest("rejected", where=lambda e: not e.values.get("requeue"))
        return ("REJECTED", rejection) if rejection else None

    # --- The state, and the event that it comes from ---

    @property
    def state_and_source(self) -> tuple[str, Event | None]:
        end = self._end
        going: list[tuple[str, Event | None]] = [
            ("STARTED", self._start),
            ("RETRY", self._retry),
            ("PENDING", self._requeue),
        ]
        if end is not None:
            if not any(_is_later(e, end[1]) for e in (self._start, self._newest("received"))):
                return end
            going = [(state, e) for state, e in going if e is not None and e.ts > end[1].ts]
        candidates = [(state, e) for state, e in going if e is not None]
        if candidates:
            return max(candidates, key=lambda candidate: (candidate[1].ts, candidate[1].tie))
        received = self._newest("received")
        return ("RECEIVED", received) if received else ("PENDING", None)

    @property
    def state(self) -> str:
        return self.state_and_source[0]

    # --- The whole row ---

    def row(self) -> dict[str, Any]:
        """Columns that readers see; times in microseconds, durations in seconds."""
        state, source = self.state_and_source
        shows_error = source is not None and state in ("FAILURE", "RETRY")
        ended = source is not None and state in ("SUCCESS", "FAILURE", "REVOKED", "REJECTED")
        start = self._start
        retries = [e.values.get("retries") for e in self.events if e.type in ("task-sent", "task-received")]
        return {
            "state": state,
            "worker": None if state == "PENDING" or source is None else source.worker,
            "exception": source.values.get("exception") if shows_error and source else None,
            "exception_type": source.values.get("exception_type") if shows_error and source else None,
            "traceback": source.values.get("traceback") if shows_error and source else None,
            "runtime": self._runtime(state, source),
            "finished_at": source.ts if ended and source else None,
            "attempt_started_at": start.ts if start else None,
            "wait": self._wait(state),
            "retries": max((n for n in retries if n is not None), default=None),
            "first_seen": min(e.ts for e in self.events),
            "updated_at": max(e.ts for e in self.events),
            "sent_at": self._first_time("sent"),
            "received_at": self._first_time("received"),
            "started_at": self._first_time("started"),
            **_fields(self._message, "name args kwargs root_id parent_id eta expires"),
            **_fields(self._newest("sent"), "exchange routing_key"),
            **_fields(
                self._newest(
                    "sent", "received", where=lambda e: bool(e.type == "task-sent" or e.values.get("queue"))
                ),
                "queue",
            ),
            **_fields(
                self._newest("received", where=lambda e: "arguments_are" in e.values),
                "arguments arguments_are workflow",
            ),
            **_fields(
                self._newest("received", where=lambda e: e.values.get("trace_id") in TRACES),
                "trace_id",
            ),
            **_fields(self._newest("succeeded"), "result"),
            **_fields(self._newest("revoked"), "terminated signum expired"),
            **_fields(self._newest("progress"), "progress"),
        }

    def _runtime(self, state: str, source: Event | None) -> float | None:
        """What the worker measured; else from the newest start to the end, if it was not given up in between."""
        start = self._start
        if source is None or state not in ("SUCCESS", "FAILURE", "REVOKED", "REJECTED", "RETRY"):
            return None
        if state == "SUCCESS" and source.values.get("runtime") is not None:
            return float(source.values["runtime"])
        if start is None or source.ts < start.ts:
            return None
        given_up = [e for e in (self._retry, self._requeue) if e is not None and start.ts < e.ts <= source.ts]
        if state != "RETRY" and given_up:
            return None
        return (source.ts - start.ts) / 1_000_000

    def _wait(self, state: str) -> float | None:
        sent, start, message = self._newest("sent"), self._start, self._message
        if sent is None or start is None or message is None or state in ("PENDING", "RECEIVED", "RETRY"):
            return None
        eta = message.values.get("eta")
        return max(0, start.ts - max(sent.ts, eta if eta is not None else sent.ts)) / 1_000_000


def _is_later(event: Event | None, end: Event) -> bool:
    """Certainly later: clocks of two hosts may be five seconds apart, those of one host are the same."""
    if event is None:
        return False
    return event.ts > end.ts + (0 if event.worker == end.worker else TOLERANCE)


def _fields(event: Event | None, names: str) -> dict[str, Any]:
    return {name: None if event is None else event.values.get(name) for name in names.split()}
