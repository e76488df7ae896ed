"""What is usual of a task, for pages that say whether a run is conspicuously long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitoring.log_histogram import ERROR
from monitoring.queries.usual import KEPT, LEAST_RUNS, UsualRuns, usual
from monitoring.queries.visibility import Visibility
from monitoring.time_steps import MINUTE, start_of
from monitoring.upkeep.statistics.counting import count_minutes
from monitoring.upkeep.statistics.storing import store_buckets
from tests.factories import make_task

ALL = Visibility.everything()
NOW = datetime(2026, 10, 27, 9, 41, tzinfo=UTC)


def make_runs(using: str, name: str, runtimes: list[float], days_ago: float = 1, **fields: Any) -> None:
    ended = NOW - timedelta(days=days_ago)
    for seconds in runtimes:
        make_task(using=using, name=name, runtime=seconds, finished_at=ended, **fields)
    store_buckets(using, count_minutes(using, {start_of(ended, MINUTE)}))


def test_percentiles_and_failures_of_the_last_days(using: str, watched: str) -> None:
    make_runs(using, "shop.pay", [1.0] * 18 + [4.0] * 2)
    make_runs(using, "shop.pay", [1.0] * 5, days_ago=0.01, state="FAILURE", exception_type="OSError")
    found = usual(ALL, ["shop.pay", "shop.unheard_of"], NOW)
    assert list(found) == ["shop.pay"]
    assert found["shop.pay"].p50 == pytest.approx(1.0, rel=ERROR)
    assert found["shop.pay"].p95 == pytest.approx(4.0, rel=ERROR)
    assert found["shop.pay"].limit == 5 * found["shop.pay"].p95
    assert found["shop.pay"].failure_rate == 0.2


def test_nothing_is_usual_of_few_or_old_runs(using: str, watched: str) -> None:
    make_runs(using, "few", [1.0] * (LEAST_RUNS - 1))
    make_runs(using, "old", [1.0] * LEAST_RUNS, days_ago=9)
    assert usual(ALL, ["few", "old"], NOW) == {}


def test_a_limited_user_is_told_of_what_he_may_see(using: str, watched: str) -> None:
    make_runs(using, "shop.pay", [1.0] * LEAST_RUNS, queue="fast")
    make_runs(using, "shop.pay", [60.0] * LEAST_RUNS, queue="slow")
    fast = usual(Visibility(queues=("fast",)), ["shop.pay"], NOW)["shop.pay"]
    assert fast.p95 == pytest.approx(1.0, rel=ERROR)
    assert usual(Visibility(names=("ledger.*",)), ["shop.pay"], NOW) == {}


def test_what_was_looked_up_is_kept_for_a_minute(
    using: str, watched: str, django_assert_num_queries: Any
) -> None:
    make_runs(using, "shop.pay", [1.0] * LEAST_RUNS)
    known, task, nameless = UsualRuns(), make_task(using=using, name="shop.pay"), make_task(name=None)
    known.tell(ALL, [task, nameless], NOW)
    assert task.usual is not None
    assert nameless.usual is None
    with django_assert_num_queries(0, using=using):
        known.tell(ALL, [task], NOW + timedelta(seconds=KEPT - 1))
    assert task.usual is not None
    with django_assert_num_queries(1, using=using):
        known.tell(ALL, [task], NOW + timedelta(seconds=KEPT + 1))
