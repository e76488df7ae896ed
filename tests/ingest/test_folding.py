"""The fold is a join: whatever order, duplication and batching events come in, the row is the same."""

from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitoring.ingest.events import Event
from monitoring.ingest.folding import Fold, Row
from monitoring.ingest.registers import TASK_RULES, WORKER_RULES
from monitoring.ingest.states import DERIVED_COLUMNS, derive
from tests.ingest import oracle
from tests.ingest.event_streams import BEGIN, SECOND, TRACES, any_events, arrivals, decoded, event, histories

TASKS = ("t", "u")
fold = Fold(TASK_RULES)

event_sets = any_events(TASKS).map(decoded)
rows = any_events(("t",)).map(decoded).map(lambda events: fold.fold(events)["t"])


def of(events: list[Event]) -> dict[str, Row]:
    return fold.fold(events)


def joined(batches: list[list[Event]]) -> dict[str, Row]:
    """Each batch folded by itself and joined into what was there, as a store does it."""
    stored: dict[str, Row] = {}
    for batch in batches:
        for subject, row in of(batch).items():
            stored[subject] = fold.join(stored[subject], row) if subject in stored else row
    return stored


def shown(row: Row) -> dict[str, Any]:
    """The columns of a row by name."""
    return {
        **dict(zip(TASK_RULES.columns, fold.flatten(row), strict=True)),
        **dict(zip(DERIVED_COLUMNS, derive(row), strict=True)),
    }


@given(st.data(), event_sets)
def test_any_order_duplication_and_batching_gives_the_same_rows(data, events):
    batches = data.draw(arrivals(events))

    assert joined(batches) == of(events)


@given(st.data(), event_sets)
def test_any_tree_of_joins_gives_the_same_row(data, events):
    """Consumers on many hosts join parts into parts; nobody decides in which order."""
    parts = [of([e]) for e in events]
    parts += data.draw(st.lists(st.sampled_from(parts), max_size=5))
    while len(parts) > 1:
        first = parts.pop(data.draw(st.integers(0, len(parts) - 1)))
        second = parts.pop(data.draw(st.integers(0, len(parts) - 1)))
        merged = dict(first)
        for subject, row in second.items():
            merged[subject] = fold.join(merged[subject], row) if subject in merged else row
        parts.append(merged)

    assert parts[0] == of(events)


@given(rows, rows, rows)
def test_join_is_commutative_associative_and_idempotent(a, b, c):
    assert fold.join(a, b) == fold.join(b, a)
    assert fold.join(fold.join(a, b), c) == fold.join(a, fold.join(b, c))
    assert fold.join(a, a) == a


@given(rows, rows)
def test_join_changes_neither_row(a, b):
    before = fold.flatten(a), fold.flatten(b)

    fold.join(a, b)

    assert (fold.flatten(a), fold.flatten(b)) == before


@given(rows)
def test_a_row_survives_the_way_into_columns_and_back(row):
    assert fold.unflatten(fold.flatten(row)) == row


@given(event_sets)
def test_every_column_is_what_all_events_together_say(events):
    for subject, row in of(events).items():
        expected = oracle.Task(e for e in events if e.subject == subject).row()
        found = shown(row)
        assert {name: found[name] for name in expected} == expected


@given(histories(TASKS).map(lambda stories: [e for story in stories for e in story.events]).map(decoded))
def test_every_column_of_a_real_history_is_what_all_events_together_say(events):
    for subject, row in of(events).items():
        expected = oracle.Task(e for e in events if e.subject == subject).row()
        found = shown(row)
        assert {name: found[name] for name in expected} == expected


def test_a_task_that_replaces_itself_is_known_by_its_new_name_and_arguments():
    events = decoded(
        [
            event("sent", BEGIN, name="old", args="(1,)", retries=2),
            event("received", BEGIN + 1, name="old", args="(1,)", retries=2),
            event("sent", BEGIN + 2, name="new", args="(2,)", retries=0),
        ]
    )

    row = shown(of(events[::-1])["t"])

    assert (row["name"], row["args"], row["retries"]) == ("new", "(2,)", 2)


def test_a_receipt_does_not_take_the_queue_away_that_only_the_sender_knows():
    events = decoded(
        [
            event("sent", BEGIN, name="n", queue="media", exchange="e", routing_key="media.slow"),
            event("received", BEGIN + SECOND, name="n"),
        ]
    )

    row = shown(of(events)["t"])

    assert (row["queue"], row["exchange"], row["routing_key"]) == ("media", "e", "media.slow")


def test_more_kinds_than_are_remembered_are_folded_all_the_same():
    begun = decoded([event("started", BEGIN)])
    custom = decoded([event(f"step-{number}", BEGIN + SECOND, name="x") for number in range(2_000)])
    folded = Fold(TASK_RULES)
    for _ in range(2):
        assert folded.fold(begun + custom) == fold.fold([*begun, custom[0]])


def test_a_custom_kind_moves_times_and_nothing_else():
    started = decoded([event("started", BEGIN)])
    custom = decoded([event("half-way", BEGIN + SECOND, name="x", result="x", state="SUCCESS", retries=9)])

    before, after = shown(of(started)["t"]), shown(of(started + custom)["t"])

    assert after.pop("updated_at") == BEGIN + SECOND
    assert after == {k: v for k, v in before.items() if k != "updated_at"}


def test_every_kind_of_event_that_a_register_takes_is_one_that_the_decoder_gives():
    """A name that is misspelt in the table would be a register that nothing ever fills."""
    from_celery = {
        "task-sent", "task-received", "task-started", "task-succeeded", "task-failed", "task-retried", "task-revoked",
        "task-cancelled", "task-progress",
    }  # fmt: skip
    from_the_decoder = {
        e.kinds for e in decoded([event("rejected", BEGIN, requeue=r) for r in (True, False)])
    }
    from_the_plug_in = decoded(
        [event("received", BEGIN, queue="q", arguments="[[],{}]", arguments_are="exact", trace_id=TRACES[0])]
    )
    known = from_celery | reduce(set.union, map(set, from_the_decoder), set(from_the_plug_in[0].kinds))
    ours = {kind for register in TASK_RULES.registers for kind in register.kinds}

    assert ours - {"task-lost", "task-repaired"} == known


# --- Workers ---

workers = Fold(WORKER_RULES)


def test_a_heartbeat_without_figures_keeps_the_ones_before():
    """One that remote control asked for says freq=5 and neither active nor processed nor loadavg."""
    from tests.ingest.worker_streams import decoded_worker_events, worker_event

    events = decoded_worker_events(
        [
            worker_event("heartbeat", BEGIN, freq=2.0, active=3, processed=40, loadavg=[1.5, 1.0, 0.5]),
            worker_event("heartbeat", BEGIN + SECOND, freq=5, active=None, processed=None),
            worker_event("heartbeat", BEGIN + 2 * SECOND, freq=5),
        ]
    )

    row = workers.fold(events[::-1])["celery@a"]
    found = dict(zip(WORKER_RULES.columns, workers.flatten(row), strict=True))

    assert (found["active"], found["processed"], found["frequency"]) == (3, 40, 2.0)
    assert found["load_average"] == [1.5, 1.0, 0.5]
    assert found["beat_ts"] == BEGIN + 2 * SECOND
