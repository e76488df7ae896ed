"""What filters offer."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections

from monitoring.queries import choices
from monitoring.queries.visibility import Visibility
from tests.factories import make_task, make_worker

EVERYTHING = Visibility.everything()


@pytest.mark.usefixtures("watched")
def test_names_are_each_told_once_in_their_order(using: str) -> None:
    assert choices.choices(EVERYTHING, []).names == []
    for name in ("b", "a", "b", "Ä", "B", "shop.x", None):
        make_task(using=using, name=name)
    assert choices.choices(EVERYTHING, []).names == ["B", "a", "b", "shop.x", "Ä"]
    assert choices.choices(Visibility(names=("shop.*",)), []).names == ["shop.x"]


@pytest.mark.usefixtures("watched")
def test_names_are_bounded(using: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "MAX_CHOICES", 3)
    for number in range(8):
        make_task(using=using, name=f"t{number}")
    assert choices.choices(EVERYTHING, []).names == ["t0", "t1", "t2"]


@pytest.mark.usefixtures("watched")
def test_hosts_and_queues_come_from_workers_and_the_newest_tasks(
    using: str, django_assert_num_queries: Any
) -> None:
    workers = [
        make_worker("celery@b", queues=["mail", "slow"], last_heartbeat=None),
        make_worker("celery@a", queues=None),
    ]
    make_task(using=using, queue="nobody-consumes-this", name="shop.pay")
    make_task(using=using, queue=None)
    with django_assert_num_queries(1, connection=connections[using]):
        found = choices.choices(EVERYTHING, workers)
    assert found.hosts == ["celery@a", "celery@b"]
    assert found.queues == ["mail", "nobody-consumes-this", "slow"]
    assert choices.choices(Visibility(queues=("s*",)), workers).queues == ["slow"]
    assert choices.choices(Visibility(names=()), []).every_name == choices.all_names()


@pytest.mark.usefixtures("watched")
def test_a_limited_user_is_offered_nothing_of_tasks_that_they_may_not_see(using: str) -> None:
    make_task(using=using, name="shop.pay", queue="mail")
    make_task(using=using, name="bank.audit", queue="bank")
    by_queue = choices.choices(Visibility(queues=("mail",)), [])
    assert (by_queue.names, by_queue.queues) == (["shop.pay"], ["mail"])
    by_name = choices.choices(Visibility(names=("bank.*",)), [])
    assert (by_name.names, by_name.queues) == (["bank.audit"], ["bank"])
    nothing = choices.choices(Visibility(names=()), [])
    assert (nothing.names, nothing.queues) == ([], [])
