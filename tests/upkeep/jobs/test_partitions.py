"""The days to come have their partitions before their events come."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from monitoring.models import TaskEvent
from monitoring.models.partitions import DAYS_AHEAD, EVENT_TABLE, existing_days, partition_name
from monitoring.upkeep.jobs import partitions
from monitoring.upkeep.lease import UPKEEP, LeaseHolder

#: Some day that no other test has events of, whatever day it really is.
NOON = datetime(2031, 5, 7, 12, tzinfo=UTC)
TODAY = NOON.date()
DAYS = {TODAY + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)}

on_postgresql = pytest.mark.django_db(transaction=True, databases=["postgresql"])


@pytest.fixture
def lease(transactional_db, monkeypatch):
    monkeypatch.setattr(partitions, "read_clock", lambda using: NOON)
    holder = LeaseHolder("postgresql", UPKEEP, "tests", duration=3600)
    assert holder.try_acquire()
    yield holder
    execute("RESET ROLE")
    for day in existing_days("postgresql"):
        execute(f'DROP TABLE "{partition_name(day)}"')


def execute(statement):
    with connections["postgresql"].cursor() as cursor:
        cursor.execute(statement)


def log_event(moment):
    TaskEvent.objects.using("postgresql").create(
        task_id="t", timestamp=moment, type="task-sent", tie=1, worker="gen1@web", payload={}
    )


@on_postgresql
def test_today_and_the_days_ahead_are_made_once(lease):
    assert partitions.run(lease).startswith("Made: " + ", ".join(map(str, sorted(DAYS))))
    assert existing_days("postgresql") >= DAYS
    assert partitions.run(lease) == "Made: none, all there; events in the default partition: 0."


@on_postgresql
def test_what_lies_in_the_default_partition_is_reported(lease):
    log_event(datetime(2001, 1, 1, tzinfo=UTC))
    assert partitions.run(lease).endswith("events in the default partition: 1.")


@on_postgresql
def test_an_event_from_the_future_keeps_no_day_from_being_made(lease):
    tomorrow = TODAY + timedelta(days=1)
    log_event(datetime(tomorrow.year, tomorrow.month, tomorrow.day, 12, tzinfo=UTC))
    assert partitions.run(lease).startswith("Made: " + ", ".join(map(str, sorted(DAYS))))
    assert partitions.run(lease).endswith("events in the default partition: 0.")


@on_postgresql
def test_a_day_to_come_that_cannot_be_made_is_a_failure(lease):
    tomorrow = TODAY + timedelta(days=1)
    # Somebody's table has its name.
    execute(f"CREATE TABLE {partition_name(tomorrow)} ()")
    try:
        with pytest.raises(partitions.PartitionsMissing, match=str(tomorrow)):
            partitions.run(lease)
    finally:
        execute(f"DROP TABLE {partition_name(tomorrow)}")
    assert existing_days("postgresql") >= DAYS - {tomorrow}, "the other days are made all the same"


@on_postgresql
def test_without_the_right_to_make_tables_it_says_so(lease, role_without_rights):
    execute(f"SET ROLE {role_without_rights}")
    outcome = partitions.run(lease)
    assert "monitoring.W001" in outcome
    assert outcome.endswith("events in the default partition: 0.")


@pytest.mark.django_db(transaction=True)
def test_on_another_database_there_is_nothing_to_do():
    holder = LeaseHolder("default", UPKEEP, "tests")
    assert holder.try_acquire()
    assert partitions.run(holder).startswith("Nothing to do")


def test_the_log_is_the_table_that_is_partitioned():
    assert TaskEvent._meta.db_table == EVENT_TABLE
