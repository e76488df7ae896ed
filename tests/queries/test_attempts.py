"""From events to attempts: every order that Celery really sends them in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitoring.queries.attempts import Attempt, Ending, Origin, attempts_of

START = datetime(2026, 11, 22, 14, 41, 55, tzinfo=UTC)


@dataclass
class Event:
    type: str
    timestamp: datetime
    worker: str = "celery@w1"
    payload: dict[str, Any] = field(default_factory=dict)


def event(kind: str, after: float, worker: str = "celery@w1", **payload: Any) -> Event:
    return Event(f"task-{kind}", START + timedelta(seconds=after), worker, payload)


def told(attempts: list[Attempt]) -> list[tuple[str, str | None, str | None]]:
    return [
        (attempt.origin.value, attempt.worker, attempt.ended_as.value if attempt.ended_as else None)
        for attempt in attempts
    ]


def test_a_task_that_succeeds_is_one_attempt_with_its_times() -> None:
    [attempt] = attempts_of(
        [
            event("sent", 0, "gen1@web", queue="default", retries=0),
            event("received", 0.9, retries=0, pid=4121),
            event("started", 1.3, pid=4121),
            event("succeeded", 4.31, runtime=3.005, result="'ok'"),
        ]
    )
    assert (attempt.origin, attempt.ended_as) == (Origin.FIRST, Ending.SUCCESS)
    assert (attempt.worker, attempt.pid) == ("celery@w1", 4121)
    assert attempt.wait == 1.3
    assert attempt.runtime == 3.005


def test_each_retry_is_an_attempt_even_where_its_receipt_is_reported_first() -> None:
    attempts = attempts_of(
        [
            event("received", 0, retries=0),
            event("sent", 0.001, "gen1@web", retries=0),
            event("started", 0.007),
            event("sent", 0.047, "gen2@w1", retries=1, eta=(START + timedelta(seconds=0.3)).isoformat()),
            event("received", 0.049, retries=1),
            event("retried", 0.077, exception="Timeout()"),
            event("started", 0.384),
            event("sent", 0.387, "gen2@w1", retries=2),
            event("received", 0.391, retries=2),
            event("retried", 0.394, exception="Timeout()"),
            event("started", 0.588),
            event("failed", 0.59, exception="Timeout()", traceback="..."),
        ]
    )
    assert told(attempts) == [
        ("first", "celery@w1", "RETRY"),
        ("retry", "celery@w1", "RETRY"),
        ("retry", "celery@w1", "FAILURE"),
    ]
    assert [attempt.retries for attempt in attempts] == [0, 1, 2]
    assert attempts[1].wait is not None
    assert abs(attempts[1].wait - 0.084) < 0.001, "a retry waits from its ETA on"
    assert attempts[2].traceback == "..."


def test_redelivery_after_a_worker_died_is_told_from_a_retry() -> None:
    attempts = attempts_of(
        [
            event("received", 0, retries=0),
            event("started", 1),
            event("received", 60, "celery@w2", retries=0),
            event("started", 61, "celery@w2"),
            event("succeeded", 62, "celery@w2", runtime=1.0),
        ]
    )
    assert told(attempts) == [("first", "celery@w1", "vanished"), ("redelivered", "celery@w2", "SUCCESS")]
    assert attempts[0].runtime is None, "nobody knows how long it ran"


def test_redelivery_before_the_first_worker_started_it() -> None:
    attempts = attempts_of(
        [
            event("received", 0, retries=0),
            event("received", 60, "celery@w2", retries=0),
            event("started", 61, "celery@w2"),
        ]
    )
    assert told(attempts) == [("first", "celery@w1", "vanished"), ("redelivered", "celery@w2", None)]
    assert attempts[0].started_at is None


def test_requeue_is_told_from_redelivery() -> None:
    attempts = attempts_of(
        [
            event("received", 0, retries=0),
            event("started", 1),
            event("rejected", 2, requeue=True),
            event("received", 3, retries=0),
            event("started", 4),
            event("succeeded", 5, runtime=1.0),
        ]
    )
    assert told(attempts) == [("first", "celery@w1", "requeued"), ("requeued", "celery@w1", "SUCCESS")]


def test_a_rejection_that_is_reported_as_failed_and_rejected_is_one_end() -> None:
    [attempt] = attempts_of(
        [
            event("received", 0, retries=0),
            event("started", 1),
            event("failed", 2, exception="Reject('no')"),
            event("rejected", 2.001, requeue=False),
        ]
    )
    assert attempt.ended_as is Ending.FAILURE
    assert attempt.exception == "Reject('no')"


def test_a_hard_time_limit_is_one_end_and_keeps_the_report_that_says_more() -> None:
    [attempt] = attempts_of(
        [
            event("received", 0, retries=0),
            event("started", 1),
            event("failed", 4, exception="ExceptionWithTraceback()"),
            event("failed", 4.1, exception="TimeLimitExceeded(3,)", traceback="Traceback"),
        ]
    )
    assert attempt.exception == "TimeLimitExceeded(3,)"
    assert attempt.runtime == 3


def test_a_task_sent_again_under_its_id_is_told_from_a_retry() -> None:
    attempts = attempts_of(
        [
            event("sent", 0, "gen1@web", retries=0),
            event("received", 0.1, retries=0),
            event("started", 0.2),
            event("sent", 0.3, "gen2@w1", retries=0, name="other"),
            event("received", 0.4, retries=0),
            event("started", 0.5),
            event("succeeded", 0.6, runtime=0.1),
        ]
    )
    assert [attempt.origin for attempt in attempts] == [Origin.FIRST, Origin.SENT_AGAIN]
    assert attempts[1].sent_at == START + timedelta(seconds=0.3)


def test_what_was_not_seen_is_unknown() -> None:
    [attempt] = attempts_of([event("failed", 0, exception="NotRegistered('x')")])
    assert (attempt.origin, attempt.ended_as) == (Origin.UNKNOWN, Ending.FAILURE)
    assert attempt.wait is None
    assert attempt.runtime is None
    [attempt] = attempts_of([event("started", 0), event("succeeded", 1, runtime=None)])
    assert attempt.wait is None
    assert attempt.runtime == 1


def test_a_task_that_was_revoked_in_its_queue_never_started() -> None:
    [attempt] = attempts_of([event("sent", 0, "gen1@web", retries=0), event("revoked", 5, expired=True)])
    assert attempt.ended_as is Ending.REVOKED
    assert attempt.started_at is None
    assert attempt.runtime is None


def test_what_a_task_reports_itself_is_no_attempt() -> None:
    assert attempts_of([event("progress", 0, current=1), event("custom", 1)]) == []


KINDS = [
    "sent",
    "received",
    "started",
    "retried",
    "succeeded",
    "failed",
    "revoked",
    "rejected",
    "cancelled",
    "x",
]
EVENTS = st.builds(
    event,
    st.sampled_from(KINDS),
    st.floats(min_value=0, max_value=100),
    st.sampled_from(["celery@w1", "celery@w2"]),
    retries=st.one_of(st.none(), st.integers(-1, 3), st.text(max_size=2)),
    runtime=st.one_of(st.none(), st.floats(allow_nan=False), st.text(max_size=2)),
    eta=st.one_of(st.none(), st.text(max_size=12), st.just("2026-11-22T14:42:00")),
    exception=st.one_of(st.none(), st.text(max_size=3), st.integers()),
    requeue=st.booleans(),
)


@given(st.lists(EVENTS, max_size=25))
def test_any_events_make_attempts_and_none_is_lost(events: list[Event]) -> None:
    events.sort(key=lambda each: each.timestamp)
    attempts = attempts_of(events)
    told_of = [id(each) for attempt in attempts for each in attempt.events]
    assert sorted(told_of) == sorted(id(each) for each in events if each.type != "task-x")
    for attempt in attempts:
        assert attempt.wait is None or attempt.wait >= 0
