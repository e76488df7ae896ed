"""Verbs on many tasks: the dry run, chunks, who may move a run on, and what it says in the end."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connections
from django.utils import timezone

from monitoring.control import bulk, dry_run
from monitoring.control.actor import Actor
from monitoring.control.contract import NotAllowed
from monitoring.control.verbs import DELETE
from monitoring.models import AuditEntry, BulkChunk, BulkRun, Task
from monitoring.models.bulk_run import RunState
from monitoring.queries.selection import Selection
from monitoring.queries.visibility import Visibility
from tests.factories import make_task, make_user

HOSTILE_QUERIES = [
    "", "&&&=", "state=NOPE", "q=%00", "name=[", "name=%F0%9F%8E%89", "q='; DROP TABLE monitoring_task; --",
    "period=nonsense&from=x&to=y", "before=1,2&after=3", "a=" + "b" * 4000, "%zz", "q=" + "(" * 500,
]  # fmt: skip


def operator() -> Actor:
    return Actor(make_user("operator", "view_task", "delete_task"))


def all_that_match(query: str = "") -> Selection:
    return Selection(timezone.now(), query=query)


def only_shop(user: Any) -> Visibility:
    return Visibility(names=("shop.*",))


def make_tasks(using: str, number: int, **fields: Any) -> list[str]:
    now = timezone.now()
    return [
        make_task(using=using, first_seen=now - timedelta(seconds=index), **fields).pk
        for index in range(number)
    ]


def run_to_the_end(run: BulkRun, actor: Actor, size: int | None = None) -> None:
    for _ in range(1_000):
        bulk.advance(run, actor, size=size)
        if run.state != RunState.RUNNING:
            return
    pytest.fail("it does not come to an end")


def test_the_dry_run_counts_who_is_eligible_and_why_not(using: str, watched: str) -> None:
    make_tasks(using, 7)
    make_tasks(using, 3, state="STARTED")
    make_tasks(using, 2, state="PENDING")
    found = dry_run.dry_run(DELETE, all_that_match(), operator())
    assert (found.looked_at, found.eligible, found.complete, found.expected) == (12, 7, True, 12)
    assert sorted(found.reasons.values()) == [2, 3]
    assert all(set(ids) <= set(Task.objects.values_list("pk", flat=True)) for ids in found.examples.values())
    assert Task.objects.count() == 12


def test_a_dry_run_that_has_no_time_says_about_how_many(
    using: str, watched: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_run, "STRETCH", 4)
    make_tasks(using, 8)
    make_tasks(using, 8, state="STARTED")
    found = dry_run.dry_run(DELETE, all_that_match(), operator(), budget=0.0)
    assert not found.complete
    assert found.looked_at == 4
    assert found.expected == 16
    assert found.expected_eligible == 16 * found.eligible // 4


def test_all_that_match_are_done_chunk_by_chunk(using: str, watched: str) -> None:
    doomed = make_tasks(using, 25, name="shop.old")
    live = make_tasks(using, 3, name="shop.old", state="STARTED")
    others = make_tasks(using, 5, name="shop.new")
    actor = operator()
    run = bulk.ask(DELETE, all_that_match("name=shop.old"), actor)
    bulk.confirm(run, actor, "too old")
    run_to_the_end(run, actor, size=4)
    assert set(Task.objects.values_list("pk", flat=True)) == {*live, *others}
    assert (run.state, run.done, run.left_out, run.failed) == (RunState.DONE, 25, 3, 0)
    results = {row[0]: row[1] for chunk in BulkChunk.objects.filter(run=run) for row in chunk.results}
    assert results == {**dict.fromkeys(doomed, "done"), **dict.fromkeys(live, "left out")}
    entry = AuditEntry.objects.get()
    assert (entry.query, entry.done, entry.left_out, entry.ending, entry.reason) == (
        "name=shop.old", 25, 3, "partly", "too old",
    )  # fmt: skip


def test_selected_ids_are_done_in_their_order_and_missing_ones_said(using: str, watched: str) -> None:
    ids = make_tasks(using, 5)
    actor = operator()
    run = bulk.ask(DELETE, Selection(timezone.now(), (*ids[:3], "nobody")), actor)
    bulk.confirm(run, actor)
    run_to_the_end(run, actor, size=2)
    assert (run.done, run.left_out) == (3, 1)
    assert set(Task.objects.values_list("pk", flat=True)) == set(ids[3:])
    assert AuditEntry.objects.get().query == ""


def test_a_task_that_came_after_the_question_is_left_alone(using: str, watched: str) -> None:
    make_tasks(using, 3)
    actor = operator()
    run = bulk.ask(DELETE, all_that_match(), actor)
    late = make_task(using=using, first_seen=timezone.now() + timedelta(seconds=1)).pk
    bulk.confirm(run, actor)
    run_to_the_end(run, actor)
    assert list(Task.objects.values_list("pk", flat=True)) == [late]


def test_a_task_that_no_longer_matches_is_left_alone(using: str, watched: str) -> None:
    _, second = make_tasks(using, 2, state="FAILURE")
    actor = operator()
    run = bulk.ask(DELETE, all_that_match("state=FAILURE"), actor)
    Task.objects.filter(pk=second).update(state="SUCCESS")
    bulk.confirm(run, actor)
    run_to_the_end(run, actor)
    assert list(Task.objects.values_list("pk", flat=True)) == [second]


def test_the_last_hour_is_the_hour_before_the_question(using: str, watched: str) -> None:
    now = timezone.now()
    inside = make_task(using=using, first_seen=now - timedelta(minutes=100)).pk
    outside = make_task(using=using, first_seen=now - timedelta(minutes=20)).pk
    asked = Selection(now - timedelta(minutes=50), query="period=1h")
    actor = operator()
    run = bulk.ask(DELETE, asked, actor)
    bulk.confirm(run, actor)
    run_to_the_end(run, actor)
    assert not Task.objects.filter(pk=inside).exists()
    assert Task.objects.filter(pk=outside).exists()


def test_tasks_of_one_instant_are_each_done_once(using: str, watched: str) -> None:
    moment = timezone.now() - timedelta(minutes=1)
    for _ in range(11):
        make_task(using=using, first_seen=moment)
    live = [make_task(using=using, first_seen=moment, state="STARTED").pk for _ in range(4)]
    actor = operator()
    run = bulk.ask(DELETE, all_that_match(), actor)
    bulk.confirm(run, actor)
    run_to_the_end(run, actor, size=3)
    assert (run.done, run.left_out) == (11, 4)
    assert set(Task.objects.values_list("pk", flat=True)) == set(live)


@pytest.mark.parametrize("query", HOSTILE_QUERIES)
def test_no_query_breaks_a_dry_run(using: str, watched: str, query: str) -> None:
    make_tasks(using, 2)
    actor = operator()
    with contextlib.suppress(bulk.NotReadable):
        bulk.ask(DELETE, all_that_match(query), actor)
    assert all(run.dry_run["looked_at"] <= 2 for run in BulkRun.objects.all())
    assert Task.objects.count() == 2


@pytest.mark.parametrize("query", ["state=NOPE", "runtime=soon", "q=(", 'q="open', "state=FAILURE&q=NOT"])
def test_a_filter_with_a_mistake_selects_nothing_rather_than_everything(
    using: str, watched: str, query: str
) -> None:
    make_tasks(using, 2, state="FAILURE")
    actor = operator()
    with pytest.raises(bulk.NotReadable):
        bulk.ask(DELETE, all_that_match(query), actor)
    run = BulkRun.objects.create(user_id=actor.user_id, verb="delete", asked_at=timezone.now(), query=query)
    bulk.confirm(run, actor)
    run_to_the_end(run, actor)
    assert (run.done, Task.objects.count()) == (0, 2)


def test_nothing_is_done_before_it_is_confirmed(using: str, watched: str) -> None:
    make_tasks(using, 2)
    actor = operator()
    run = bulk.ask(DELETE, all_that_match(), actor)
    bulk.advance(run, actor)
    assert Task.objects.count() == 2
    assert not AuditEntry.objects.exists()


def test_confirming_twice_is_one_use(using: str, watched: str) -> None:
    make_tasks(using, 2)
    actor = operator()
    run = bulk.ask(DELETE, all_that_match(), actor)
    bulk.confirm(run, actor)
    bulk.confirm(BulkRun.objects.get(), actor)
    assert AuditEntry.objects.count() == 1


def test_a_stopped_run_does_no_more_until_it_is_gone_on_with(using: str, watched: str) -> None:
    make_tasks(using, 6)
    actor = operator()
    run = bulk.ask(DELETE, all_that_match(), actor)
    bulk.confirm(run, actor)
    bulk.advance(run, actor, size=2)
    bulk.stop(run)
    bulk.advance(run, actor, size=2)
    assert (Task.objects.count(), run.state, AuditEntry.objects.get().ending) == (
        4,
        RunState.STOPPED,
        "stopped",
    )
    bulk.confirm(run, actor)
    assert AuditEntry.objects.get().ending == "started"
    run_to_the_end(run, actor)
    assert (Task.objects.count(), run.state, run.done) == (0, RunState.DONE, 6)
    assert AuditEntry.objects.get().ending == "done"


def test_trying_one_acts_on_one_and_stops(using: str, watched: str) -> None:
    make_tasks(using, 3, state="STARTED")
    make_tasks(using, 3)
    actor = operator()
    run = bulk.ask(DELETE, all_that_match(), actor)
    bulk.confirm(run, actor)
    bulk.try_one(run, actor)
    assert (run.done, run.state) == (1, RunState.STOPPED)
    assert Task.objects.count() == 5


def test_permission_is_checked_again_for_every_chunk(using: str, watched: str) -> None:
    make_tasks(using, 6)
    actor = operator()
    run = bulk.ask(DELETE, all_that_match(), actor)
    bulk.confirm(run, actor)
    bulk.advance(run, actor, size=2)
    actor.user.user_permissions.clear()
    later = Actor(User.objects.get(pk=actor.user.pk))
    with pytest.raises(NotAllowed):
        bulk.advance(run, later, size=2)
    assert (Task.objects.count(), run.state) == (4, RunState.STOPPED)
    assert set(AuditEntry.objects.values_list("ending", flat=True)) == {"stopped", "refused"}


def test_visibility_is_that_of_the_moment(using: str, watched: str, settings: Any) -> None:
    make_tasks(using, 4, name="bank.b")
    make_tasks(using, 4, name="shop.a")
    actor = operator()
    run = bulk.ask(DELETE, all_that_match(), actor)
    bulk.confirm(run, actor)
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.only_shop"}
    run_to_the_end(run, actor, size=3)
    assert set(Task.objects.values_list("name", flat=True)) == {"bank.b"}
    assert (run.done, run.left_out) == (4, 0), "nobody learns how many there are that may not be seen"


def test_arguments_cannot_be_guessed_by_counting(using: str, watched: str) -> None:
    make_task(using=using, args="('hunter2',)")
    actor = operator()
    assert bulk.ask(DELETE, all_that_match("q=hunter2"), actor).dry_run["looked_at"] == 0


def test_without_the_permission_there_is_not_even_a_dry_run(using: str, watched: str) -> None:
    make_tasks(using, 2)
    with pytest.raises(NotAllowed):
        bulk.ask(DELETE, all_that_match(), Actor(make_user("viewer", "view_task")))
    assert not BulkRun.objects.exists()
    entry = AuditEntry.objects.get()
    assert (entry.ending, entry.query) == ("refused", "(all tasks)")


def test_nobody_else_has_the_run(using: str, watched: str) -> None:
    actor = operator()
    run = bulk.ask(DELETE, all_that_match(), actor)
    other = Actor(make_user("other", "view_task", "delete_task"))
    assert bulk.run_of(actor, run.pk) == run
    assert bulk.run_of(other, run.pk) is None
    assert bulk.run_of(actor, uuid.uuid4()) is None


def test_a_chunk_that_is_under_way_is_not_begun_twice(using: str, watched: str) -> None:
    make_tasks(using, 6)
    actor = operator()
    run = bulk.ask(DELETE, all_that_match(), actor)
    bulk.confirm(run, actor)
    BulkRun.objects.update(claimed_until=timezone.now() + timedelta(seconds=50))
    bulk.advance(run, actor)
    assert (Task.objects.count(), run.state) == (6, RunState.RUNNING)


def test_a_chunk_whose_process_died_is_done_again(using: str, watched: str) -> None:
    make_tasks(using, 6)
    actor = operator()
    run = bulk.ask(DELETE, all_that_match(), actor)
    bulk.confirm(run, actor)
    BulkRun.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    run_to_the_end(run, actor)
    assert (Task.objects.count(), run.done) == (0, 6)


def test_a_database_that_refuses_a_chunk_stops_the_run_and_it_can_go_on(
    using: str, watched: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tasks(using, 4)
    actor = operator()
    run = bulk.ask(DELETE, all_that_match(), actor)
    bulk.confirm(run, actor)

    def refuse(*arguments: Any) -> None:
        raise DatabaseError("deadlock")

    with monkeypatch.context() as patched:
        patched.setattr(bulk, "act", refuse)
        bulk.advance(run, actor)
    assert (run.state, run.done, AuditEntry.objects.get().ending) == (RunState.STOPPED, 0, "stopped")
    assert "DatabaseError" in run.words
    bulk.confirm(run, actor)
    run_to_the_end(run, actor)
    assert (Task.objects.count(), run.done) == (0, 4)


def test_old_runs_are_forgotten_and_their_audit_entries_stay(using: str, watched: str) -> None:
    actor = operator()
    make_tasks(using, 1)
    done = bulk.ask(DELETE, all_that_match(), actor)
    bulk.confirm(done, actor)
    run_to_the_end(done, actor)
    BulkRun.objects.filter(pk=done.pk).update(asked_at=timezone.now() - timedelta(days=40))
    newest = bulk.ask(DELETE, all_that_match(), actor)
    assert list(BulkRun.objects.all()) == [newest]
    assert not BulkChunk.objects.exists()
    assert AuditEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True, databases=["default", "postgresql"])
def test_two_pages_that_drive_one_run_do_each_task_once(settings: Any) -> None:
    settings.MONITORING = {**settings.MONITORING, "DATABASE": "postgresql"}
    make_tasks("postgresql", 60)
    actor = operator()
    run = bulk.ask(DELETE, all_that_match(), actor)
    bulk.confirm(run, actor)

    def drive() -> None:
        mine = BulkRun.objects.get(pk=run.pk)
        until = time.monotonic() + 120
        while mine.state == RunState.RUNNING and time.monotonic() < until:
            bulk.advance(mine, actor, size=3)
        connections.close_all()

    threads = [threading.Thread(target=drive) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(180)
    run.refresh_from_db()
    assert (run.state, run.done, run.left_out, run.failed) == (RunState.DONE, 60, 0, 0)
    ids = [row[0] for chunk in BulkChunk.objects.filter(run=run) for row in chunk.results]
    assert len(ids) == len(set(ids)) == 60
    assert AuditEntry.objects.get().done == 60
    assert not Task.objects.using("postgresql").exists()
