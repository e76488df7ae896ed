"""How many tasks a list has: exact where they were counted, else about so many, and said so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from monitoring.models import Task
from monitoring.queries import facets as facets_module
from monitoring.queries import histogram as histogram_module
from monitoring.queries import totals as totals_module
from monitoring.queries.estimates import Estimate
from monitoring.queries.facets import Facets, facets
from monitoring.queries.histogram import histogram
from monitoring.queries.reading import OutOfTime, Reading
from monitoring.queries.search.question import Question
from monitoring.queries.sorting import NEWEST_FIRST
from monitoring.queries.task_list import Asked, task_list
from monitoring.queries.totals import bounded, total
from monitoring.queries.visibility import Visibility

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)


def asked(query: str = "", visibility: Visibility | None = None) -> Asked:
    return Asked(visibility or Visibility.everything(), Question.read([("q", query)]), True, NOW)


def counted(query: str = "", visibility: Visibility | None = None, size: int = 3) -> Estimate:
    given = asked(query, visibility)
    with Reading() as reading:
        found = task_list(given, NEWEST_FIRST, None, reading, size)
        numbers = facets(given, reading)
        return total(given, found, numbers, histogram(given, numbers, reading), reading)


def make_tasks(using: str, number: int) -> None:
    Task.objects.using(using).bulk_create(
        Task(
            task_id=f"t{n:04}",
            first_seen=NOW - timedelta(minutes=n),
            updated_at=NOW,
            state="FAILURE" if n % 4 else "SUCCESS",
            name="ab"[n % 2],
        )
        for n in range(number)
    )


@pytest.mark.usefixtures("watched")
def test_few_are_counted(using: str) -> None:
    make_tasks(using, 12)
    assert counted() == counted(size=50) == Estimate(12)
    assert counted("state:SUCCESS") == Estimate(3), "on one page"
    assert counted("state:FAILURE") == Estimate(9)
    assert counted(visibility=Visibility(names=("a",))) == Estimate(6)
    assert counted("first_seen:>2026-11-22T13:54:30Z name:a", size=2) == Estimate(3)


@pytest.mark.usefixtures("watched")
def test_many_are_estimated_and_say_so(using: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tasks(using, 400)
    with connections[using].cursor() as cursor:
        cursor.execute("ANALYZE monitoring_task")
    for module in (facets_module, totals_module):
        monkeypatch.setattr(module, "MOST", 50)
    monkeypatch.setattr(facets_module, "MOST_OF_SEVERAL", 20)
    monkeypatch.setattr(histogram_module, "EXACT", 50)
    assert counted() == Estimate(400, exact=False)
    assert counted("state:FAILURE") == Estimate(300, exact=False)
    assert counted("name:a first_seen:2026-11-22T10:00:00Z..2026-11-22T13:59:59Z").number in range(110, 130)
    assert counted("state:FAILURE name:b") == Estimate(200, exact=False)
    assert counted("name:a first_seen:>2026-11-22T13:44:30Z") == Estimate(8)
    assert bounded(50) == Estimate(50, exact=False, at_least=True)
    assert bounded(49) == Estimate(49)
    assert bounded(None) is None


@pytest.mark.usefixtures("watched")
def test_without_time_to_count_the_plan_says_it_where_there_is_one(using: str) -> None:
    make_tasks(using, 40)
    with connections[using].cursor() as cursor:
        cursor.execute("ANALYZE monitoring_task")
    given, nothing = asked("state:FAILURE"), Facets((), in_time=False)
    with Reading() as reading:
        found = task_list(given, NEWEST_FIRST, None, reading, 3)
        expected = (
            Estimate(30, exact=False) if using == "postgresql" else Estimate(3, exact=False, at_least=True)
        )
        assert total(given, found, nothing, None, reading) == expected

    class NoTime(Reading):
        def ask(self, question: Any) -> Any:
            raise OutOfTime

    assert total(given, found, nothing, None, NoTime()) == Estimate(3, exact=False, at_least=True)


@pytest.mark.usefixtures("watched")
def test_how_many_another_question_would_find_is_counted_beside(using: str) -> None:
    make_tasks(using, 12)
    with Reading() as reading:
        found = facets(
            asked("state:LOST"), reading, {"a": asked("name:a").tasks(), "none": Task.objects.none()}
        )
    assert (found.total, found.beside) == (0, {"a": 6, "none": 0})
    assert found.oldest == NOW - timedelta(minutes=11)
