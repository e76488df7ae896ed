"""Whole tasks in orders that no index keeps, among the newest that match."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitoring.queries import task_records as module
from monitoring.queries.reading import Reading
from monitoring.queries.search.question import Question
from monitoring.queries.task_records import Wanted, record_ids, records
from monitoring.queries.visibility import Visibility
from tests.factories import make_event, make_task

EVERYTHING = Visibility.everything()


def ids(
    wanted: Wanted, start: int = 0, stop: int = 100, visibility: Visibility = EVERYTHING, payload: bool = True
) -> list[str]:
    with Reading(2) as reading:
        return record_ids(visibility, wanted, start, stop, with_payload=payload, reading=reading)[0]


def test_tasks_come_in_the_order_of_their_newest_event(watched: str) -> None:
    now = timezone.now()
    for name, minutes in (("a", 3), ("b", 1), ("c", 2)):
        make_task(name, using=watched, updated_at=now - timedelta(minutes=minutes))
    assert ids(Wanted()) == ["b", "c", "a"]
    assert ids(Wanted(), 1, 2) == ["c"]


def test_tasks_without_a_value_come_first_upwards_and_last_downwards(watched: str) -> None:
    now = timezone.now()
    make_task("early", using=watched, started_at=now - timedelta(minutes=2))
    make_task("late", using=watched, started_at=now)
    make_task("never", using=watched, started_at=None)
    assert ids(Wanted(order="started_at", descending=False)) == ["never", "early", "late"]
    assert ids(Wanted(order="started_at")) == ["late", "early", "never"]


def test_time_of_receipt_leaves_in_what_has_none(watched: str) -> None:
    now = timezone.now()
    make_task("in", using=watched, received_at=now)
    make_task("out", using=watched, received_at=now - timedelta(days=1))
    make_task("sent", using=watched, received_at=None)
    found = Wanted(received_from=now - timedelta(hours=1), received_to=now, order="name", descending=False)
    assert set(ids(found)) == {"in", "sent"}


def test_words_are_looked_for_in_texts_of_the_newest(watched: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NEWEST", 2)
    now = timezone.now()
    for number in range(4):
        make_task(f"t{number}", using=watched, first_seen=now - timedelta(minutes=number), result="shipped")
    wanted = Wanted(Question.read([("q", "result:shipped")]))
    assert set(ids(wanted)) == {"t0", "t1"}
    assert ids(wanted, payload=False) == [], "not for who may not see results"


def test_records_have_their_clock_and_children_and_hide_what_may_not_be_seen(watched: str) -> None:
    parent = make_task("parent", using=watched, name="shop.pay", root_id="parent")
    make_task("child", using=watched, name="shop.mail", root_id="parent", parent_id="parent")
    make_task("other", using=watched, name="bank.pay", root_id="parent", parent_id="parent")
    clocks = [
        make_event(parent, kind, after=1, using=watched).clock for kind in ("task-sent", "task-started")
    ]
    shop = Visibility(names=("shop.*",))
    [[found, child]] = list(records(shop, ["parent", "other", "nul\0", "gone", "child"]))
    assert (found.task.task_id, found.clock, found.children) == ("parent", max(clocks), ("child",))
    assert (child.clock, child.children) == (None, ())


def test_chunks_cost_the_same_however_many_tasks_they_have(
    watched: str, django_assert_num_queries: Any
) -> None:
    made = [make_task(using=watched).task_id for _ in range(30)]
    with django_assert_num_queries(3, using=watched):
        assert len(next(records(EVERYTHING, made))) == 30
