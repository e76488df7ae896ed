"""Every question about statistics, against the plainest count of the tasks themselves."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from monitoring.log_histogram import ERROR
from monitoring.models import Task
from monitoring.queries.statistics_range import Range
from monitoring.queries.statistics_rows import Selection
from monitoring.queries.statistics_series import series
from monitoring.queries.statistics_shapes import heat_map, histogram
from monitoring.queries.statistics_tasks import busiest, exceptions, most_failing, slowest
from monitoring.queries.statistics_totals import totals
from monitoring.queries.visibility import Visibility
from monitoring.time_steps import MINUTE, start_of
from monitoring.upkeep.statistics.counting import count_minutes
from monitoring.upkeep.statistics.storing import store_buckets
from tests.factories import make_event, make_task

ALL = Visibility.everything()
END = datetime(2026, 10, 27, 9, 41, tzinfo=UTC)
NAMES = ("shop.pay", "shop.mail", "ledger.close", "ledger.post", "")
STATES = ("SUCCESS",) * 6 + ("FAILURE", "FAILURE", "REVOKED", "REJECTED")
BERLIN = ZoneInfo("Europe/Berlin")


def make_tasks(using: str, days: float, number: int = 120) -> None:
    """Tasks of the last days before END, the same ones each time, and their statistics."""
    chance = random.Random(7)
    tasks = []
    for n in range(number):
        name = chance.choice(NAMES)
        state = chance.choice(STATES)
        tasks.append(
            make_task(
                f"t{n}",
                using=using,
                name=name or None,
                queue=chance.choice(["fast", "slow"]) if name else None,
                worker=chance.choice(["celery@a", "celery@b"]),
                state=state,
                exception_type=chance.choice(["KeyError", "OSError", "OSError"])
                if state == "FAILURE"
                else None,
                runtime=chance.lognormvariate(0, 2) * (100 if name == "ledger.close" else 1),
                wait=chance.expovariate(1),
                finished_at=END - timedelta(days=chance.random() * days),
            )
        )
    for task in tasks[:20]:
        make_event(task, "task-retried", after=-chance.random() * 3600, using=using)
    count(using, [task.finished_at for task in tasks] + [task.first_seen for task in tasks])


def count(using: str, moments: Iterable[datetime | None]) -> None:
    minutes = {start_of(moment, MINUTE) for moment in moments if moment is not None}
    store_buckets(using, count_minutes(using, minutes))


def ended(using: str, period: Range, **conditions: Any) -> list[Task]:
    """What the questions are about, from the tasks themselves."""
    return list(
        Task.objects.using(using).filter(
            finished_at__gte=period.start, finished_at__lt=period.end, **conditions
        )
    )


def by_bucket(period: Range, tasks: Iterable[Task]) -> tuple[int, ...]:
    counts = Counter(period.index(task.finished_at) for task in tasks if task.finished_at is not None)
    return tuple(counts[index] for index in range(len(period.edges) - 1))


@pytest.mark.parametrize("days", [0.2, 1, 7, 30, 80])
def test_series_count_what_ended_in_each_bucket(using: str, watched: str, days: float) -> None:
    make_tasks(using, days)
    period = Range.between(END - timedelta(days=days / 2), END, BERLIN)
    tasks = ended(using, period)
    [line] = series(ALL, period, "finished").lines
    assert line.values == by_bucket(period, tasks)
    [line] = series(ALL, period, "failed", Selection(name="shop.pay", queue="slow")).lines
    assert line.values == by_bucket(
        period, [t for t in tasks if (t.name, t.queue, t.state) == ("shop.pay", "slow", "FAILURE")]
    )
    [line] = series(ALL, period, "succeeded", Selection(worker="celery@a")).lines
    assert line.values == by_bucket(
        period, [t for t in tasks if t.worker == "celery@a" and t.state == "SUCCESS"]
    )


@pytest.mark.parametrize("column", ["name", "queue", "worker"])
def test_groups_are_the_greatest_and_the_rest(using: str, watched: str, column: str) -> None:
    make_tasks(using, 30)
    period = Range.between(END - timedelta(days=20), END, UTC)
    tasks = ended(using, period)
    groups: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        groups[getattr(task, column) or ""].append(task)
    ranked = sorted(groups, key=lambda label: (-len(groups[label]), label))
    found = series(ALL, period, "finished", group="task" if column == "name" else column, top=1)  # type: ignore[arg-type]
    assert [line.label for line in found.lines] == [ranked[0], None]
    assert found.lines[0].values == by_bucket(period, groups[ranked[0]])
    rest = [task for label in ranked[1:] for task in groups[label]]
    assert found.lines[1].values == by_bucket(period, rest)
    assert found.lines[1].is_rest
    every = series(ALL, period, "finished", group="task" if column == "name" else column, top=9)  # type: ignore[arg-type]
    assert [line.label for line in every.lines] == ranked


def test_outcomes_add_up_to_what_ended(using: str, watched: str) -> None:
    make_tasks(using, 3)
    period = Range.between(END - timedelta(days=2), END, UTC)
    tasks = ended(using, period)
    lines = {line.label: line.values for line in series(ALL, period, "finished", group="outcome").lines}
    assert list(lines) == ["succeeded", "failed", "revoked", "rejected", "lost"]
    assert lines["revoked"] == by_bucket(period, [t for t in tasks if t.state == "REVOKED"])
    assert tuple(map(sum, zip(*lines.values(), strict=True))) == by_bucket(period, tasks)


@pytest.mark.parametrize(
    "selection",
    [Selection(), Selection(name="ledger.close"), Selection(queue="slow"), Selection(worker="celery@b")],
)
def test_totals_and_percentiles_are_those_of_the_tasks(
    using: str, watched: str, selection: Selection
) -> None:
    make_tasks(using, 60)
    period = Range.between(END - timedelta(days=30), END, UTC)
    conditions = {
        column: value
        for column in ("name", "queue", "worker")
        if (value := getattr(selection, column)) is not None
    }
    tasks, before = ended(using, period, **conditions), ended(using, period.previous(), **conditions)
    found = totals(ALL, period, selection)
    assert found["finished"].now == len(tasks)
    assert found["finished"].before == len(before)
    assert found["finished"].change == pytest.approx(len(tasks) / len(before) - 1)
    failed = sum(task.state == "FAILURE" for task in tasks)
    assert found["failure_rate"].now == pytest.approx(failed / len(tasks))
    runtimes, waits = [t.runtime for t in tasks], [t.wait for t in tasks]
    assert found["runtime_mean"].now == pytest.approx(np.mean(runtimes), abs=1e-5)
    for metric, values, share in (
        ("runtime_p50", runtimes, 0.5),
        ("runtime_p95", runtimes, 0.95),
        ("runtime_p99", runtimes, 0.99),
        ("wait_p50", waits, 0.5),
        ("wait_p95", waits, 0.95),
    ):
        exact = np.quantile(values, share, method="inverted_cdf")
        assert found[metric].now == pytest.approx(exact, rel=ERROR)


def test_percentiles_over_time_are_those_of_each_bucket_and_group(using: str, watched: str) -> None:
    make_tasks(using, 1)
    period = Range.between(END - timedelta(days=20), END, UTC)
    found = series(ALL, period, "runtime_p95", group="task", top=2)
    tasks = ended(using, period)
    for line in found.lines[:2]:
        for index, value in enumerate(line.values):
            raw = [
                t.runtime
                for t in tasks
                if (t.name or "") == line.label and period.index(t.finished_at) == index
            ]  # type: ignore[arg-type]
            exact = np.quantile(raw, 0.95, method="inverted_cdf") if raw else None
            assert value == (pytest.approx(exact, rel=ERROR) if raw else None)
    rest = [t.runtime for t in tasks if (t.name or "") not in {line.label for line in found.lines}]
    assert rest
    assert found.lines[2].is_rest


def test_the_busiest_slowest_and_most_failing_tasks(using: str, watched: str) -> None:
    make_tasks(using, 10)
    period = Range.between(END - timedelta(days=8), END, UTC)
    tasks = ended(using, period)
    runs = Counter(task.name or "" for task in tasks)
    assert [(row.name, row.sums.finished) for row in busiest(ALL, period, top=3)] == sorted(
        runs.items(), key=lambda item: (-item[1], item[0])
    )[:3]
    assert slowest(ALL, period)[0].name == "ledger.close"
    failures = Counter((t.name or "", t.exception_type) for t in tasks if t.state == "FAILURE")
    assert {(name, kind): number for name, kind, number in exceptions(ALL, period)} == failures
    for row in most_failing(ALL, period):
        of_name = {kind: number for (name, kind), number in failures.items() if name == row.name}
        assert row.sums.counts["failed"] == sum(of_name.values())
        assert of_name[row.exception] == row.exceptions == max(of_name.values())
    [only] = busiest(ALL, period, Selection(name="shop.mail"))
    assert only.sums.finished == runs["shop.mail"]
    assert busiest(ALL, period, Selection(worker="celery@a")) == []
    assert exceptions(ALL, period, Selection(worker="celery@a")) == []


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
def test_the_heat_map_is_by_local_hour_across_a_change_of_clocks(using: str, watched: str, zone: str) -> None:
    make_tasks(using, 6)  # clocks in Berlin went back on 25 October
    local = ZoneInfo(zone)
    period = Range.between(END - timedelta(days=5), END, local)
    cells = heat_map(ALL, period)
    moments = [task.finished_at.astimezone(local) for task in ended(using, period) if task.finished_at]
    counts = Counter((moment.weekday(), moment.hour) for moment in moments)
    assert {cell: each.sums.finished for cell, each in cells.items() if each.sums.finished} == counts
    assert sum(each.hours for each in cells.values()) == pytest.approx(period.length / timedelta(hours=1))
    if zone == "Europe/Berlin":
        assert cells[6, 2].hours == 2
        assert cells[6, 3].hours == 1


def test_the_histogram_has_every_run_once(using: str, watched: str) -> None:
    make_tasks(using, 2)
    period = Range.between(END - timedelta(days=2), END, UTC)
    bars = histogram(ALL, period)
    assert len(bars) <= 48
    values = [task.runtime for task in ended(using, period) if task.runtime is not None]
    assert sum(number for _, _, number in bars) == len(values)
    for low, high, number in bars:
        assert number == sum(low <= value < high for value in values)
    assert histogram(ALL, period, "runtimes", Selection(name="unheard.of")) == []


def test_a_limited_user_sees_figures_of_his_names_and_queues_only(using: str, watched: str) -> None:
    make_tasks(using, 10)
    period = Range.between(END - timedelta(days=8), END, UTC)
    tasks = ended(using, period)
    shop, slow = Visibility(names=("shop.*",)), Visibility(queues=("slow",))
    everyone, nobody = Visibility(names=("*",)), Visibility(names=())
    for visibility, seen in (
        (shop, [t for t in tasks if (t.name or "").startswith("shop.")]),
        (slow, [t for t in tasks if t.queue == "slow"]),
        (everyone, [t for t in tasks if t.name]),
        (nobody, []),
    ):
        assert series(visibility, period, "finished").lines[0].values == by_bucket(period, seen)
        assert totals(visibility, period)["finished"].now == len(seen)
        assert sum(cell.sums.finished for cell in heat_map(visibility, period).values()) == len(seen)
        names = {task.name for task in seen}
        assert {row.name for row in busiest(visibility, period)} == names
        assert {row.name for row in slowest(visibility, period)} == names
        assert {name for name, _, _ in exceptions(visibility, period)} <= names
        lines = series(visibility, period, "finished", group="task", top=1).lines
        assert sum(sum(line.values) for line in lines) == len(seen)
        assert series(visibility, period, "finished", group="worker").lines == ()
        worker = Selection(worker="celery@a")
        assert totals(visibility, period, worker)["finished"].now == 0
        assert histogram(visibility, period, "waits", worker) == []


def test_retries_are_counted_beside_what_ended(using: str, watched: str) -> None:
    task = make_task(using=using, finished_at=END - timedelta(minutes=5), first_seen=END - timedelta(hours=2))
    make_event(task, "task-retried", 60, using=using)
    make_event(task, "task-retried", 120, using=using)
    count(
        using,
        [task.finished_at, task.first_seen + timedelta(minutes=1), task.first_seen + timedelta(minutes=2)],
    )
    found = totals(ALL, Range.between(END - timedelta(hours=3), END, UTC))
    assert (found["retried"].now, found["finished"].now, found["success_rate"].now) == (2, 1, 1.0)


def test_nothing_counted_has_no_rates_and_no_percentiles(using: str, watched: str) -> None:
    period = Range.between(END - timedelta(days=8), END, UTC)
    found = totals(ALL, period)
    assert (found["finished"].now, found["failure_rate"].now, found["runtime_p95"].now) == (0, None, None)
    assert found["finished"].change is None
    assert busiest(ALL, period) == slowest(ALL, period) == most_failing(ALL, period) == []
    assert set(series(ALL, period, "wait_p95").lines[0].values) == {None}
    assert series(ALL, period, "finished", group="queue").lines == ()


def test_a_worker_is_not_combined_with_a_name_or_a_queue() -> None:
    with pytest.raises(ValueError, match="cannot be filtered"):
        Selection(worker="celery@a", name="shop.pay")


def test_an_unknown_metric_is_refused(using: str, watched: str) -> None:
    with pytest.raises(KeyError):
        series(ALL, Range.between(END - timedelta(days=8), END, UTC), "<script>")
