"""Single tasks, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections

from monitoring.queries import tasks
from monitoring.queries.visibility import Visibility
from tests.factories import make_task, make_worker

EVERYTHING = Visibility.everything()


@pytest.mark.usefixtures("watched")
def test_visibility_limits_names_and_queues(using: str) -> None:
    make_task("1", using, name="shop.a", queue="fast")
    make_task("2", using, name="shop.b", queue="slow")
    make_task("3", using, name="bank.a", queue="fast")
    make_task("4", using, name=None, queue=None)
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({}, {"1", "2", "3", "4"}),
        ({"names": ("shop.*",)}, {"1", "2"}),
        ({"names": ("*.a", "shop.b")}, {"1", "2", "3"}),
        ({"queues": ("fast",)}, {"1", "3"}),
        ({"names": ("shop.*",), "queues": ("fast", "x")}, {"1"}),
        ({"names": ()}, set()),
        ({"names": ("*",)}, {"1", "2", "3"}),
    ]
    for limits, seen in cases:
        visibility = Visibility(**limits)
        for task_id in ("1", "2", "3", "4"):
            assert (tasks.task(visibility, task_id) is not None) is (task_id in seen), limits
            assert (tasks.task_and_its_worker(visibility, task_id)[0] is not None) is (task_id in seen)


def test_one_text_in_place_of_patterns_is_refused() -> None:
    with pytest.raises(TypeError, match="tuple of patterns"):
        Visibility(names="shop.*")  # type: ignore[arg-type]


@pytest.mark.usefixtures("watched")
def test_whether_the_worker_has_a_page_costs_no_question_more(
    using: str, django_assert_num_queries: Any
) -> None:
    make_worker("celery@known")
    for worker in ("celery@known", "celery@gone", None):
        make_task(str(worker), using, worker=worker)
        with django_assert_num_queries(1, connection=connections[using]):
            found, worker_exists = tasks.task_and_its_worker(EVERYTHING, str(worker))
        assert found is not None
        assert worker_exists is (worker == "celery@known")


def test_nul_in_an_id_finds_nothing() -> None:
    assert tasks.task(EVERYTHING, "a\0b") is None
    assert tasks.task_and_its_worker(EVERYTHING, "a\0b") == (None, False)
