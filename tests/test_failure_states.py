"""What a group of failures is doing: each rule at its limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.failure_states import (
    GONE_FOR,
    NEW_FOR,
    RECOVERED_AFTER,
    SPIKE_HISTORY,
    SPIKE_LEAST,
    SPIKE_TIMES,
    History,
    Standing,
    standing,
)

NOW = datetime(2026, 11, 22, 14, 42, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def history(**changed: Any) -> History:
    """One failure an hour for weeks, unless told otherwise."""
    usual: dict[str, Any] = {
        "now": NOW,
        "first_seen": NOW - timedelta(days=60),
        "last_seen": NOW - timedelta(minutes=5),
        "last_hour": 1,
        "last_day": 24,
        "last_week": 168,
        "week_before": 168,
    }
    return History(**(usual | changed))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Standing.ONGOING),
        ({"first_seen": NOW - NEW_FOR}, Standing.NEW),
        ({"first_seen": NOW - NEW_FOR - SECOND}, Standing.ONGOING),
        ({"week_before": 0}, Standing.CAME_BACK),
        ({"week_before": 0, "last_day": 0, "last_hour": 0}, Standing.ONGOING),
        ({"week_before": 0, "first_seen": NOW - NEW_FOR - GONE_FOR}, Standing.ONGOING),
        ({"last_hour": SPIKE_LEAST, "last_week": 167 + SPIKE_LEAST}, Standing.SPIKING),
        ({"last_hour": SPIKE_LEAST - 1, "last_week": SPIKE_LEAST}, Standing.ONGOING),
        ({"last_hour": 30, "last_week": 30 + 167 * 30 // SPIKE_TIMES}, Standing.SPIKING),
        ({"last_hour": 30, "last_week": 30 + 167 * 30 // SPIKE_TIMES + 1}, Standing.ONGOING),
        ({"successes": RECOVERED_AFTER}, Standing.RECOVERED),
        ({"successes": RECOVERED_AFTER - 1}, Standing.ONGOING),
        ({"successes": RECOVERED_AFTER, "first_seen": NOW - SECOND}, Standing.RECOVERED),
        ({"muted_until": NOW + SECOND, "week_before": 0}, Standing.MUTED),
        ({"muted_until": NOW}, Standing.ONGOING),
    ],
)
def test_each_rule_holds_up_to_its_limit(changed: dict[str, Any], expected: Standing) -> None:
    assert standing(history(**changed)) is expected


def test_what_is_known_for_less_than_a_day_has_no_usual_hour() -> None:
    least = NOW - SPIKE_HISTORY - timedelta(hours=1)
    assert history(first_seen=least, last_hour=40, last_week=64).usual_hour == 1
    assert history(first_seen=least + SECOND, last_hour=40, last_week=64).usual_hour is None


@given(
    st.builds(
        History,
        now=st.just(NOW),
        first_seen=st.timedeltas(timedelta(0), timedelta(days=400)).map(lambda ago: NOW - ago),
        last_seen=st.just(NOW),
        last_hour=st.integers(0, 100),
        last_day=st.integers(0, 1_000),
        last_week=st.integers(100, 10_000),
        week_before=st.integers(0, 10),
        successes=st.integers(0, 40),
        muted_until=st.one_of(st.none(), st.timedeltas().map(lambda ahead: NOW + ahead / 1_000_000)),
    )
)
def test_every_history_has_one_standing(found: History) -> None:
    assert standing(found) in Standing
