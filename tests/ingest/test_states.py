"""A task's state is the one that its events add up to, in whatever order they came and whoever's clock was wrong."""

import math

import pytest
from hypothesis import given, settings

from monitoring.ingest.folding import Fold
from monitoring.ingest.registers import TASK_RULES, WORKER_RULES
from monitoring.ingest.states import DERIVED_COLUMNS, derive
from monitoring.ingest.worker_states import DERIVED_COLUMNS as WORKER_DERIVED_COLUMNS
from monitoring.ingest.worker_states import derive as derive_worker
from tests.ingest import oracle
from tests.ingest.event_streams import BEGIN, SECOND, RawEvent, any_events, decoded, event, histories
from tests.ingest.worker_streams import any_worker_events, decoded_worker_events, worker_event

fold = Fold(TASK_RULES)
workers = Fold(WORKER_RULES)


def derived(events: list[RawEvent]) -> dict[str, object]:
    """What follows from `events` of one task."""
    (row,) = fold.fold(decoded(events)).values()
    return dict(zip(DERIVED_COLUMNS, derive(row), strict=True))


def state(events: list[RawEvent]) -> object:
    return derived(events)["state"]


def trace(*steps: tuple[object, ...]) -> list[RawEvent]:
    """Events from (kind, retries or None, logical clock, seconds after the first[, fields])."""
    events = []
    for kind, retries, clock, seconds, *fields in steps:
        assert isinstance(kind, str)
        assert isinstance(seconds, int | float)
        raw = event(kind, BEGIN + round(seconds * SECOND), clock=clock)
        raw["hostname"] = "gen1@client" if kind == "sent" else "celery@a"
        if retries is not None:
            raw["retries"] = retries
        for more in fields:
            assert isinstance(more, dict)
            raw |= more
        events.append(raw)
    return events


@given(any_events(max_size=20).map(decoded))
def test_state_is_what_the_design_says_for_any_set_of_events(events):
    (row,) = fold.fold(events).values()

    assert derive(row)[0] == oracle.Task(events).state


@settings(max_examples=300)
@given(histories())
def test_state_is_the_true_one_at_every_moment_although_clocks_disagree_by_two_seconds(stories):
    """The fold does not know an order (test_folding.py), so this holds for every order of arrival."""
    (story,) = stories

    assert [state(story.events[: n + 1]) for n in range(len(story.events))] == story.states


# Traces of real workers: Celery 5.7 on RabbitMQ, three slots, in the order that they arrived in.
TRACES = {
    "a task that is retried twice and then succeeds": (
        trace(
            ("received", 0, 7, 0), ("sent", 0, 8, 0), ("started", None, 10, 0.007), ("sent", 1, 29, 0.047),
            ("received", 1, 20, 0.049), ("retried", None, 31, 0.077), ("started", None, 48, 0.384),
            ("sent", 2, 70, 0.387), ("received", 2, 49, 0.391), ("retried", None, 50, 0.394),
            ("started", None, 54, 0.588), ("succeeded", None, 55, 0.590),
        ),
        "SUCCESS",
    ),
    "the same, while it waits for its second retry": (
        trace(
            ("received", 0, 7, 0), ("sent", 0, 8, 0), ("started", None, 10, 0.007), ("sent", 1, 29, 0.047),
            ("received", 1, 20, 0.049), ("retried", None, 31, 0.077), ("started", None, 48, 0.384),
            ("sent", 2, 70, 0.387), ("received", 2, 49, 0.391), ("retried", None, 50, 0.394),
        ),
        "RETRY",
    ),
    "a task whose first report of progress comes before its start": (
        trace(
            ("sent", 0, 1, 0), ("received", 0, 13, 0.001), ("progress", None, 2, 0.052), ("started", None, 28, 0.054),
            ("progress", None, 3, 0.06), ("progress", None, 4, 0.07), ("succeeded", None, 45, 0.08),
        ),
        "SUCCESS",
    ),
    "a task that rejects its message": (
        trace(
            ("sent", 0, 1, 0), ("received", 0, 2, 0.001), ("started", None, 3, 0.002),
            ("failed", None, 4, 0.003, {"exception": "reject requeue=False: no"}),
            ("rejected", None, 5, 0.004, {"requeue": False}),
        ),
        "FAILURE",
    ),
    "a task that rejects its message, in Celery 5.6": (
        trace(
            ("sent", 0, 1, 0), ("received", 0, 2, 0.001), ("started", None, 3, 0.002),
            ("rejected", None, 5, 0.004, {"requeue": False}),
        ),
        "REJECTED",
    ),
    "a task that hits its hard time limit, which is reported twice": (
        trace(
            ("sent", 0, 1, 0), ("received", 0, 2, 0.001), ("started", None, 3, 0.002), ("failed", None, 4, 3.0),
            ("failed", None, 5, 3.1),
        ),
        "FAILURE",
    ),
    "a task that replaces itself": (
        trace(
            ("received", 0, 2, 0), ("sent", 0, 1, 0.001), ("started", None, 3, 0.002),
            ("sent", 0, 4, 0.003, {"name": "another"}), ("received", 0, 5, 0.004), ("started", None, 6, 0.005),
            ("succeeded", None, 7, 0.006),
        ),
        "SUCCESS",
    ),
    "a task that is ignored": (
        trace(("received", 0, 1, 0), ("sent", 0, 1, 0), ("started", None, 3, 0.002)),
        "STARTED",
    ),
    "a task that expired before anybody took it": (
        trace(("sent", 0, 1, 0), ("revoked", None, 3, 9, {"expired": True, "terminated": False, "signum": None})),
        "REVOKED",
    ),
    "a task whose process was killed": (
        trace(
            ("received", 0, 1, 0), ("started", None, 2, 0.002),
            ("failed", None, 3, 0.2, {"exception": "ExceptionWithTraceback()"}),
        ),
        "FAILURE",
    ),
    "a task that no worker knows": (
        trace(("sent", 0, 1, 0), ("failed", None, 3, 0.2, {"exception": "NotRegistered('shop.pay')"})),
        "FAILURE",
    ),
    "a task with an ETA that is revoked, before the ETA": (
        trace(("sent", 0, 1, 0), ("received", 0, 3, 0.2)),
        "RECEIVED",
    ),
    "a task that is killed while it runs": (
        trace(
            ("received", 0, 1, 0), ("started", None, 2, 0.002),
            ("revoked", None, 3, 1, {"terminated": True, "signum": 9, "expired": False}),
        ),
        "REVOKED",
    ),
    "a task that was sent and of which nothing else is known": (trace(("sent", 0, 1, 0)), "PENDING"),
    "a task of which only a custom event is known": (trace(("half-way", None, 1, 0)), "PENDING"),
    "a task that goes back to its queue": (
        trace(
            ("sent", 0, 1, 0), ("received", 0, 2, 0.1), ("started", None, 3, 0.2),
            ("rejected", None, 4, 0.3, {"requeue": True}),
        ),
        "PENDING",
    ),
    "a task whose worker lost its connection to the broker": (
        trace(("sent", 0, 1, 0), ("received", 0, 2, 0.1), ("started", None, 3, 0.2), ("cancelled", None, 4, 0.3)),
        "RETRY",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TRACES)
def test_real_traces_end_in_their_state(name):
    events, expected = TRACES[name]

    assert state(events) == expected
    assert state(events[::-1]) == expected


def test_a_task_sent_again_by_hand_is_opened_again_when_a_worker_takes_it():
    first = trace(("sent", 0, 1, 0), ("received", 0, 2, 1), ("started", None, 3, 2), ("failed", None, 4, 3))
    again = trace(
        ("sent", 0, 1, 60), ("received", 0, 8, 61), ("started", None, 9, 62), ("succeeded", None, 10, 63)
    )

    assert [state(first + again[:n]) for n in range(5)] == [
        "FAILURE",
        "FAILURE",
        "RECEIVED",
        "STARTED",
        "SUCCESS",
    ]


@pytest.mark.parametrize(
    ("seconds", "host", "expected"),
    [(0.001, "celery@a", "STARTED"), (4.9, "celery@b", "SUCCESS"), (5.1, "celery@b", "STARTED")],
)
def test_an_end_stands_until_a_start_is_later_beyond_what_two_clocks_may_differ(seconds, host, expected):
    end = event("succeeded", BEGIN, "celery@a")
    start = event("started", BEGIN + round(seconds * SECOND), host)

    assert state([end, start]) == expected


# --- What follows from the state ---


def test_worker_error_and_end_are_those_of_the_event_that_the_state_comes_from():
    events = [
        event("retried", BEGIN, "celery@a", exception="OSError('first')", traceback="tb1"),
        event("failed", BEGIN + SECOND, "celery@b", exception="ValueError('last')", traceback="tb2"),
    ]

    found = derived(events)

    assert (found["worker"], found["exception"], found["exception_type"], found["traceback"]) == (
        "celery@b",
        "ValueError('last')",
        "ValueError",
        "tb2",
    )
    assert found["finished_at"] == BEGIN + SECOND


def test_a_success_hides_the_error_of_the_attempt_before_it():
    events = [event("retried", BEGIN, exception="OSError('x')"), event("succeeded", BEGIN + SECOND)]

    assert derived(events)["exception"] is None


def test_run_time_is_what_the_worker_measured_else_from_start_to_end():
    start = event("started", BEGIN)

    assert derived([start, event("succeeded", BEGIN + 3 * SECOND, runtime=2.5)])["runtime"] == 2.5
    assert derived([start, event("succeeded", BEGIN + 3 * SECOND, runtime=None)])["runtime"] == 3.0
    assert derived([start, event("failed", BEGIN + 4 * SECOND)])["runtime"] == 4.0
    assert derived([start, event("retried", BEGIN + 5 * SECOND)])["runtime"] == 5.0
    assert derived([start])["runtime"] is None


def test_a_task_revoked_while_it_waits_for_its_next_attempt_has_no_run_time():
    events = [
        event("started", BEGIN),
        event("retried", BEGIN + SECOND),
        event("revoked", BEGIN + 900 * SECOND, terminated=False),
    ]

    assert (derived(events)["state"], derived(events)["runtime"]) == ("REVOKED", None)


def test_attempt_starts_with_the_newest_start():
    events = [event("started", BEGIN), event("retried", BEGIN + 1), event("started", BEGIN + 9 * SECOND)]

    assert derived(events)["attempt_started_at"] == BEGIN + 9 * SECOND


def test_wait_is_from_the_newest_sending_to_the_newest_start():
    sent, start = event("sent", BEGIN), event("started", BEGIN + 2 * SECOND)
    again = [event("sent", BEGIN + 10 * SECOND, retries=1), event("started", BEGIN + 13 * SECOND)]

    assert derived([sent, start])["wait"] == 2.0
    assert derived([sent, start, *again])["wait"] == 3.0


def test_wait_begins_at_the_eta():
    eta = "2026-11-22T12:00:07"  # seven seconds after BEGIN
    sent = event("sent", BEGIN, eta=eta)

    assert derived([sent, event("started", BEGIN + 9 * SECOND)])["wait"] == 2.0
    assert derived([sent, event("started", BEGIN + 6 * SECOND)])["wait"] == 0


def test_wait_is_never_below_zero():
    assert derived([event("sent", BEGIN), event("started", BEGIN - SECOND, "celery@b")])["wait"] == 0


def test_wait_is_unknown_without_a_sending_and_while_the_next_attempt_waits():
    sent, start = event("sent", BEGIN), event("started", BEGIN + SECOND)
    requeued = event("rejected", BEGIN + 2 * SECOND, requeue=True)

    assert derived([event("received", BEGIN), start])["wait"] is None
    assert derived([sent])["wait"] is None
    assert derived([sent, event("received", BEGIN + 1)])["wait"] is None
    assert derived([sent, start, event("retried", BEGIN + 2 * SECOND)])["wait"] is None
    assert derived([sent, start, requeued])["wait"] is None


def test_derived_durations_are_finite_whatever_a_worker_measured():
    for runtime in (1e999, -1e999, "NaN", "x", True, [1]):
        found = derived([event("started", BEGIN), event("succeeded", BEGIN + SECOND, runtime=runtime)])
        assert isinstance(found["runtime"], float)
        assert math.isfinite(found["runtime"])


# --- Workers ---


def worker(events: list[RawEvent]) -> dict[str, object]:
    (row,) = workers.fold(decoded_worker_events(events)).values()
    return dict(zip(WORKER_DERIVED_COLUMNS, derive_worker(row), strict=True))


def test_a_worker_is_online_from_its_first_heartbeat_until_it_says_goodbye():
    online, beat = worker_event("online", BEGIN), worker_event("heartbeat", BEGIN + SECOND)
    offline, restarted = (
        worker_event("offline", BEGIN + 2 * SECOND),
        worker_event("online", BEGIN + 3 * SECOND),
    )

    assert worker([online, beat])["online"] is True
    assert worker([offline, beat, online])["online"] is False
    assert worker([restarted, offline, beat, online])["online"] is True
    assert worker([offline])["online"] is False


def test_a_worker_shows_its_newest_start_stop_and_heartbeat():
    events = [
        worker_event("online", BEGIN),
        worker_event("offline", BEGIN + SECOND),
        worker_event("online", BEGIN + 2 * SECOND),
        worker_event("heartbeat", BEGIN + 3 * SECOND),
    ]

    found = worker(events[::-1])

    assert (found["started_at"], found["stopped_at"], found["last_heartbeat"]) == (
        BEGIN + 2 * SECOND,
        BEGIN + SECOND,
        BEGIN + 3 * SECOND,
    )


@given(any_worker_events)
def test_a_worker_is_online_exactly_when_its_last_word_was_not_goodbye(events):
    found = decoded_worker_events(events)
    for host, row in workers.fold(found).items():
        mine = [e for e in found if e.subject == host]
        last = max(mine, key=lambda e: (e.ts, e.tie))
        if any(e.type != "worker-offline" for e in mine):
            assert derive_worker(row)[0] is (last.type != "worker-offline")
