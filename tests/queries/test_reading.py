"""A question that takes too long is stopped, and what comes after it is answered."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connections, transaction

from monitoring.queries import reading as module
from monitoring.queries.reading import LIMIT, PAGE_COST, OutOfTime, Reading

ENDLESS = {
    "postgresql": "SELECT pg_sleep(60)",
    "sqlite": "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
}


@pytest.mark.usefixtures("watched")
def test_a_page_waits_a_quarter_of_a_second_and_longer_where_its_reader_asks_to(
    using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As it is outside of tests.
    monkeypatch.setattr(module, "LIMIT", LIMIT)
    assert [Reading().limit, *(Reading(patience).limit for patience in (0, 1, 2, 3, 4))] == [
        0.25, 0.25, 1, 4, 10, 10,
    ]  # fmt: skip


def run(using: str, sql: str) -> Any:
    with connections[using].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@pytest.mark.usefixtures("watched")
def test_a_slow_question_is_stopped_and_the_next_one_answered(using: str) -> None:
    vendor = connections[using].vendor
    with Reading() as reading:
        patient = reading.limit
        assert reading.ask(lambda: run(using, "SELECT 1")) == 1
        reading.limit_to(LIMIT)
        with pytest.raises(OutOfTime):
            reading.ask(lambda: run(using, ENDLESS[vendor]))
        reading.limit_to(patient)
        assert reading.ask(lambda: run(using, "SELECT 2")) == 2
    assert run(using, "SELECT 3") == 3


@pytest.mark.usefixtures("watched")
def test_another_error_is_told_as_it_is(using: str) -> None:
    with Reading() as reading:
        with pytest.raises(ZeroDivisionError):
            reading.ask(lambda: 1 // 0)
        assert reading.ask(lambda: run(using, "SELECT 2")) == 2


@pytest.mark.parametrize("using", ["postgresql"])
@pytest.mark.django_db(databases=["default", "postgresql"])
@pytest.mark.usefixtures("watched")
def test_the_limit_ends_with_the_reading(using: str) -> None:
    before, page_cost = run(using, "SHOW statement_timeout"), run(using, "SHOW random_page_cost")
    with transaction.atomic(using=using):
        with Reading() as reading:
            assert reading.ask(lambda: run(using, "SHOW statement_timeout")) == "30s"
            assert reading.ask(lambda: run(using, "SHOW random_page_cost")) == str(PAGE_COST)
        assert run(using, "SHOW statement_timeout") == before
        assert run(using, "SHOW random_page_cost") == page_cost
    with Reading(patience=1) as reading:
        assert reading.ask(lambda: run(using, "SHOW statement_timeout")) == "2min"
    assert run(using, "SHOW statement_timeout") == before


@pytest.mark.usefixtures("watched")
def test_nothing_is_asked_where_there_is_no_question(using: str, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0, connection=connections[using]), Reading():
        pass


@pytest.mark.parametrize("using", ["postgresql"])
@pytest.mark.django_db(transaction=True, databases=["default", "postgresql"])
@pytest.mark.usefixtures("watched")
def test_outside_of_a_transaction_it_takes_two_statements_and_leaves_nothing_behind(
    using: str, django_assert_num_queries: Any
) -> None:
    before = run(using, "SHOW statement_timeout")
    with django_assert_num_queries(5, connection=connections[using]), Reading() as reading:
        assert reading.ask(lambda: run(using, "SHOW statement_timeout")) == "30s"
        reading.limit_to(reading.limit)
        reading.limit_to(62.5)
        assert reading.ask(lambda: run(using, "SHOW statement_timeout")) == "62500ms"
    assert run(using, "SHOW statement_timeout") == before
    assert connections[using].get_autocommit()
    with Reading() as reading:
        patient = reading.limit
        reading.limit_to(LIMIT)
        with pytest.raises(OutOfTime):
            reading.ask(lambda: run(using, ENDLESS["postgresql"]))
        reading.limit_to(patient)
        assert reading.ask(lambda: run(using, "SELECT 1")) == 1
    with transaction.atomic(using=using):
        assert run(using, "SELECT 2") == 2


@pytest.mark.parametrize("using", ["postgresql"])
@pytest.mark.django_db(transaction=True, databases=["default", "postgresql"])
@pytest.mark.usefixtures("watched")
def test_a_connection_that_breaks_is_told_as_such(using: str) -> None:
    with pytest.raises(OperationalError), Reading() as reading:
        reading.ask(lambda: run(using, "SELECT pg_terminate_backend(pg_backend_pid())"))
    connections[using].close()
    assert run(using, "SELECT 1") == 1
