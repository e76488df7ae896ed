"""The payload of an event comes back as it was stored, by each way of reading and writing it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connections

from monitoring.models import TaskEvent

AT = datetime(2026, 11, 22, 14, 42, tzinfo=UTC)
PAYLOAD: dict[str, Any] = {
    "retries": 1,
    "eta": None,
    "name": "注文.支払い",
    "deep": {"list": [1.5, "1", True]},
}

on_each_database = pytest.mark.parametrize(
    "using",
    [
        pytest.param(alias, marks=pytest.mark.django_db(databases=[alias]))
        for alias in ("default", "postgresql")
    ],
)


def event(number: int) -> TaskEvent:
    return TaskEvent(
        task_id=f"t{number}", timestamp=AT, type="task-sent", tie=number, worker="w", payload=PAYLOAD
    )


@on_each_database
def test_a_payload_is_read_as_it_was_written(using: str) -> None:
    event(1).save(using=using, force_insert=True)
    TaskEvent.objects.using(using).bulk_create([event(2), event(3)])
    rows = TaskEvent.objects.using(using).order_by("task_id")
    assert [row.payload for row in rows] == [PAYLOAD] * 3
    assert list(rows.values_list("payload", flat=True)) == [PAYLOAD] * 3


@on_each_database
def test_values_of_its_keys_can_be_looked_up(using: str) -> None:
    TaskEvent.objects.using(using).bulk_create([event(1)])
    rows = TaskEvent.objects.using(using)
    assert rows.filter(payload__retries=1, payload__deep__list__1="1").count() == 1
    assert rows.filter(payload__retries=2).count() == 0
    assert list(rows.values_list("payload__name", "payload__deep__list")) == [
        ("注文.支払い", [1.5, "1", True])
    ]


@on_each_database
def test_it_is_looked_for_as_a_whole(using: str) -> None:
    TaskEvent.objects.using(using).bulk_create([event(1)])
    rows = TaskEvent.objects.using(using)
    assert rows.filter(payload=PAYLOAD).count() == 1
    assert rows.exclude(payload={}).count() == 1
    assert rows.filter(payload__has_key="deep").count() == 1
    assert rows.order_by("payload__retries").update(payload={"new": 1}) == 1
    assert rows.get().payload == {"new": 1}


@pytest.mark.django_db(databases=["postgresql"])
def test_postgresql_keeps_it_as_it_was_written() -> None:
    with connections["postgresql"].cursor() as cursor:
        cursor.execute(
            "SELECT pg_typeof(payload)::text FROM monitoring_taskevent RIGHT JOIN (SELECT) AS one ON true"
        )
        assert cursor.fetchall() == [("json",)]
