"""Hours and days of workers are a recount of their minutes, whatever comes when, and stay so without them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.ingest.events import Event
from monitoring.ingest.stores import rollup_marks
from monitoring.ingest.stores.contract import Batch, Store
from monitoring.ingest.stores.worker_history import add_events
from monitoring.ingest.worker_samples import DELAY
from monitoring.models import (
    EventDelta,
    Lease,
    Worker,
    WorkerEvent,
    WorkerRollup,
    WorkerRollupMark,
    WorkerSample,
)
from monitoring.models.worker_rollup import LATE
from monitoring.upkeep import worker_rollups
from monitoring.upkeep.jobs import counts, rollups, trim
from monitoring.upkeep.lease import UPKEEP, LeaseHolder
from monitoring.worker_figures import COLUMNS
from tests.factories import make_worker
from tests.ingest.worker_streams import decoded_worker_events, worker_event
from tests.stores import EACH_STORE

WRITTEN = (EventDelta, Worker, WorkerEvent, WorkerRollup, WorkerRollupMark, WorkerSample)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)
#: Two hours before a day ends.
BEGIN = datetime(2025, 11, 22, 22, tzinfo=UTC)
HOSTS = ("celery@a", "celery@b")
#: Host name, step in seconds, start.
Key = tuple[str, int, datetime]


class Killed(Exception):
    """The process is gone."""


@dataclass
class Monitor:
    """A consumer's store and the upkeep of one database, by one clock."""

    alias: str
    make_store: Callable[[str], Store]
    now: datetime = BEGIN

    def __post_init__(self) -> None:
        self.store = self.make_store(self.alias)
        self.lease = LeaseHolder(self.alias, UPKEEP, "tests", duration=3600)

    def clear(self) -> None:
        with connections[self.alias].cursor() as cursor:
            for model in (*WRITTEN, Lease):
                cursor.execute(f"DELETE FROM {model._meta.db_table}")
        assert self.lease.try_acquire()
        self.now = BEGIN

    def write(self, events: list[Event]) -> None:
        self.store.write(Batch(workers=events))

    def add_events(self, hostname: str, minute: datetime, count: int) -> None:
        with self.lease.transaction():
            add_events(self.alias, {(hostname, minute): count})

    def count(self) -> None:
        """Let the job run until nothing is left."""
        while "more are left" in rollups.run(self.lease):
            pass

    def trim(self) -> None:
        while not trim.run(self.lease).endswith(" 0."):
            pass

    def samples(self) -> dict[tuple[str, datetime], WorkerSample]:
        return {(row.hostname, row.minute): row for row in WorkerSample.objects.using(self.alias)}

    def marks(self) -> list[datetime]:
        rows = WorkerRollupMark.objects.using(self.alias)
        return sorted(rows.values_list("hour", flat=True).distinct())

    def stored(self) -> dict[Key, dict[str, Any]]:
        rows = WorkerRollup.objects.using(self.alias).values("hostname", "step", "start", *COLUMNS)
        return {(row.pop("hostname"), row.pop("step"), row.pop("start")): row for row in rows}

    def hour(self, number: int = 0, host: str = HOSTS[0]) -> dict[str, Any]:
        return self.stored()[host, 3600, BEGIN + number * HOUR]


def expected(samples: dict[tuple[str, datetime], WorkerSample]) -> dict[Key, dict[str, Any]]:
    """Every hour and day that there should be, by the plainest code."""
    said: defaultdict[Key, list[dict[str, Any]]] = defaultdict(list)
    for (hostname, minute), sample in samples.items():
        following = samples.get((hostname, minute + MINUTE))
        done = None
        if following is not None and sample.processed is not None and following.processed is not None:
            done = following.processed - sample.processed
            done = following.processed if done < 0 else done
        figures = {
            "active": sample.active,
            "done": done,
            "most_active": sample.most_active,
            "events": sample.events,
        }
        for name in ("load_1", "load_5", "load_15", "clock_skew"):
            value = getattr(sample, name)
            figures[name] = None if value is None else round(value * 1_000_000)
        said[hostname, 3600, minute.replace(minute=0)].append(figures)
        said[hostname, 86400, minute.replace(hour=0, minute=0)].append(figures)
    rows: dict[Key, dict[str, Any]] = {}
    for key, minutes in said.items():
        row: dict[str, Any] = {"minutes": len(minutes), "events_sum": sum(each["events"] for each in minutes)}
        known = [each["most_active"] for each in minutes if each["most_active"] is not None]
        row["most_active"] = max(known, default=None)
        for name in ("active", "done", "load_1", "load_5", "load_15", "clock_skew"):
            known = [each[name] for each in minutes if each[name] is not None]
            row |= {f"{name}_count": len(known), f"{name}_sum": sum(known)}
        rows[key] = row
    return rows


@pytest.fixture(params=EACH_STORE)
def monitor(
    request: pytest.FixtureRequest, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> Monitor:
    monitor = Monitor(*request.param)
    for job in (rollups, trim):
        monkeypatch.setattr(job, "read_clock", lambda using: monitor.now)
    # However slow the machine is, a run does all that there is.
    monkeypatch.setattr(rollups, "LONGEST", 3600.0)
    monkeypatch.setattr(rollup_marks, "timezone", SimpleNamespace(now=lambda: monitor.now))
    monitor.clear()
    return monitor


def beat(after: timedelta, host: str = HOSTS[0], delay: float | None = None, **fields: Any) -> Event:
    """A heartbeat so long after BEGIN."""
    figures = {"freq": 2.0, "active": 0, "processed": 0, "loadavg": [0, 0, 0]}
    moment = round((BEGIN + after).timestamp()) * 1_000_000
    [event] = decoded_worker_events([worker_event("heartbeat", moment, host, **(figures | fields))])
    if delay is not None:
        event.values[DELAY] = delay
    return event


#: Minutes on both sides of the ends of hours and of a day.
minutes = st.builds(
    lambda hour, minute: hour * HOUR + minute * MINUTE,
    st.integers(0, 4),
    st.sampled_from([0, 1, 2, 30, 58, 59]),
)
loads = st.lists(st.sampled_from([0.1, 0.2, 1 / 3, 7.25]), max_size=3)
beats = st.builds(
    lambda minute, second, host, **fields: beat(minute + second * SECOND, host, **fields),
    minutes,
    st.sampled_from([0, 2, 59]),
    st.sampled_from(HOSTS),
    delay=st.none() | st.sampled_from([0.1, -3600.7, 12.5]),
    active=st.none() | st.integers(0, 9),
    processed=st.integers(0, 99),
    loadavg=loads,
)


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[str, Any]]:
    """What happens, one after the other: something comes, on time or late, and the job runs."""
    story: list[tuple[str, Any]] = []
    for _ in range(draw(st.integers(1, 5))):
        # So that the first hours are often over, and counted, when something comes.
        story.append(("wait", draw(st.sampled_from([2 * HOUR, HOUR, 8 * MINUTE, timedelta(0)]))))
        if draw(st.integers(0, 2)):
            story.append(("write", draw(st.lists(beats, min_size=1, max_size=6))))
        else:
            added = st.tuples(st.sampled_from(HOSTS), minutes, st.integers(1, 9))
            story.append(("add events", draw(added)))
        story.append(draw(st.sampled_from([("count", None), ("count", None), ("die", 3600), ("die", 86400)])))
    return story


def do(monitor: Monitor, what: str, how: Any) -> None:
    if what == "write":
        monitor.write(how)
    elif what == "add events":
        host, after, count = how
        monitor.add_events(host, BEGIN + after, count)
    elif what == "wait":
        monitor.now += how
    elif what == "count":
        monitor.count()
    else:
        die(monitor, how)


def die(monitor: Monitor, step: int) -> None:
    """Run the job, which is killed before it writes its first row of `step`; it may have nothing to do."""
    store, before, marks = worker_rollups._store, monitor.stored(), monitor.marks()

    def dying(using: str, each: int, *arguments: Any, **options: Any) -> None:
        if each == step:
            raise Killed
        store(using, each, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker_rollups, "_store", dying)
        try:
            rollups.run(monitor.lease)
        except Killed:
            assert monitor.marks() == marks
    assert monitor.stored() == before


a_few = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@a_few
@given(story=stories(), again=st.lists(st.integers(0, 99), max_size=4))
def test_hours_and_days_are_a_recount_in_any_order_and_outlive_their_minutes(monitor, story, again):
    monitor.clear()
    for what, how in story:
        do(monitor, what, how)
    monitor.now += DAY
    monitor.count()
    known = expected(monitor.samples())
    assert monitor.stored() == known
    assert monitor.marks() == []
    assert rollups.run(monitor.lease) == "Hours counted: 0."
    assert monitor.stored() == known
    monitor.now = BEGIN + 9 * DAY
    monitor.trim()
    assert monitor.samples() == {}
    assert monitor.stored() == known
    # What is delivered once more, a week late, changes nothing.
    written = [event for what, how in story if what == "write" for event in how]
    for number in again:
        if written:
            monitor.write([written[number % len(written)]])
            monitor.count()
            monitor.trim()
    monitor.count()
    assert monitor.stored() == known


@a_few
@given(story=stories())
def test_a_crash_while_minutes_are_deleted_deletes_and_freezes_nothing(monitor, story):
    monitor.clear()
    monitor.write([beat(timedelta(0), active=3)])
    for what, how in story:
        do(monitor, what, how)
    monitor.now = BEGIN + 9 * DAY
    known, before, samples = expected(monitor.samples()), monitor.stored(), monitor.samples()

    def count_and_die(*arguments: Any, **options: Any) -> None:
        worker_rollups.count_hour(*arguments, **options)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trim, "count_hour", count_and_die)
        with pytest.raises(Killed):
            trim.run(monitor.lease)
    assert monitor.samples().keys() == samples.keys()
    assert monitor.stored() == before
    assert not WorkerRollup.objects.using(monitor.alias).filter(frozen=True).exists()
    monitor.trim()
    assert monitor.stored() == known


def test_an_hour_is_counted_when_it_has_been_over_for_a_while(monitor):
    monitor.write([beat(minute * MINUTE, active=minute, processed=60 * minute) for minute in range(60)])
    monitor.now = BEGIN + HOUR + 14 * MINUTE
    assert rollups.run(monitor.lease) == "Hours counted: 0."
    monitor.now += MINUTE
    assert rollups.run(monitor.lease) == "Hours counted: 1."
    hour = monitor.hour()
    assert (hour["minutes"], hour["active_count"], hour["active_sum"], hour["most_active"]) == (
        60,
        60,
        1770,
        59,
    )
    assert (hour["done_count"], hour["done_sum"]) == (59, 59 * 60)
    assert monitor.stored()[HOSTS[0], 86400, BEGIN.replace(hour=0)] == hour


def test_what_comes_on_time_leaves_no_mark_and_what_comes_late_marks_its_hour(monitor):
    monitor.write([beat(minute * MINUTE) for minute in range(60)])
    assert monitor.marks() == []
    monitor.now = BEGIN + HOUR + LATE - SECOND
    monitor.write([beat(30 * MINUTE)])
    assert monitor.marks() == []
    assert rollups.run(monitor.lease) == "Hours counted: 0."
    monitor.now = BEGIN + 2 * HOUR
    monitor.write([beat(31 * MINUTE), beat(32 * MINUTE, HOSTS[1]), beat(100 * MINUTE)])
    assert monitor.marks() == [BEGIN]


def test_a_late_heartbeat_changes_its_hour_and_what_was_done_in_the_hour_before(monitor):
    monitor.write([beat(59 * MINUTE, processed=10), beat(70 * MINUTE, processed=90)])
    monitor.now = BEGIN + 3 * HOUR
    monitor.count()
    assert (monitor.hour()["done_count"], monitor.hour(1)["minutes"]) == (0, 1)
    monitor.write([beat(60 * MINUTE, processed=17)])
    assert rollups.run(monitor.lease) == "Hours counted: 2."
    assert (monitor.hour()["done_count"], monitor.hour()["done_sum"]) == (1, 7)
    assert monitor.hour(1)["minutes"] == 2
    assert monitor.stored() == expected(monitor.samples())


def test_a_crash_while_a_marked_hour_is_counted_keeps_its_mark(monitor):
    monitor.write([beat(59 * MINUTE)])
    monitor.now = BEGIN + 3 * HOUR
    monitor.count()
    monitor.write([beat(58 * MINUTE)])
    for step in (3600, 86400):
        die(monitor, step)
        assert monitor.marks() == [BEGIN]
    monitor.count()
    assert monitor.marks() == []
    assert monitor.stored() == expected(monitor.samples())


def test_events_that_upkeep_counts_late_change_the_hour_in_which_they_were_stored(monitor):
    make_worker(HOSTS[0], using=monitor.alias)
    monitor.write([beat(5 * MINUTE)])
    monitor.now = BEGIN + 2 * HOUR
    monitor.count()
    assert monitor.hour()["events_sum"] == 0
    EventDelta.objects.using(monitor.alias).create(
        type="task-started", name="shop.pay", worker=HOSTS[0], queue="", exception_type="", count=7,
        created_at=BEGIN + 5 * MINUTE,
    )  # fmt: skip
    counts.run(monitor.lease)
    monitor.count()
    assert monitor.hour()["events_sum"] == 7


def test_what_there_was_before_is_counted_bit_by_bit_and_the_oldest_first(monitor, monkeypatch):
    monkeypatch.setattr(rollups, "LONGEST", 0.0)
    monitor.write([beat(hour * HOUR, host) for hour in range(5) for host in HOSTS])
    monitor.now = BEGIN + DAY
    for number in range(5):
        assert rollups.run(monitor.lease) == "Hours counted: 1; more are left to the next run."
        assert {start for _, step, start in monitor.stored() if step == 3600} == {
            BEGIN + each * HOUR for each in range(number + 1)
        }
    assert rollups.run(monitor.lease) == "Hours counted: 0."
    assert monitor.stored() == expected(monitor.samples())


def test_a_mark_ahead_of_what_is_counted_leaves_no_hour_out(monitor):
    """After an upgrade: hours of a week have to be counted, and something comes late for one of the last."""
    monitor.write([beat(hour * HOUR) for hour in range(5)])
    monitor.now = BEGIN + DAY
    monitor.write([beat(4 * HOUR + 3 * MINUTE)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollups, "_count_next", lambda lease: False)
        monitor.count()
    assert monitor.stored() == {}
    monitor.count()
    assert monitor.marks() == []
    assert monitor.stored() == expected(monitor.samples())


def test_an_hour_whose_minutes_are_gone_is_never_counted_again(monitor):
    monitor.write([beat(minute * MINUTE, active=5) for minute in range(60)])
    monitor.now = BEGIN + 8 * DAY
    monitor.trim()
    known = monitor.stored()
    assert monitor.hour()["active_sum"] == 300
    monitor.write([beat(59 * MINUTE + SECOND, active=9), beat(30 * MINUTE, active=1)])
    monitor.count()
    monitor.trim()
    assert monitor.samples() == {}
    assert monitor.stored() == known


def test_hours_are_kept_for_90_days_and_days_for_two_years(monitor):
    monitor.write(
        [beat(hour * HOUR + minute * MINUTE, active=hour) for hour in range(5) for minute in range(3)]
    )
    monitor.now = BEGIN + 8 * DAY
    monitor.trim()
    known = monitor.stored()
    first_day, second_day = BEGIN.replace(hour=0), BEGIN.replace(hour=0) + DAY
    monitor.now = first_day + trim.HOURS_KEPT + DAY - SECOND
    trim.run(monitor.lease)
    assert monitor.stored() == known
    monitor.now += SECOND
    trim.run(monitor.lease)
    assert {start for _, step, start in monitor.stored() if step == 3600} == {
        second_day + number * HOUR for number in range(3)
    }
    monitor.now += DAY
    trim.run(monitor.lease)
    days = {key: row for key, row in known.items() if key[1] == 86400}
    assert monitor.stored() == days
    # What comes so late changes no day: the other hours of it are gone.
    monitor.write([beat(30 * MINUTE, active=9)])
    monitor.count()
    monitor.trim()
    trim.run(monitor.lease)
    assert monitor.stored() == days
    monitor.now = second_day + trim.DAYS_KEPT
    trim.run(monitor.lease)
    assert {start for _, _, start in monitor.stored()} == {second_day}
    monitor.now += SECOND
    trim.run(monitor.lease)
    assert monitor.stored() == {}


def test_much_that_is_old_is_deleted_little_by_little(monitor):
    rows = WorkerRollup.objects.using(monitor.alias)
    rows.bulk_create(
        WorkerRollup(
            hostname=HOSTS[0], step=3600, start=BEGIN + day * DAY,
            **dict.fromkeys(COLUMNS, 0),
        )
        for day in range(trim.HOURS_AT_ONCE + 2)
    )  # fmt: skip
    monitor.now = BEGIN + trim.HOURS_KEPT + 30 * DAY
    for left in (2, 0):
        trim.run(monitor.lease)
        assert rows.count() == left


def test_hostile_figures_are_counted(monitor):
    most = 2**63 - 1
    for minute in range(3):
        said = {"active": most, "processed": most * (minute % 2), "loadavg": [1e300, -1e300, 1e-300]}
        monitor.write([beat(minute * MINUTE, "ü@🐇/" + "x" * 200, delay=-1e15, **said)])
    monitor.now = BEGIN + 2 * HOUR
    monitor.count()
    [hour, day] = monitor.stored().values()
    assert hour == day
    assert hour["most_active"] == most
