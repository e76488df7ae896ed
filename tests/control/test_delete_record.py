"""Deleting the record of a task: its row and its log, of ended tasks only, and nothing else."""

from __future__ import annotations

import dataclasses
import threading
from datetime import timedelta
from typing import Any

import pytest
from django import forms
from django.contrib.admin.models import LogEntry
from django.db import connections, transaction

from monitoring.control.actor import Actor
from monitoring.control.contract import NotAllowed, Outcome
from monitoring.control.parameters import InvalidParameters, ParametersForm
from monitoring.control.perform import perform
from monitoring.control.verbs import DELETE, VERBS
from monitoring.models import AuditEntry, EventDelta, EventTotal, Task, TaskEvent
from monitoring.models.task import State
from monitoring.queries.visibility import Visibility
from tests.factories import make_event, make_task, make_user

ENDED = ["SUCCESS", "FAILURE", "REVOKED", "REJECTED", "LOST"]
HOSTILE = ["with/slash", "a' OR 1=1 --", "%", "ünïcödé-🎉", "x" * 255, "<script>", "{}", "new\nline"]


def operator(**fields: Any) -> Actor:
    return Actor(make_user("operator", "view_task", "delete_task", **fields))


def only_shop(user: Any) -> Visibility:
    return Visibility(names=("shop.*",))


@pytest.mark.parametrize("state", ENDED)
def test_an_ended_task_and_its_log_are_deleted(using: str, watched: str, state: str) -> None:
    task, other = make_task(using=using, state=state), make_task(using=using, state=state)
    for kept in (task, other):
        make_event(kept, "task-sent", 0, using=using)
        make_event(kept, "task-received", 60, using=using)
    report = perform("delete", [task.pk], operator())
    assert report.results[task.pk].outcome is Outcome.DONE
    assert set(Task.objects.values_list("pk", flat=True)) == {other.pk}
    assert set(TaskEvent.objects.values_list("task_id", flat=True)) == {other.pk}


@pytest.mark.parametrize("state", sorted(set(State.values) - set(ENDED)))
def test_the_record_of_a_live_task_stays_and_says_why(using: str, watched: str, state: str) -> None:
    task = make_task(using=using, state=state)
    make_event(task, "task-sent", 0, using=using)
    result = perform("delete", [task.pk], operator()).results[task.pk]
    assert result.outcome is Outcome.LEFT_OUT
    assert "next event would bring" in result.words
    assert Task.objects.count() == TaskEvent.objects.count() == 1


def test_totals_keep_counting_what_was_deleted(using: str, watched: str) -> None:
    task = make_task(using=using)
    EventTotal.objects.using(using).create(
        type="task-succeeded", name=task.name, worker="w", queue="", exception_type="", count=7,
        created_at=task.first_seen, updated_at=task.first_seen,
    )  # fmt: skip
    EventDelta.objects.using(using).create(
        type="task-succeeded", name="", worker="w", queue="", exception_type="", count=1,
        task_id=task.pk, created_at=task.first_seen,
    )  # fmt: skip
    perform("delete", [task.pk], operator())
    assert EventTotal.objects.get().count == 7
    assert EventDelta.objects.count() == 1


def test_events_of_the_first_and_the_last_moment_are_deleted_too(using: str, watched: str) -> None:
    task = make_task(using=using)
    make_event(task, "task-sent", 0, using=using)
    make_event(task, "task-succeeded", 60, using=using)
    Task.objects.filter(pk=task.pk).update(updated_at=task.first_seen + timedelta(seconds=60))
    perform("delete", [task.pk], operator())
    assert not TaskEvent.objects.exists()


@pytest.mark.parametrize("task_id", HOSTILE)
def test_any_id_deletes_that_task_and_no_other(using: str, watched: str, task_id: str) -> None:
    make_task(task_id, using=using)
    other = make_task(using=using)
    perform("delete", [task_id], operator())
    assert list(Task.objects.values_list("pk", flat=True)) == [other.pk]


@pytest.mark.parametrize("task_id", ["nobody", "", "\0", "x\0y", "x" * 5000])
def test_what_is_not_there_is_left_out_and_said(using: str, watched: str, task_id: str) -> None:
    result = perform("delete", [task_id], operator()).results[task_id]
    assert result.outcome is Outcome.LEFT_OUT
    assert "no such task" in result.words


def test_a_task_that_may_not_be_seen_looks_as_if_it_did_not_exist(
    using: str, watched: str, settings: Any
) -> None:
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.only_shop"}
    seen, hidden = make_task(using=using, name="shop.a"), make_task(using=using, name="bank.b")
    results = perform("delete", [seen.pk, hidden.pk, "nobody"], operator()).results
    assert results[hidden.pk].words == results["nobody"].words
    assert list(Task.objects.values_list("pk", flat=True)) == [hidden.pk]


def test_without_the_permission_nothing_happens_and_the_attempt_is_in_the_log(
    using: str, watched: str
) -> None:
    task = make_task(using=using)
    actor = Actor(make_user("viewer", "view_task"), via="api", address="192.0.2.7")
    with pytest.raises(NotAllowed, match=r"monitoring\.delete_task"):
        perform("delete", [task.pk], actor, reason="to see")
    entry = AuditEntry.objects.get()
    assert (entry.user_name, entry.user_id, entry.via, entry.address) == (
        "viewer", str(actor.user.pk), "api", "192.0.2.7",
    )  # fmt: skip
    assert (entry.verb, entry.targets, entry.ending, entry.reason) == (
        "delete",
        [task.pk],
        "refused",
        "to see",
    )
    assert "monitoring.delete_task" in entry.words
    assert Task.objects.count() == 1
    assert not LogEntry.objects.exists()


def test_a_scope_narrows_what_its_user_may(using: str, watched: str) -> None:
    task = make_task(using=using)
    user = make_user("operator", "view_task", "delete_task")
    with pytest.raises(NotAllowed):
        perform(
            "delete", [task.pk], Actor(user, scope=frozenset({"monitoring.view_task"}), name='token "ci"')
        )
    assert AuditEntry.objects.get().user_name == 'token "ci"'
    assert Task.objects.exists()


def test_an_inactive_superuser_may_nothing(using: str, watched: str) -> None:
    user = make_user("gone")
    user.is_superuser, user.is_active = True, False
    user.save()
    with pytest.raises(NotAllowed):
        perform("delete", [make_task(using=using).pk], Actor(user))


class TokenForm(ParametersForm):
    token = forms.CharField()
    n = forms.IntegerField()


def test_every_use_is_in_the_audit_log_and_in_djangos(
    using: str, watched: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VERBS, "delete", dataclasses.replace(DELETE, form=TokenForm))
    done, live = make_task(using=using), make_task(using=using, state="STARTED")
    actor = operator()
    report = perform(
        "delete", [done.pk, live.pk, "nobody"], actor, {"token": "s3cret", "n": 1}, "password=hunter2"
    )
    entry = AuditEntry.objects.get()
    assert report.entry == entry
    assert (entry.done, entry.left_out, entry.failed, entry.target_count) == (1, 2, 0, 3)
    assert entry.ending == "partly"
    assert entry.duration is not None
    assert entry.duration >= 0
    assert entry.parameters == {"token": "[redacted]", "n": 1}
    assert "hunter2" not in entry.reason
    assert {target: outcome for target, outcome, _, _ in entry.results} == {
        done.pk: "done", live.pk: "left out", "nobody": "left out",
    }  # fmt: skip
    mirrored = LogEntry.objects.get()
    assert (mirrored.user_id, mirrored.object_id) == (actor.user.pk, done.pk)
    assert mirrored.is_deletion()
    assert "hunter2" not in mirrored.change_message


@pytest.mark.parametrize(
    "parameters", [{"n": "many", "token": "x"}, {"n": 1}, {"n": 1, "token": "x", "m": 2}]
)
def test_parameters_that_do_not_fit_do_nothing_and_leave_no_trace(
    using: str, watched: str, monkeypatch: pytest.MonkeyPatch, parameters: dict[str, Any]
) -> None:
    monkeypatch.setitem(VERBS, "delete", dataclasses.replace(DELETE, form=TokenForm))
    task = make_task(using=using)
    with pytest.raises(InvalidParameters) as raised:
        perform("delete", [task.pk], operator(), parameters)
    assert len(raised.value.errors) == 1
    assert Task.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_dry_run_does_nothing_and_leaves_no_trace(using: str, watched: str) -> None:
    done, live = make_task(using=using), make_task(using=using, state="STARTED")
    report = perform("delete", [done.pk, live.pk], operator(), dry_run=True)
    assert [result.outcome for result in report.results.values()] == [Outcome.DONE, Outcome.LEFT_OUT]
    assert Task.objects.count() == 2
    assert not AuditEntry.objects.exists()


def test_an_entry_lists_a_bounded_part_of_many_targets(using: str, watched: str) -> None:
    ids = [make_task(using=using).pk for _ in range(130)]
    live = make_task(using=using, state="STARTED").pk
    perform("delete", [*ids, live], operator())
    entry = AuditEntry.objects.get()
    assert entry.target_count == 131
    assert entry.done == 130
    assert len(entry.targets) == len(entry.results) == 100
    assert entry.results[0][:2] == [live, "left out"], "what is not simply done comes first"
    assert LogEntry.objects.count() == 100


def test_an_attempt_that_breaks_leaves_an_entry_that_says_so(
    using: str, watched: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task(using=using)
    actor = operator()
    monkeypatch.setattr("monitoring.models.Task._meta.db_table", "no_such_table")
    with pytest.raises(Exception, match="no_such_table"), transaction.atomic(using=using):
        perform("delete", [task.pk], actor)
    if using != "default":  # else the broken transaction took the entry with it
        assert AuditEntry.objects.get().ending == "stopped"


@pytest.mark.django_db(transaction=True, databases=["default", "postgresql"])
def test_a_task_that_starts_again_meanwhile_is_left_alone(settings: Any) -> None:
    """The consumer holds the row when the delete comes: its word counts."""
    settings.MONITORING = {**settings.MONITORING, "DATABASE": "postgresql"}
    task = make_task(using="postgresql", state="FAILURE")
    actor = operator()
    results: list[Any] = []

    def delete() -> None:
        results.append(perform("delete", [task.pk], actor).results[task.pk])
        connections.close_all()

    thread = threading.Thread(target=delete)
    with transaction.atomic(using="postgresql"):
        Task.objects.using("postgresql").filter(pk=task.pk).update(state="STARTED")
        thread.start()
        wait_until_blocked()
    thread.join(60)
    assert results[0].outcome is Outcome.LEFT_OUT
    assert "running" in results[0].words
    assert Task.objects.using("postgresql").filter(pk=task.pk).exists()


def wait_until_blocked() -> None:
    """Until some session of this database waits for a lock."""
    for _ in range(600):
        with connections["postgresql"].cursor() as cursor:
            # Not pg_stat_activity, which stays the same throughout a transaction.
            cursor.execute(
                "SELECT count(*) FROM pg_locks w JOIN pg_locks h USING (pid) JOIN pg_database d ON d.oid = h.database "
                "WHERE NOT w.granted AND d.datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
        threading.Event().wait(0.05)
    pytest.fail("nothing waited for the lock")
