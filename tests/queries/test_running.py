"""What runs, and what has just finished."""

from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring.models import Task
from monitoring.queries import newest as newest_module
from monitoring.queries import running as running_module
from monitoring.queries.newest import newest_tasks, tasks_among
from monitoring.queries.running import finished_among, just_finished, running
from monitoring.queries.search.question import Question
from monitoring.queries.task_list import Asked
from monitoring.queries.visibility import Visibility
from tests.factories import make_task

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("still")]
EVERYTHING = Visibility.everything()


def started(task_id, seconds, **fields):
    at = timezone.now() - timedelta(seconds=seconds)
    return make_task(task_id, state="STARTED", attempt_started_at=at, **fields)


def asked(visibility=EVERYTHING, with_payload=True, **parameters):
    return Asked(visibility, Question.read(parameters.items()), with_payload)


def ids(tasks):
    return [task.task_id for task in tasks]


def test_the_longest_running_come_first_and_all_are_counted():
    for number in range(5):
        started(f"task-{number}", seconds=number)
    make_task("ended")
    found = running(asked(), size=3)
    assert ids(found.rows) == ["task-4", "task-3", "task-2"]
    assert found.total == 5


def test_running_follows_filter_and_visibility():
    started("a", 1, name="shop.pay", worker="celery@w1")
    started("b", 2, name="mail.send", worker="celery@w2")
    wanted = {"worker": "celery@w1"}
    assert ids(running(asked(**wanted), size=9).rows) == ["a"]
    assert running(asked(Visibility(names=("mail.*",)), **wanted), size=9).total == 0
    assert running(asked(state="FAILURE"), size=9).rows == []


def test_rows_carry_arguments_only_for_who_may_read_them(django_assert_num_queries):
    started("a", 1, args="(1,)", progress_message="half way")
    (row,) = running(asked(), size=9).rows
    assert row.args_start == "(1,)"
    (row,) = running(asked(with_payload=False), size=9).rows
    assert not hasattr(row, "args_start")


def test_the_newest_end_comes_first_whenever_the_task_began():
    now = timezone.now()
    make_task("early", first_seen=now - timedelta(hours=2), finished_at=now)
    make_task("late", first_seen=now, finished_at=now - timedelta(seconds=5))
    make_task("again", state="RETRY", finished_at=None, updated_at=now - timedelta(seconds=2))
    started("runs", 1)
    found = just_finished(asked(), size=9)
    assert ids(found) == ["early", "again", "late"]
    assert ids(just_finished(asked(state="RETRY"), size=9)) == ["again"]


def test_of_some_tasks_only_those_that_match_and_have_ended():
    make_task("a", state="FAILURE", name="shop.pay")
    make_task("b", name="mail.send")
    started("c", 1, name="shop.pay")
    wanted = {"name": "shop.pay"}
    among = {"a", "b", "c", "unknown"}
    assert ids(finished_among(asked(**wanted), among)) == ["a"]
    assert set(ids(tasks_among(asked(**wanted), among))) == {"a", "c"}
    assert ids(tasks_among(asked(Visibility(names=()), **wanted), among)) == []


def test_the_head_of_the_list_is_that_of_the_page():
    for number in range(5):
        make_task(f"task-{number}", first_seen=timezone.now() - timedelta(seconds=number))
    assert ids(newest_tasks(asked(), size=3)) == [
        "task-0",
        "task-1",
        "task-2",
    ]


def test_a_round_costs_so_few_queries_whatever_the_number_of_tasks(django_assert_num_queries):
    Task.objects.bulk_create(
        Task(task_id=f"task-{number}", first_seen=timezone.now(), updated_at=timezone.now(), state="STARTED")
        for number in range(300)
    )
    with django_assert_num_queries(1):
        running(asked(), size=25)
    with django_assert_num_queries(1):
        just_finished(asked(), size=25)
    with django_assert_num_queries(1):
        tasks_among(asked(), {"task-1"})


def test_what_a_narrow_filter_wants_is_found_however_old_it_is(monkeypatch):
    monkeypatch.setattr(running_module, "RECENT", 3)
    monkeypatch.setattr(newest_module, "LOOK_BACK", 3)
    old = timezone.now() - timedelta(days=3)
    make_task("rare", name="rare", first_seen=old, finished_at=old)
    for number in range(9):
        make_task(f"task-{number}")
    rare = asked(name="rare")
    assert ids(just_finished(rare, size=5)) == ["rare"]
    assert ids(newest_tasks(rare, size=5)) == ["rare"]
    assert ids(newest_tasks(rare, size=5, since=newest_module.horizon(3))) == []


def test_several_values_of_one_field_are_any_of_them():
    started("a", 1, queue="mail")
    started("b", 2, queue="media")
    started("c", 3, queue="default")
    wanted = Question.read([("queue", "mail"), ("queue", "media")])
    assert ids(running(Asked(EVERYTHING, wanted, True), size=9).rows) == ["b", "a"]


def test_a_filter_that_cannot_be_read_matches_nothing():
    started("a", 1)
    assert running(asked(runtime="long"), size=9).total == 0
    assert newest_tasks(asked(runtime="long"), size=9) == []
