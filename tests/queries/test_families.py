"""Families: whole where they are small, the task's surroundings where they are not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitoring.models import Task
from monitoring.queries import families
from monitoring.queries.families import ANCESTORS, LEVEL, WHOLE, family
from monitoring.queries.visibility import Visibility
from tests.factories import make_task

ALL = Visibility.everything()


@pytest.fixture(autouse=True)
def _either_database(watched: str) -> None:
    """Each test asks both."""


def make(task_id: str | None = None, **fields: Any) -> Task:
    return make_task(task_id, Task.objects.db, **fields)


def make_many(count: int, parent_id: str | None = "root", prefix: str = "m") -> None:
    begin = timezone.now() - timedelta(hours=1)
    Task.objects.bulk_create(
        Task(task_id=f"{prefix}{number:05}", name="shop.tasks.row", root_id="root", first_seen=begin,
             parent_id=parent_id if parent_id else f"{prefix}{number - 1:05}" if number else "root",
             updated_at=begin + timedelta(seconds=number))
        for number in range(count)
    )  # fmt: skip


def ids(found: families.Family) -> list[str]:
    return [member.task_id for member in found.members]


def test_a_task_alone_is_its_own_family() -> None:
    found = family(ALL, make("alone", root_id="alone"))
    assert (ids(found), found.total, found.whole) == (["alone"], 1, True)


def test_root_parent_children_and_siblings_are_found_from_any_of_them() -> None:
    begin = timezone.now()
    rows = [("root", None), ("parent", "root"), ("sibling", "root"), ("child", "parent")]
    tasks = [
        make(task_id, root_id="root", parent_id=parent_id, first_seen=begin + timedelta(seconds=number))
        for number, (task_id, parent_id) in enumerate(rows)
    ]
    make("stranger", root_id="other", parent_id="other")
    for task in tasks:
        found = family(ALL, task)
        assert ids(found) == ["root", "parent", "sibling", "child"]
        assert found.whole


def test_a_parent_of_another_root_is_still_shown() -> None:
    make("parent", root_id="elsewhere")
    assert "parent" in ids(family(ALL, make("t", root_id="root", parent_id="parent")))


def test_of_a_large_family_the_surroundings_are_read_and_the_rest_counted() -> None:
    make("root", root_id="root")
    make_many(WHOLE + 50)
    make_many(LEVEL + 1, parent_id="m00007", prefix="child")
    found = family(ALL, Task.objects.get(pk="m00007"))
    assert not found.whole
    assert found.levels_cut
    assert (found.total, found.more) == (WHOLE + 50 + LEVEL + 1 + 1, False)
    assert {"root", "m00007", "child00000"} <= set(ids(found))
    assert len(found.members) <= 2 * LEVEL + ANCESTORS + 1


def test_of_a_long_chain_the_nearest_ancestors_are_read() -> None:
    make("root", root_id="root")
    make_many(WHOLE + 100, parent_id=None)
    found = family(ALL, Task.objects.get(pk="m00600"))
    assert {"m00601", "m00599", "m00580"} <= set(ids(found))
    assert found.levels_cut


def test_counting_stops_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "COUNTED", WHOLE + 10)
    make("root", root_id="root")
    make_many(WHOLE + 50)
    found = family(ALL, Task.objects.get(pk="root"))
    assert (found.total, found.more) == (WHOLE + 11, True)


def test_what_may_not_be_seen_is_no_member() -> None:
    make("root", root_id="root", name="secret.tasks.root")
    task = make("t", root_id="root", parent_id="root", name="shop.tasks.pay")
    make("other", root_id="root", parent_id="root", name="secret.tasks.other")
    assert ids(family(Visibility(names=("shop.*",)), task)) == ["t"]


@pytest.mark.parametrize("rows", [[("a", "b"), ("b", "a")], [("a", "a")]])
def test_circles_end(rows: list[tuple[str, str]]) -> None:
    tasks = [make(task_id, root_id="root", parent_id=parent) for task_id, parent in rows]
    make_many(WHOLE + 1, parent_id="nobody")
    assert "a" in ids(family(ALL, tasks[0]))


def test_the_number_of_questions_does_not_grow_with_the_family(using: str) -> None:
    task = make("root", root_id="root")

    def questions() -> int:
        with CaptureQueriesContext(connections[using]) as captured:
            family(ALL, task)
        return len(captured)

    alone = questions()
    make_many(WHOLE)
    assert questions() == alone == 1
    make_many(20, prefix="more")
    assert questions() == 2


@pytest.mark.parametrize("using", ["postgresql"])
@pytest.mark.django_db(databases=["default", "postgresql"])
def test_postgresql_reads_a_family_by_its_index() -> None:
    sent = Task.objects.using("postgresql").filter(root_id="r", parent_id__isnull=False)
    with connections["postgresql"].cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "monitoring_task_family" in sent.order_by().explain()
    assert "monitoring_task_family" in sent.filter(parent_id="p").order_by("first_seen")[:10].explain()
