"""Ranges of time: their buckets fill them exactly, whatever clocks do."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.queries.statistics_range import MOST_POINTS, Range, cover
from monitoring.time_steps import DAY, HOUR, MINUTE, SIX_HOURS, STEPS

BERLIN, KATHMANDU, HAVANA = (ZoneInfo(name) for name in ("Europe/Berlin", "Asia/Kathmandu", "America/Havana"))
ZONES = (UTC, BERLIN, KATHMANDU, HAVANA, ZoneInfo("Australia/Lord_Howe"))
moments = st.datetimes(  # hypothesis takes bounds without a zone
    datetime(2020, 1, 1),  # noqa: DTZ001
    datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
lengths = st.floats(60, 400 * DAY).map(lambda seconds: timedelta(seconds=seconds))


@given(end=moments, length=lengths, zone=st.sampled_from(ZONES))
def test_buckets_fill_the_range_and_hold_both_moments(end, length, zone):
    period = Range.between(end - length, end, zone)
    assert period.start <= end - length
    assert end <= period.end < end + timedelta(minutes=1)
    assert period.edges[0] == period.start
    assert period.edges[-1] == period.end
    for low, high in pairwise(period.edges):
        assert low < high
        assert period.index(low) == period.index(high - timedelta(microseconds=1)) == period.edges.index(low)


@given(end=moments, length=lengths, zone=st.sampled_from(ZONES), coarse=st.booleans())
def test_a_chart_has_60_to_400_points(end, length, zone, coarse):
    period = Range.between(end - length, end, zone, coarse=coarse)
    points = len(period.edges) - 1
    assert points <= MOST_POINTS + 1
    if length >= timedelta(hours=1):
        assert points >= 57  # 400 days are 58 weeks


@pytest.mark.parametrize(
    ("hours", "step"),
    [(0.25, MINUTE), (1, MINUTE), (6, MINUTE), (24, 300), (7 * 24, HOUR), (30 * 24, SIX_HOURS)],
)
def test_the_usual_ranges_have_these_steps(hours, step):
    now = datetime(2026, 11, 22, 12, 34, 56, tzinfo=UTC)
    assert Range.between(now - timedelta(hours=hours), now, UTC).step == step


@pytest.mark.parametrize(
    ("hours", "step"),
    [(0.25, MINUTE), (1, MINUTE), (6, 300), (24, 900), (7 * 24, HOUR), (30 * 24, SIX_HOURS), (240 * 24, DAY)],
)
def test_many_lines_have_the_longest_buckets_that_make_60_points(hours, step):
    now = datetime(2026, 11, 22, 12, 34, 56, tzinfo=UTC)
    assert Range.between(now - timedelta(hours=hours), now, UTC, coarse=True).step == step


@given(data=st.data(), coarsest=st.sampled_from(STEPS))
def test_a_cover_fills_the_time_once_with_whole_buckets_and_crosses_no_edge(data, coarsest):
    minutes = data.draw(st.lists(st.integers(0, 60_000), min_size=2, max_size=6, unique=True).map(sorted))
    edges = [datetime(2026, 10, 20, tzinfo=UTC) + timedelta(minutes=each) for each in minutes]
    stretches = cover(edges, coarsest)
    assert [stretches[0].start, *(each.end for each in stretches)] == [
        *(each.start for each in stretches),
        edges[-1],
    ]
    for each in stretches:
        assert each.step <= coarsest
        assert each.start.timestamp() % each.step == each.end.timestamp() % each.step == 0
        inside = [edge for edge in edges if each.start < edge < each.end]
        assert all(edge.timestamp() % each.step == 0 for edge in inside)


def test_a_cover_takes_the_longest_steps():
    day = datetime(2026, 11, 2, tzinfo=UTC)
    stretches = cover([day - timedelta(minutes=61), day + timedelta(days=20, hours=7, minutes=2)])
    assert [(each.step, int((each.end - each.start).total_seconds() / each.step)) for each in stretches] == [
        (60, 1), (3600, 1), (86400, 20), (21600, 1), (3600, 1), (60, 2),
    ]  # fmt: skip


def test_days_begin_at_local_midnight_and_have_23_or_25_hours_when_clocks_change():
    period = Range.between(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC), BERLIN)
    assert period.step == DAY
    assert {edge.astimezone(BERLIN).hour for edge in period.edges[:-1]} == {0}
    hours = {
        low.astimezone(BERLIN).date().isoformat(): (high - low) / timedelta(hours=1)
        for low, high in pairwise(period.edges[:-1])
    }
    assert hours.pop("2026-03-29") == 23
    assert hours.pop("2026-10-25") == 25
    assert set(hours.values()) == {24}


def test_a_day_whose_midnight_does_not_exist_begins_an_hour_later():
    period = Range.between(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), HAVANA)
    starts = {edge.astimezone(HAVANA).isoformat() for edge in period.edges}
    assert "2026-03-08T01:00:00-04:00" in starts
    assert "2026-03-09T00:00:00-04:00" in starts


@given(end=moments, zone=st.sampled_from(ZONES))
def test_local_days_are_made_of_five_minutes_and_longer_but_for_the_end(end, zone):
    period = Range.between(end - timedelta(days=200), end, zone)
    assert all(stretch.step > MINUTE for stretch in cover(period.edges[:-1]))


def test_a_range_that_ends_before_it_begins_is_refused():
    now = datetime(2026, 11, 22, tzinfo=UTC)
    with pytest.raises(ValueError, match="ends after it begins"):
        Range.between(now, now)


def test_the_previous_range_has_the_same_length():
    now = datetime(2026, 11, 22, 12, 34, 56, tzinfo=UTC)
    period = Range.between(now - timedelta(days=30), now, UTC)
    assert period.previous().end == period.start
    assert period.previous().length == period.length
