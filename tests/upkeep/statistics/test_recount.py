"""Statistics are what a recount from scratch gives, whatever happens to the events, the job and the tasks."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.control import delete_record
from monitoring.ingest.events import Event
from monitoring.ingest.stores.contract import Batch, Store
from monitoring.models import (
    EventDelta,
    FailureGroup,
    FailureSighting,
    Lease,
    Statistic,
    StatisticDeletion,
    StatisticFailure,
    StatisticMark,
    Task,
    TaskEvent,
)
from monitoring.queries.visibility import Visibility
from monitoring.upkeep.jobs import statistics
from monitoring.upkeep.lease import UPKEEP, LeaseHolder
from monitoring.upkeep.statistics import storing
from tests.ingest.event_streams import BEGIN, SECOND, any_events, arrivals, decoded, event, histories
from tests.stores import EACH_STORE
from tests.upkeep.statistics.recount import expected, expected_failures, stored, stored_failures

TASKS = tuple("tuvw")
WRITTEN = (
    Task,
    TaskEvent,
    EventDelta,
    FailureGroup,
    FailureSighting,
    Statistic,
    StatisticDeletion,
    StatisticFailure,
    StatisticMark,
)
#: Moments of the generated events lie so many times further apart: in one minute, or over minutes, hours or days.
SPREADS = (1, 15, 700, 20_000)


class Killed(Exception):
    """The process is gone."""


@dataclass
class Monitor:
    """A consumer's store and the upkeep of one database, on a clock that is years ahead of all events."""

    alias: str
    make_store: Callable[[str], Store]
    now: datetime = datetime(2030, 1, 1, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.store = self.make_store(self.alias)
        self.lease = LeaseHolder(self.alias, UPKEEP, "tests", duration=3600)

    def clear(self) -> None:
        with connections[self.alias].cursor() as cursor:
            for model in (*WRITTEN, Lease):
                cursor.execute(f"DELETE FROM {model._meta.db_table}")
        assert self.lease.try_acquire()

    def write(self, events: list[Event]) -> None:
        self.store.write(Batch(events))

    def count(self) -> None:
        """Let the job run until nothing is left."""
        while statistics.run(self.lease).endswith("next run."):
            pass

    def delete(self, ids: list[str]) -> None:
        delete_record.delete(ids, Visibility.everything(), {})

    def assert_exact(self) -> None:
        assert stored(self.alias) == expected(self.alias)
        assert stored_failures(self.alias) == expected_failures(self.alias)
        assert not StatisticMark.objects.using(self.alias).exists()
        self.assert_groups_know()

    def assert_groups_know(self) -> None:
        """Every failure is within the times of its group, and of the worker and queue that it was seen on."""
        groups = FailureGroup.objects.using(self.alias).in_bulk()
        for task in Task.objects.using(self.alias).filter(state="FAILURE"):
            group = groups[task.fingerprint]
            assert task.finished_at is not None
            assert group.first_seen <= task.finished_at <= group.last_seen
            assert (group.name, group.exception_type) == (task.name or "", task.exception_type or "")
            seen = FailureSighting.objects.using(self.alias).get(
                fingerprint=task.fingerprint, queue=task.queue or "", worker=task.worker
            )
            assert seen.first_seen <= task.finished_at <= seen.last_seen
        for group in groups.values():
            spans = FailureSighting.objects.using(self.alias).filter(fingerprint=group.pk)
            assert group.first_seen == min(seen.first_seen for seen in spans)
            assert group.last_seen == max(seen.last_seen for seen in spans)


@pytest.fixture(params=EACH_STORE)
def monitor(
    request: pytest.FixtureRequest, transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Monitor:
    monitor = Monitor(*request.param)
    monkeypatch.setattr(statistics, "read_clock", lambda using: monitor.now)
    # However slow the machine is, a run does all that there is.
    monkeypatch.setattr(statistics, "LONGEST", 3600.0)
    if monitor.alias != "default":
        # What is deleted is looked for where the watched tables are.
        settings.DATABASE_ROUTERS = ["monitoring.routers.MonitoringRouter"]
        settings.MONITORING = {**settings.MONITORING, "DATABASE": monitor.alias}
    monitor.clear()
    return monitor


@st.composite
def event_sets(draw: st.DrawFn) -> list[Event]:
    """Events without sense, and real histories, over a minute or over days."""
    if draw(st.booleans()):
        return decoded([raw for story in draw(histories(TASKS)) for raw in story.events])
    spread = draw(st.sampled_from(SPREADS))
    raw = draw(any_events(TASKS, max_size=24))
    begin = BEGIN / SECOND
    return decoded([{**each, "timestamp": begin + (each["timestamp"] - begin) * spread} for each in raw])


a_few = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@a_few
@given(data=st.data(), events=event_sets())
def test_statistics_are_a_recount_whatever_the_order_batching_and_redelivery(monitor, data, events):
    monitor.clear()
    for batch in data.draw(arrivals(events)):
        monitor.write(batch)
        if data.draw(st.booleans(), label="the job runs"):
            monitor.count()
    monitor.count()
    monitor.assert_exact()


@a_few
@given(data=st.data(), events=event_sets())
def test_a_crash_in_the_middle_of_a_recount_changes_nothing(monitor, data, events):
    monitor.clear()
    for batch in data.draw(arrivals(events)):
        monitor.write(batch)
        before = stored(monitor.alias)
        step = data.draw(st.sampled_from([60, 300, 3600, 21600, 86400]), label="killed before writing")
        with pytest.MonkeyPatch.context() as patch:
            replace = storing.replace

            def dying(using: str, each: int, buckets: Any, step: int = step, replace: Any = replace) -> None:
                if each == step:
                    raise Killed
                replace(using, each, buckets)

            patch.setattr(storing, "replace", dying)
            try:
                statistics.run(monitor.lease)
            except Killed:
                assert stored(monitor.alias) == before
        if data.draw(st.booleans(), label="the job runs again"):
            monitor.count()
    monitor.count()
    monitor.assert_exact()


@a_few
@given(data=st.data(), events=event_sets())
def test_deleting_tasks_changes_no_figure_and_redelivery_brings_none_back(monitor, data, events):
    monitor.clear()
    monitor.write(events)
    if data.draw(st.booleans(), label="counted before"):
        monitor.count()
    all_tasks, all_failures = expected(monitor.alias), expected_failures(monitor.alias)
    ids = data.draw(st.lists(st.sampled_from(TASKS), unique=True))
    monitor.delete(ids)
    monitor.count()
    assert stored(monitor.alias) == all_tasks
    assert stored_failures(monitor.alias) == all_failures
    # All of it is long ago, so what deleted tasks counted in is frozen by now.
    assert not StatisticDeletion.objects.using(monitor.alias).exists()
    again = data.draw(st.lists(st.sampled_from(events)))
    monitor.write([each for each in again if each.subject in ids])
    monitor.delete(ids)
    monitor.count()
    frozen = set(Statistic.objects.using(monitor.alias).filter(frozen=True).values_list("start", flat=True))
    minutes = {key: row for key, row in all_tasks.items() if key[1] == 60 and key[2] in frozen}
    assert {key: row for key, row in stored(monitor.alias).items() if key in minutes} == minutes


def test_a_minute_that_deleted_tasks_counted_in_stays_open_for_others_for_an_hour(monitor):
    recent = BEGIN
    monitor.now = datetime.fromtimestamp(recent // SECOND, UTC) + timedelta(minutes=59)
    monitor.write(decoded([event("succeeded", recent, task_id="t", runtime=1.0)]))
    monitor.count()
    monitor.delete(["t"])
    monitor.write(decoded([event("succeeded", recent + SECOND, task_id="u", runtime=2.0)]))
    monitor.count()
    minute = stored(monitor.alias)[0, 60, datetime.fromtimestamp(recent // SECOND, UTC), "", "", ""]
    assert minute[0] == {"succeeded": 2}
    assert minute[1][:2] == (2, 3_000_000)
    # The redelivery of what was deleted counts no second time, before and after the minute is frozen.
    monitor.write(decoded([event("succeeded", recent, task_id="t", runtime=1.0)]))
    for _ in range(2):
        monitor.count()
        assert (
            stored(monitor.alias)[0, 60, datetime.fromtimestamp(recent // SECOND, UTC), "", "", ""] == minute
        )
        monitor.now += timedelta(hours=1)
        monitor.write(decoded([event("started", recent - SECOND, task_id="t")]))


def test_late_events_correct_a_closed_minute_unless_it_is_frozen(monitor):
    old = BEGIN - BEGIN % (60 * SECOND)
    monitor.write(decoded([event("succeeded", old, task_id="t"), event("succeeded", old, task_id="u")]))
    monitor.count()
    start = datetime.fromtimestamp(old // SECOND, UTC)
    key = (0, 60, start, "", "", "")
    monitor.write(decoded([event("failed", old + SECOND, task_id="t", exception="KeyError('a')")]))
    monitor.count()
    assert stored(monitor.alias)[key][0] == {"failed": 1, "succeeded": 1}
    monitor.delete(["u"])
    monitor.count()
    monitor.write(decoded([event("succeeded", old, task_id="v")]))
    monitor.count()
    assert stored(monitor.alias)[key][0] == {"failed": 1, "succeeded": 1}
    assert stored(monitor.alias)[0, 86400, start.replace(hour=0, minute=0), "", "", ""][0] == {
        "failed": 1,
        "succeeded": 1,
    }


def test_a_task_that_ends_again_moves_to_its_new_minute(monitor):
    hour = 3600 * SECOND
    for number in range(3):
        monitor.write(decoded([event("started", BEGIN + number * hour, task_id="t")]))
        monitor.write(decoded([event("succeeded", BEGIN + number * hour + SECOND, task_id="t")]))
        monitor.count()
    monitor.assert_exact()
    counted = [key[2] for key in stored(monitor.alias) if key[:2] == (0, 60)]
    assert counted == [datetime.fromtimestamp((BEGIN + 2 * hour) // SECOND, UTC).replace(second=0)]


def test_all_retries_move_with_their_task_when_its_queue_becomes_known(monitor):
    times = [BEGIN + number * 600 * SECOND for number in range(3)]
    for moment in times:
        monitor.write(decoded([event("retried", moment, task_id="t", exception="OSError()")]))
    monitor.count()
    monitor.write(decoded([event("sent", BEGIN - SECOND, task_id="t", name="shop.pay", queue="slow")]))
    monitor.count()
    monitor.assert_exact()
    minutes = [key for key in stored(monitor.alias) if key[:2] == (1, 60)]
    assert [key[3:5] for key in minutes] == [("shop.pay", "slow")] * 3


def test_one_more_retry_costs_its_own_minute_however_many_there_were(monitor):
    def attempt(number: int) -> list[Event]:
        at = BEGIN + number * 60 * SECOND
        told = event("received", at, name="shop.pay", queue="slow", retries=number)
        return decoded([told, event("started", at + 1), event("retried", at + 2, exception="KeyError()")])

    for number in range(30):
        monitor.write(attempt(number))
    monitor.count()
    for one in attempt(30):
        monitor.write([one])
    assert statistics.run(monitor.lease).startswith("Minutes counted: 1;")
    monitor.assert_exact()


def test_hostile_names_and_absurd_run_times_are_counted(monitor):
    names = ["<script>", "with/slash", "naïve ✓ 🎉", "x" * 255, "🎉" * 255, "{}", "' OR 1=1 --", ""]
    events = []
    for number, name in enumerate(names):
        events.append(event("received", BEGIN, task_id=f"t{number}", name=name, host="celery@" + "w" * 200))
        events.append(event("succeeded", BEGIN + SECOND, task_id=f"t{number}", runtime=10.0 ** (number * 3)))
    monitor.write(decoded(events))
    monitor.count()
    [total] = [row for key, row in stored(monitor.alias).items() if key[:2] == (0, 86400)]
    assert total[0] == {"succeeded": len(names)}
    assert total[1][0] == len(names)


def test_many_marked_minutes_are_left_to_the_next_runs(monitor, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(statistics, "LONGEST", 0.0)
        assert "left to the next run" in statistics.run(monitor.lease)
    numbers = list(range(60))
    random.Random(1).shuffle(numbers)
    monitor.write(decoded([event("succeeded", BEGIN + n * 7200 * SECOND, task_id=f"t{n}") for n in numbers]))
    assert statistics.run(monitor.lease).startswith("Minutes counted: 60;")
    monitor.assert_exact()
    assert statistics.run(monitor.lease).startswith("Minutes counted: 0;")


def test_what_a_batch_repeats_is_marked_once(monitor):
    monitor.write(decoded([event("succeeded", BEGIN + n * SECOND // 4, task_id=f"t{n}") for n in range(40)]))
    assert StatisticMark.objects.using(monitor.alias).count() == 1


def test_a_day_ahead_of_the_clock_is_counted_as_it_comes(monitor):
    monitor.now = datetime.fromtimestamp(BEGIN // SECOND, UTC) - timedelta(days=2)
    monitor.write(decoded([event("succeeded", BEGIN, task_id="t")]))
    monitor.count()
    monitor.assert_exact()
