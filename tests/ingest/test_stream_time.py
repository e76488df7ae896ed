"""How far the stream has been read, by clocks of which some are off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.ingest.events import Event
from monitoring.ingest.stream_time import MEMORY, TOLERANCE, TRUST, StreamTime

NOW = 1_795_348_800_000_000
SECOND = 1_000_000


def said(*times: tuple[str, float]) -> list[Event]:
    """Events of senders, so many seconds after NOW by their own clocks."""
    return [
        Event("t", "task-started", (), NOW + round(ts * SECOND), 0, worker, 1, {}) for worker, ts in times
    ]


def seconds(reached: int | None) -> float | None:
    return None if reached is None else (reached - NOW) / SECOND


def listen(stream: StreamTime, *times: tuple[str, float], passed: float = 0.0) -> float | None:
    """Where the stream is after a batch that comes `passed` seconds after NOW, in seconds after NOW."""
    return seconds(stream.reached(said(*times), [], NOW + round(passed * SECOND), passed))


@pytest.fixture
def stream() -> StreamTime:
    return StreamTime()


def test_where_clocks_agree_it_is_at_the_newest_event(stream):
    assert listen(stream, ("a", -242), ("b", -241.5), ("a", -240)) == -240


def test_the_newest_of_a_worker_counts_wherever_it_stands_in_a_batch(stream):
    assert listen(stream, ("a", -242), ("a", -240), ("a", -241)) == -240


@pytest.mark.parametrize("ahead", [4, 180, 238, 240, 300])
def test_one_that_is_ahead_takes_it_nowhere(stream, ahead):
    assert listen(stream, ("a", -240), ("ahead", -240 + ahead), ("b", -239)) == -239


@pytest.mark.parametrize("ahead", [4, 180, 238, 240, 300])
def test_of_two_the_one_that_is_behind_counts(stream, ahead):
    assert listen(stream, ("a", -240), ("ahead", -240 + ahead)) == -240


def test_one_that_is_ahead_takes_it_nowhere_in_a_batch_of_its_own_either(stream):
    listen(stream, ("a", -240), ("b", -240), ("ahead", 60))
    assert listen(stream, ("ahead", 61), passed=1) == -240


def test_one_whose_clock_has_been_put_right_counts_by_its_new_time(stream):
    listen(stream, ("a", 0), ("b", 300))
    assert listen(stream, ("a", 1), ("b", 1), passed=1) == 1


def test_one_that_is_behind_holds_up_nothing_for_long(stream):
    for passed in range(int(TRUST) + 1):
        reached = listen(stream, ("a", passed), ("behind", passed - 300), passed=passed)
    assert reached == passed


def test_one_that_is_ahead_does_not_come_to_be_trusted_in_a_backlog(stream):
    for passed in range(60):
        # The backlog is read as fast as it grows.
        reached = listen(stream, ("a", passed - 240), ("b", passed - 240), ("ahead", passed), passed=passed)
        assert reached == passed - 240


def test_trust_ends_where_nothing_was_heard_for_a_while(stream):
    for passed in range(int(TRUST) + 1):
        listen(stream, ("a", passed), ("ahead", passed + 240), passed=passed)
    assert listen(stream, ("a", 20), ("ahead", 260), passed=260) == 20


def test_a_worker_that_has_ended_holds_up_nothing_for_long(stream):
    listen(stream, ("a", 0), ("b", 0))
    assert listen(stream, ("b", MEMORY + 1), passed=MEMORY + 1) == MEMORY + 1


def test_only_one_that_is_ahead_of_now_is_believed_after_a_while_only(stream):
    assert listen(stream, ("ahead", 300)) is None
    for passed in range(1, int(TRUST) + 1):
        reached = listen(stream, ("ahead", 300 + passed), passed=passed)
    assert reached == passed


def test_who_sends_tasks_has_no_say_beside_workers(stream):
    """Each start of a command or a web server is a sender, most of which never send anything again."""
    assert listen(stream, *[(f"gen{n}@web", -600) for n in range(9)], ("a", -240)) == -240


def test_who_sends_tasks_is_asked_where_nobody_else_is_heard(stream):
    assert listen(stream, ("gen1@web", -240), ("gen2@web", 300), ("ahead", 300)) == -240


def test_the_newer_of_heartbeats_and_tasks_counts(stream):
    assert seconds(stream.reached(said(("a", -3), ("b", -2)), said(("a", -1), ("b", -5)), NOW, 0.0)) == -1


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(-1_000, 1_000)), min_size=1, max_size=9),
        min_size=1,
        max_size=9,
    )
)
def test_it_is_never_after_now_and_always_a_time_that_was_said(batches):
    stream, times = StreamTime(), set()
    for passed, batch in enumerate(batches):
        times |= {event.ts for event in said(*batch)}
        reached = stream.reached(said(*batch), [], NOW + passed * SECOND, passed)
        assert reached is None or reached <= NOW + passed * SECOND
        assert reached is None or reached in times or any(0 <= ts - reached <= TOLERANCE for ts in times)
