"""The event log on PostgreSQL: each day in a partition of its own, and no event without a place."""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from django.db import connections, transaction
from psycopg import sql

from monitoring.ingest.stores import store_for
from monitoring.ingest.stores.contract import Batch
from monitoring.ingest.writer import Job, Writer
from monitoring.models import TaskEvent
from monitoring.models import partitions as module
from monitoring.models.partitions import (
    DEFAULT_PARTITION,
    LOCK_TIMEOUT_MS,
    DayPartitions,
    existing_days,
    make_partitions,
    partition_name,
)
from tests.ingest.event_streams import SECOND, decoded, event

ALIAS = "postgresql"
pytestmark = pytest.mark.django_db(transaction=True, databases=[ALIAS], available_apps=["monitoring"])
TODAY = datetime.now(UTC).date()
TOMORROW = TODAY + timedelta(days=1)
DAYS = {TODAY - timedelta(days=1), TODAY, TOMORROW}
NOON = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_days(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start and end without a partition of any day. A lock that autovacuum holds for a moment is waited for."""
    monkeypatch.setattr(module, "LOCK_TIMEOUT_MS", 60_000)
    drop_days()
    yield
    drop_days()


def drop_days() -> None:
    with connections[ALIAS].cursor() as cursor:
        for day in existing_days(ALIAS):
            cursor.execute(f"DROP TABLE {partition_name(day)}")
        cursor.execute(f"TRUNCATE {DEFAULT_PARTITION}")


def at(day: date, hour: int = 12, **fields: object) -> dict[str, object]:
    """An event of `day`."""
    moment = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    return event("started", int(moment.timestamp()) * SECOND, task_id=f"{day} {hour}", **fields)


def consume(*raw: dict[str, object]) -> None:
    """Write events as the consumer does."""
    committed: list[Job] = []
    writer = Writer(store_for(ALIAS), ALIAS, committed.append, lambda error: None)
    writer.start()
    try:
        writer.submit(Job(Batch(decoded(list(raw))), [], 1))
        assert writer.wait(60)
    finally:
        writer.stop()
    assert committed


def places() -> dict[str, str]:
    """Where each event is, by its task's id."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute("SELECT task_id, tableoid::regclass::text FROM monitoring_taskevent")
        return dict(cursor.fetchall())


def test_events_of_three_days_land_in_three_partitions_that_the_consumer_makes():
    consume(*(at(day, hour) for day in DAYS for hour in (0, 23)))

    assert places() == {f"{day} {hour}": partition_name(day) for day in DAYS for hour in (0, 23)}
    assert existing_days(ALIAS) == DAYS


def test_a_day_begins_and_ends_at_midnight_utc_whatever_the_time_zone_of_the_session():
    midnight = int(datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC).timestamp()) * SECOND
    with connections[ALIAS].cursor() as cursor:
        cursor.execute("SET TIME ZONE 'Asia/Tokyo'")
        try:
            make_partitions(ALIAS, DAYS)
        finally:
            cursor.execute("SET TIME ZONE 'UTC'")

    consume(event("started", midnight - 1, task_id="before"), event("started", midnight, task_id="after"))

    assert places() == {"before": partition_name(TODAY - timedelta(days=1)), "after": partition_name(TODAY)}


def test_times_that_are_far_from_today_go_to_the_default_partition():
    consume(at(date(2001, 1, 1)), at(date(2099, 12, 31)), at(TODAY))

    assert places() == {
        "2001-01-01 12": DEFAULT_PARTITION,
        "2099-12-31 12": DEFAULT_PARTITION,
        f"{TODAY} 12": partition_name(TODAY),
    }


def test_an_event_delivered_again_is_found_in_its_partition():
    consume(at(TODAY))
    consume(at(TODAY), at(TODAY, 13))

    assert TaskEvent.objects.using(ALIAS).count() == 2


def test_consumers_that_need_the_same_days_at_once_all_get_them():
    faults: list[BaseException] = []

    def ensure() -> None:
        try:
            DayPartitions(ALIAS).ensure(set(DAYS))
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ensure) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert not faults
    assert existing_days(ALIAS) == DAYS


def test_days_that_are_there_cost_no_further_query(django_assert_num_queries):
    partitions = DayPartitions(ALIAS)
    partitions.ensure(set(DAYS))

    with django_assert_num_queries(0, using=ALIAS):
        partitions.ensure(set(DAYS))


def test_a_reader_that_holds_the_log_delays_no_event(caplog, monkeypatch):
    """A long query's lock keeps the day from being attached; its events wait for nobody."""
    monkeypatch.setattr(module, "LOCK_TIMEOUT_MS", LOCK_TIMEOUT_MS)
    with locked(DEFAULT_PARTITION), caplog.at_level(logging.WARNING, "monitoring"):
        consume(at(TODAY))

    assert places() == {f"{TODAY} 12": DEFAULT_PARTITION}
    assert f"No partition for {TODAY}" in caplog.text


def test_a_day_whose_events_went_to_the_default_partition_gets_them_with_its_own(monkeypatch):
    """As after one lock that was not to be had, or one sender whose clock was a month ahead."""
    monkeypatch.setattr(module, "LOCK_TIMEOUT_MS", LOCK_TIMEOUT_MS)
    with locked(DEFAULT_PARTITION):
        consume(at(TODAY, 1), at(date(2001, 1, 1)))
    monkeypatch.setattr(module, "LOCK_TIMEOUT_MS", 60_000)

    consume(at(TODAY, 2))

    assert places() == {
        f"{TODAY} 1": partition_name(TODAY),
        f"{TODAY} 2": partition_name(TODAY),
        "2001-01-01 12": DEFAULT_PARTITION,
    }


def test_an_event_that_is_on_its_way_to_the_default_partition_is_moved_as_well():
    with someone() as other:
        other.execute(LOG_NOW)
        maker = in_thread(lambda: make_partitions(ALIAS, [TODAY]))
        wait_for_a_lock()
        assert not existing_days(ALIAS)
        other.commit()
        maker.join(60)

    assert places() == {"early": partition_name(TODAY)}


def test_an_event_that_comes_while_its_day_is_made_waits_and_lands_there():
    with transaction.atomic(using=ALIAS):
        make_partitions(ALIAS, [TODAY])
        writer = in_thread(lambda: store_for(ALIAS).write(Batch(decoded([at(TODAY)]))))
        wait_for_a_lock()
    writer.join(60)

    assert places() == {f"{TODAY} 12": partition_name(TODAY)}


def test_a_day_with_more_events_in_the_default_partition_than_can_be_moved_at_once_stays(caplog, monkeypatch):
    monkeypatch.setattr(module, "MOST_MOVED", 1)
    store_for(ALIAS).write(Batch(decoded([at(TODAY, 1), at(TODAY, 2)])))

    with caplog.at_level(logging.WARNING, "monitoring"):
        assert make_partitions(ALIAS, [TODAY]) == []

    assert f"No partition for {TODAY}: NotPossible: more than 1 events" in caplog.text
    assert set(places().values()) == {DEFAULT_PARTITION}


def test_a_table_that_was_detached_is_not_taken_for_the_day_s_partition(caplog):
    make_partitions(ALIAS, [TODAY])
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(f"ALTER TABLE monitoring_taskevent DETACH PARTITION {partition_name(TODAY)}")
        try:
            with caplog.at_level(logging.WARNING, "monitoring"):
                assert make_partitions(ALIAS, [TODAY]) == []
        finally:
            cursor.execute(f"DROP TABLE {partition_name(TODAY)}")

    assert "already exists" in caplog.text


def test_a_log_without_a_default_partition_gets_its_days():
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(f"ALTER TABLE monitoring_taskevent DETACH PARTITION {DEFAULT_PARTITION}")
        try:
            assert make_partitions(ALIAS, [TODAY]) == [TODAY]
        finally:
            cursor.execute(f"ALTER TABLE monitoring_taskevent ATTACH PARTITION {DEFAULT_PARTITION} DEFAULT")


def test_a_consumer_makes_tomorrow_today_so_that_midnight_waits_for_nobody():
    now = NOON
    partitions = DayPartitions(ALIAS, lambda: now)
    partitions.ensure({TODAY})
    assert existing_days(ALIAS) == {TODAY, TOMORROW}

    now += timedelta(days=1)
    partitions.ensure({TOMORROW})
    assert existing_days(ALIAS) == {TODAY, TOMORROW, TOMORROW + timedelta(days=1)}


def test_without_the_right_to_make_tables_everything_goes_to_the_default_partition(caplog):
    with as_a_user_who_makes_no_tables(), caplog.at_level(logging.WARNING, "monitoring"):
        store = store_for(ALIAS)
        DayPartitions(ALIAS).ensure(set(DAYS))
        store.write(Batch(decoded([at(day) for day in DAYS])))

    assert set(places().values()) == {DEFAULT_PARTITION}
    assert len(places()) == 3
    assert "monitoring.W001" in caplog.text


def test_a_day_that_was_refused_is_not_tried_with_every_batch(caplog):
    with as_a_user_who_makes_no_tables(), caplog.at_level(logging.WARNING, "monitoring"):
        partitions = DayPartitions(ALIAS)
        for _ in range(5):
            partitions.ensure({TODAY})

    assert caplog.text.count(f"No partition for {TODAY}") == 1


def test_tomorrow_is_tried_less_often_while_it_is_refused(monkeypatch):
    """Each try keeps readers of the log waiting for a moment, and there is time until midnight."""
    tried: list[set[date]] = []
    monkeypatch.setattr(module, "make_partitions", lambda using, days: tried.append(set(days)) or [])
    now = NOON
    partitions = DayPartitions(ALIAS, lambda: now)
    for minutes in (0, 0, 2, 3, 11):
        now = NOON + timedelta(minutes=minutes)
        partitions.ensure({TODAY})

    assert tried == [{TODAY, TOMORROW}, {TODAY}, {TODAY}, {TODAY, TOMORROW}]


LOG_NOW = (
    "INSERT INTO monitoring_taskevent (task_id, timestamp, type, tie, worker, payload)"
    " VALUES ('early', now(), 'task-started', 1, 'celery@a', '{}')"
)


@contextmanager
def someone() -> Iterator[psycopg.Connection]:
    """Another session, in a transaction."""
    options = connections[ALIAS].get_connection_params()
    with psycopg.connect(
        host=options["host"], port=options["port"], user=options["user"], dbname=options["dbname"]
    ) as other:
        yield other


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Somebody reads `table` all the while."""
    with someone() as other:
        other.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(sql.Identifier(table)))
        yield


def in_thread(call: Callable[[], object]) -> threading.Thread:
    """Call it in a thread with a connection of its own."""

    def run() -> None:
        try:
            call()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_for_a_lock() -> None:
    """Return when some session of this database waits for one of the log's tables."""
    deadline = time.monotonic() + 60
    waiting = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with someone() as other:
        while not other.execute(waiting).fetchone()[0]:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@contextmanager
def as_a_user_who_makes_no_tables() -> Iterator[None]:
    role = f"monitoring_test_{secrets.token_hex(4)}"
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role}")
        try:
            cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
            cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
            cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}")
            cursor.execute(f"SET ROLE {role}")
            try:
                yield
            finally:
                cursor.execute("RESET ROLE")
        finally:
            cursor.execute(f"DROP OWNED BY {role}")
            cursor.execute(f"DROP ROLE {role}")
