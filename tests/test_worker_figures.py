"""Minutes of a worker add up to the same, however they are grouped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitoring.worker_figures import COLUMNS, Figures, Minute, with_following

BEGIN = datetime(2026, 11, 20, 12, tzinfo=UTC)
whole = st.none() | st.integers(-(2**63), 2**63 - 1)
fractions = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def stretches(draw: st.DrawFn) -> list[Minute]:
    """Minutes of one worker, oldest first, some of them missing."""
    numbers = sorted(draw(st.sets(st.integers(0, 12), max_size=8)))
    return [
        Minute(
            BEGIN + timedelta(minutes=number),
            *(draw(whole) for _ in range(3)),
            *(draw(fractions) for _ in range(4)),
            draw(st.integers(0, 2**40)),
        )
        for number in numbers
    ]


def added_up(minutes: list[tuple[Minute, Minute | None]]) -> Figures:
    found = Figures()
    for said, following in minutes:
        found.add_minute(said, following)
    return found


@given(minutes=stretches(), cut=st.integers(0, 8))
def test_parts_add_up_to_the_whole_through_rows(minutes: list[Minute], cut: int) -> None:
    pairs = list(with_following(minutes))
    parts = Figures()
    for part in (pairs[cut:], pairs[:cut]):
        parts.add_values(added_up(part).values())
    whole = added_up(pairs)
    assert parts.values() == whole.values()
    assert [parts.mean(name) for name in ("active", "load_1", "clock_skew")] == [
        whole.mean(name) for name in ("active", "load_1", "clock_skew")
    ]
    assert parts.done_per_second == whole.done_per_second
    assert parts.events_per_second == whole.events_per_second


@given(minutes=stretches())
def test_a_day_of_any_minutes_fits_into_64_bits(minutes: list[Minute]) -> None:
    """Nobody counts on what such a worker says, but it must not stop upkeep."""
    for pair in with_following(minutes):
        day = [value or 0 for value in added_up([pair]).values()]
        most_active = day[COLUMNS.index("most_active")]
        assert all(abs(value) * 1440 < 2**63 for value in day if value != most_active)


def test_every_minute_has_the_next_beside_it() -> None:
    assert list(with_following([])) == []
    one = Minute(BEGIN, *[None] * 7, 0)
    assert list(with_following([one])) == [(one, None)]
