"""Pages of the task list: in any order every task once, forwards and back, and an honest end where time runs out."""

from __future__ import annotations

import base64
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from monitoring.models import Task
from monitoring.queries import task_list as module
from monitoring.queries.keyset import Place
from monitoring.queries.reading import OutOfTime, Reading
from monitoring.queries.search.question import Question
from monitoring.queries.sorting import COLUMNS, NEWEST_FIRST, Sort
from monitoring.queries.task_list import Asked, TaskList, task_list
from monitoring.queries.visibility import Visibility
from tests.factories import make_task

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
SORTS = [
    Sort(column, descending) for column, descending in itertools.product(COLUMNS.values(), (False, True))
]


def asked(query: str = "", visibility: Visibility | None = None, with_payload: bool = True) -> Asked:
    question = Question.read([("q", query)])
    return Asked(visibility or Visibility.everything(), question, with_payload, NOW)


def page(
    query: str = "", sort: Sort = NEWEST_FIRST, place: Place | None = None, size: int = 3, **options: Any
) -> TaskList:
    with Reading() as reading:
        return task_list(asked(query, **options), sort, place, reading, size)


def ids(found: TaskList) -> list[str]:
    return [task.task_id for task in found.rows]


def make_tasks(using: str) -> None:
    """Eleven tasks with equal times and values among them, and with none."""
    for number in range(11):
        moment = NOW - timedelta(minutes=number // 3)
        make_task(
            f"t{number:02}",
            using,
            first_seen=moment,
            name=None if number == 4 else "ab"[number % 2],
            worker=None if number % 3 == 0 else "w",
            queue=None,
            received_at=moment if number % 2 else None,
            finished_at=moment if number % 4 else None,
            runtime=(None, 0.5, 0.5, 2.0)[number % 4],
            state="FAILURE" if number % 2 else "SUCCESS",
        )


def expected(sort: Sort) -> list[str]:
    """In the order that the table of sorts promises, worked out in memory."""
    column = sort.column.column
    with_value = [task for task in Task.objects.all() if getattr(task, column) is not None]
    without = [task for task in Task.objects.all() if getattr(task, column) is None]
    for key, descending in reversed(sort.keys):
        with_value.sort(key=lambda task, key=key: getattr(task, key), reverse=descending)  # type: ignore[misc]
    without.sort(key=lambda task: (task.first_seen, task.task_id), reverse=True)
    return [task.task_id for task in (*with_value, *without)]


@pytest.mark.usefixtures("watched")
def test_each_order_has_every_task_once_forwards_and_back(using: str) -> None:
    make_tasks(using)
    for sort in SORTS:
        pages = [page(sort=sort)]
        while (after := pages[-1].after) is not None:
            pages.append(page(sort=sort, place=Place.parse(str(after), sort)))
        listed = [ids(found) for found in pages]
        assert list(itertools.chain(*listed)) == expected(sort), str(sort)
        assert pages[0].before is None
        back = [listed.pop()]
        before = pages[-1].before
        while before is not None:
            found = page(sort=sort, place=Place.parse(str(before), sort))
            assert found.after is not None
            assert ids(found) == listed.pop(), str(sort)
            back.append(ids(found))
            before = found.before
        assert listed == []


@pytest.mark.usefixtures("watched")
def test_a_page_stays_where_it_is_while_tasks_come_and_go(using: str) -> None:
    make_tasks(using)
    first = page()
    make_task("new", using, first_seen=NOW + timedelta(seconds=1))
    Task.objects.using(using).filter(pk=first.rows[-1].pk).delete()
    assert ids(page(place=first.after)) == expected(NEWEST_FIRST)[3:6]


@pytest.mark.usefixtures("watched")
def test_back_before_the_first_task_is_the_first_page(using: str) -> None:
    make_tasks(using)
    place = Place(NEWEST_FIRST, (NOW + timedelta(days=1), "x"), backwards=True)
    assert ids(page(place=place)) == ids(page())


@pytest.mark.usefixtures("watched")
def test_the_question_and_the_visibility_limit_every_page(using: str) -> None:
    make_tasks(using)
    found = page("state:FAILURE", size=4)
    assert ids(found) == ["t01", "t05", "t03", "t07"]
    assert found.after is not None
    assert ids(page("state:FAILURE", place=found.after)) == ["t09"]
    assert set(ids(page(visibility=Visibility(names=("a",)), size=20))) == {"t00", "t02", "t06", "t08", "t10"}
    assert page(visibility=Visibility(names=("c",))) == TaskList([])


@pytest.mark.usefixtures("watched")
def test_nothing_is_listed_while_there_is_a_mistake(using: str) -> None:
    make_tasks(using)
    for query in ("state:NOPE", "args:x", "(a"):
        assert asked(query).mistakes
        assert page(query) == TaskList([])
        assert not asked(query).tasks().exists()


@pytest.mark.usefixtures("watched")
def test_questions_do_not_grow_with_rows(using: str) -> None:
    counts = []
    for _ in range(2):
        make_tasks_more(using, 30)
        with CaptureQueriesContext(connections[using]) as captured:
            found = page(size=50)
            for task in found.rows:
                for column in module.ROW_COLUMNS:
                    getattr(task, column)
                assert task.args_start == "(48213,)"  # type: ignore[attr-defined]
        counts.append(len(captured))
        assert len(found.rows) in (30, 50)
    assert max(counts) <= 5, "of which three are of the savepoint"


def make_tasks_more(using: str, number: int) -> None:
    for _ in range(number):
        make_task(using=using, first_seen=NOW)


@pytest.mark.usefixtures("watched")
def test_no_long_text_is_read_for_a_row_and_no_payload_without_permission(using: str) -> None:
    make_task("a", using, args="x" * 5_000)
    [row] = page().rows
    assert len(row.args_start) == module.ROW_TEXT  # type: ignore[attr-defined]
    assert {"args", "kwargs", "result", "exception", "traceback"} <= row.get_deferred_fields()
    [row] = page(with_payload=False).rows
    assert not hasattr(row, "args_start")


class SlowBefore(Reading):
    """Has no time for anything that looks at tasks first seen before `moment`: an index that is not there."""

    def __init__(self, moment: datetime) -> None:
        super().__init__()
        self.moment = moment

    def ask(self, question: Any) -> Any:
        where = str(question.args[0][0].query)
        start = where.partition('"first_seen" >= ')[2][:20].strip("'")
        if not start or datetime.fromisoformat(start[:19]).replace(tzinfo=UTC) < self.moment:
            raise OutOfTime
        return super().ask(question)


@pytest.mark.usefixtures("watched")
def test_what_takes_too_long_is_answered_for_the_newest_and_says_how_far_back(using: str) -> None:
    for hours in (0, 1, 2, 30, 60):
        make_task(f"h{hours}", using, first_seen=NOW - timedelta(hours=hours, seconds=1))
    slow = SlowBefore(NOW - timedelta(hours=24))
    with slow as reading:
        found = task_list(asked(), NEWEST_FIRST, None, reading, 50)
    assert ids(found) == ["h0", "h1", "h2"]
    assert found.looked_back_to is not None
    assert NOW - timedelta(hours=24) <= found.looked_back_to < NOW - timedelta(hours=2)
    assert found.go_on is not None
    further = page(place=Place.parse(str(found.go_on), NEWEST_FIRST), size=50)
    assert ids(further) == ["h30", "h60"], "going on takes up where it stopped"
    assert further.looked_back_to is None
    sort = Sort.parse("runtime")
    with SlowBefore(NOW - timedelta(hours=24)) as reading:
        found = task_list(asked(), sort, None, reading, 50)
    assert sorted(ids(found)) == ["h0", "h1", "h2"]
    assert found.looked_back_to is not None
    assert found.go_on is None


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: raw.hex()))
def test_any_text_is_a_place_or_none(text: str) -> None:
    for sort in SORTS:
        Place.parse(text, sort)


def test_a_place_of_another_order_or_a_spoilt_one_is_none() -> None:
    place = Place(NEWEST_FIRST, (NOW, "t"))
    text = str(place)
    assert Place.parse(text, NEWEST_FIRST) == place
    assert Place.parse(text, Sort.parse("runtime")) is None
    assert Place.parse(text[:-4], NEWEST_FIRST) is None
    for values in (("x", "t"), (5, "t"), (NOW, 5), (NOW,), ("2026-11-22T10:00:00", "t"), (NOW, "a\0")):
        assert Place.parse(str(Place(NEWEST_FIRST, values)), NEWEST_FIRST) is None
    for spoilt in (
        ["-first_seen", [1], 0, NOW.isoformat(), "t"],
        ["-first_seen", 1, {}, NOW.isoformat(), "t"],
    ):
        written = base64.urlsafe_b64encode(json.dumps(spoilt).encode()).decode()
        assert Place.parse(written, NEWEST_FIRST) is None
    assert Place.parse(None, NEWEST_FIRST) is None
    assert Place.parse("", NEWEST_FIRST) is None


def test_what_is_no_order_is_the_newest_first() -> None:
    assert Sort.parse("nope") == Sort.parse(None) == Sort.parse("-") == NEWEST_FIRST
    for sort in SORTS:
        assert Sort.parse(str(sort)) == sort
        assert sort.reversed.reversed == sort
