"""Durations and times, as they are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.queries.search.values import count_of, seconds_of, stretch_of

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("85ms", 0.085), ("2", 2), ("2s", 2), ("1.5m", 90), ("1m30s", 90), ("2min", 120), ("1h", 3600), ("3d", 259_200),
     ("1w", 604_800), ("", None), ("s", None), ("-1s", None), ("1 s", None), ("1e5", None), ("200000d", None)],
)  # fmt: skip
def test_durations(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("text", "start", "length"),
    [
        ("2026-11-22", "2026-11-21T23:00:00", timedelta(days=1)),
        ("2026-10-25", "2026-10-24T22:00:00", timedelta(hours=25)),
        ("2026-11-22T14:18", "2026-11-22T13:18:00", timedelta(minutes=1)),
        ("2026-11-22 14:18:02", "2026-11-22T13:18:02", timedelta(seconds=1)),
        ("2026-11-22T14:18:02.5", "2026-11-22T13:18:02.500000", timedelta(milliseconds=100)),
        ("2026-11-22T14:18:02.123456Z", "2026-11-22T14:18:02.123456", timedelta(microseconds=1)),
        ("2026-11-22T14:18:02+09:00", "2026-11-22T05:18:02", timedelta(seconds=1)),
        ("2026-11-22T14:18:02 09:00", "2026-11-22T05:18:02", timedelta(seconds=1)),
        ("14:18", "2026-11-22T13:18:00", timedelta(minutes=1)),
        ("now", "2026-11-22T12:00:00", timedelta(0)),
        ("-2h", "2026-11-22T10:00:00", timedelta(0)),
        ("+30m", "2026-11-22T12:30:00", timedelta(0)),
    ],
)
def test_a_time_is_the_stretch_that_it_names(text: str, start: str, length: timedelta) -> None:
    moment = datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert stretch_of(text, NOW, BERLIN) == (moment, moment + length)


@given(st.text(max_size=30) | st.text(alphabet="0123456789-:.TZ+ hms", max_size=30))
def test_any_text_is_a_value_or_none(text: str) -> None:
    seconds_of(text)
    count_of(text)
    found = stretch_of(text, NOW, BERLIN)
    assert found is None or found[0] <= found[1]
