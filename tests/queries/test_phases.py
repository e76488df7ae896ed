"""Where the time of an attempt went."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitoring.queries.attempts import Attempt, Ending, Origin
from monitoring.queries.phases import bars, phases_of, sums

START = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def told(attempt: Attempt, now: float = 100) -> list[tuple[str, float]]:
    return [(phase.kind, phase.seconds) for phase in phases_of(attempt, at(now))]


def test_an_attempt_is_queued_then_held_then_runs() -> None:
    attempt = Attempt(
        Origin.FIRST,
        sent_at=at(0),
        received_at=at(1),
        started_at=at(3),
        ended_at=at(6),
        ended_as=Ending.SUCCESS,
    )
    assert told(attempt) == [("queued", 1), ("held", 2), ("running", 3)]
    assert sums([attempt, attempt], at(100)) == {"queued": 2, "held": 4, "running": 6}


def test_waiting_for_an_eta_is_no_waiting_in_a_queue() -> None:
    attempt = Attempt(Origin.RETRY, sent_at=at(0), received_at=at(1), eta=at(10), started_at=at(11))
    assert told(attempt, 12) == [("delay", 10), ("held", 1), ("running", 1)]
    assert told(Attempt(Origin.FIRST, sent_at=at(0), eta=at(500)), 100) == [("delay", 100)]


def test_what_goes_on_lasts_until_now_and_what_vanished_has_no_end() -> None:
    assert told(Attempt(Origin.FIRST, received_at=at(0), started_at=at(1)), 5) == [
        ("held", 1),
        ("running", 4),
    ]
    vanished = Attempt(Origin.FIRST, received_at=at(0), started_at=at(1), ended_as=Ending.VANISHED)
    assert told(vanished) == [("held", 1)]


def test_bars_share_one_clock() -> None:
    first = Attempt(Origin.FIRST, started_at=at(0), ended_at=at(5), ended_as=Ending.RETRY)
    second = Attempt(Origin.RETRY, started_at=at(5), ended_at=at(10), ended_as=Ending.SUCCESS)
    drawn = bars([first, second, Attempt(Origin.UNKNOWN)], at(10))
    assert [[(bar.x, bar.width) for bar in row] for row in drawn] == [[(0, 500)], [(500, 500)], []]
