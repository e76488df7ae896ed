"""The last runs of a name, or those around an older one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitoring.models import Task
from monitoring.queries import runs as module
from monitoring.queries.runs import FOLLOWING, SHOWN, runs
from monitoring.queries.visibility import Visibility
from tests.factories import make_task

ALL = Visibility.everything()
BEGIN = datetime(2026, 11, 1, tzinfo=timezone.get_default_timezone())


@pytest.fixture(autouse=True)
def _either_database(watched: str) -> None:
    """Each test asks both."""


def make(task_id: str | None = None, **fields: Any) -> Task:
    return make_task(task_id, Task.objects.db, **fields)


def make_runs(count: int, queue: str = "default") -> None:
    Task.objects.bulk_create(
        Task(task_id=f"{queue}{number:04}", name="shop.tasks.pay", state="SUCCESS", queue=queue,
             first_seen=BEGIN + timedelta(seconds=number), updated_at=BEGIN)
        for number in range(count)
    )  # fmt: skip


def test_the_last_runs_stand_oldest_first() -> None:
    make_runs(100)
    make(name="shop.tasks.other")
    found = runs(ALL, Task.objects.get(pk="default0050"))
    assert found.newest
    assert [run.pk for run in found.tasks] == [f"default{number:04}" for number in range(100 - SHOWN, 100)]


def test_an_older_task_stands_among_those_around_it() -> None:
    make_runs(200)
    found = runs(ALL, Task.objects.get(pk="default0050"))
    assert not found.newest
    names = [run.pk for run in found.tasks]
    assert names[-FOLLOWING - 1] == "default0050"
    assert len(names) == SHOWN
    assert names == sorted(names)


def test_a_task_without_a_name_has_no_runs() -> None:
    assert runs(ALL, make(name=None)).tasks == []


def test_hidden_runs_are_left_out_and_looked_through_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_BACK", 150)
    make_runs(100, "secret")
    make_runs(200, "default")
    found = runs(Visibility(queues=("default",)), Task.objects.get(pk="default0199"))
    assert {run.pk[:7] for run in found.tasks} == {"default"}
    assert len(found.tasks) == SHOWN
