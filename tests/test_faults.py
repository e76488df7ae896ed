"""Errors in one line."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connections

from monitoring.faults import first_line
from monitoring.ingest.stores import store_for
from monitoring.ingest.stores.contract import Batch
from tests.ingest.event_streams import BEGIN, decoded, event

HINT = "(has `manage.py migrate` been run?)"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one\ntwo"), "ValueError: one"),
        (OSError(" padded \n"), "OSError: padded"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_an_error_is_one_line(error: Exception, line: str) -> None:
    assert first_line(error) == line


@pytest.mark.django_db(databases=["default", "postgresql"])
@pytest.mark.parametrize("alias", ["default", "postgresql"])
@pytest.mark.parametrize(
    ("statement", "is_unknown"),
    [
        ("SELECT 1 FROM monitoring_absent", True),
        ("SELECT absent FROM monitoring_task", True),
        ("INSERT INTO monitoring_gap (absent) VALUES (1)", True),
        ("SELECT absent(1)", False),
    ],
)
def test_what_the_database_does_not_know_is_told_with_its_reason(
    alias: str, statement: str, is_unknown: bool
) -> None:
    with pytest.raises(DatabaseError) as raised, connections[alias].cursor() as cursor:
        cursor.execute(statement)
    assert "absent" in first_line(raised.value)
    assert first_line(raised.value).endswith(HINT) == is_unknown


@pytest.mark.django_db(transaction=True, databases=["postgresql"], available_apps=["monitoring"])
@pytest.mark.parametrize("lost", ["DISCARD ALL", "DEALLOCATE ALL"])
def test_a_consumer_whose_session_is_another_s_each_time_says_so(lost: str) -> None:
    """As behind PgBouncer with `pool_mode = transaction`: what was made in the session is not there any more."""
    store = store_for("postgresql")
    store.write(Batch(decoded([event("started", BEGIN, task_id="a")])))
    try:
        with connections["postgresql"].cursor() as cursor:
            cursor.execute(lost)
        with pytest.raises(DatabaseError) as raised:
            store.write(Batch(decoded([event("started", BEGIN, task_id="b")])))
    finally:
        connections["postgresql"].close()
    assert "pool_mode" in first_line(raised.value)
    assert HINT not in first_line(raised.value)
