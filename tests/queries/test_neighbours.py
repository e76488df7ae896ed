"""The rows beside a task in its list."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring.models import Task
from monitoring.queries.neighbours import neighbour
from monitoring.queries.reading import Reading
from monitoring.queries.search.question import Question
from monitoring.queries.sorting import Sort
from monitoring.queries.task_list import Asked
from monitoring.queries.visibility import Visibility
from tests.factories import make_task


@pytest.fixture(autouse=True)
def _tasks(watched: str) -> None:
    begin = timezone.now() - timedelta(minutes=5)
    for number in range(6):
        make_task(
            f"t{number}",
            watched,
            state="FAILURE" if number % 2 else "SUCCESS",
            first_seen=begin + timedelta(seconds=number),
            runtime=None if number == 5 else 10 - number,
            name="secret.task" if number == 3 else "shop.task",
        )


def beside(
    task_id: str, sort: str = "", visibility: Visibility | None = None, **query: str
) -> tuple[str | None, ...]:
    asked = Asked(visibility or Visibility.everything(), Question.read(query.items()), with_payload=False)
    task = Task.objects.get(pk=task_id)
    with Reading() as reading:
        return tuple(
            neighbour(asked, Sort.parse(sort), task, reading, backwards=backwards)
            for backwards in (True, False)
        )


def test_the_newest_come_first() -> None:
    assert beside("t3") == ("t4", "t2")
    assert beside("t5") == (None, "t4")
    assert beside("t0") == ("t1", None)


def test_a_filter_narrows_the_list() -> None:
    assert beside("t3", state="FAILURE") == ("t5", "t1")


def test_a_task_that_left_the_list_still_has_its_place_in_it() -> None:
    assert beside("t2", state="FAILURE") == ("t3", "t1")


def test_any_order_of_the_list_is_followed_to_rows_without_a_value() -> None:
    assert beside("t4", sort="runtime") == (None, "t3")
    assert beside("t0", sort="runtime") == ("t1", "t5")
    assert beside("t5", sort="runtime") == ("t0", None)


def test_hidden_tasks_are_passed_over() -> None:
    assert beside("t2", visibility=Visibility(names=("shop.*",))) == ("t4", "t1")


def test_a_question_with_a_mistake_has_no_neighbours() -> None:
    assert beside("t2", q="runtime:>>") == (None, None)
