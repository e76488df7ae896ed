"""What the audit log keeps of commands: without secrets, of bounded size, with every worker's answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from monitoring.admin.audit_rows import audit_row
from monitoring.control import audit
from monitoring.control.actor import Actor
from monitoring.control.bounded import BackendUnavailable, within
from monitoring.control.broadcast import Answer, Said
from monitoring.control.connecting import BrokerUnavailable, ConnectionLost
from monitoring.control.contract import NotAllowed, Outcome, Result
from monitoring.control.parameters import InvalidParameters
from monitoring.control.perform import perform
from monitoring.control.task_verbs import apply, discard, revoke
from monitoring.control.verbs import VERBS
from monitoring.models import AuditEntry
from project.celery import app
from tests.factories import make_task, make_user


def operator(*permissions: str) -> Actor:
    return Actor(make_user("operator", *permissions))


@pytest.fixture
def name() -> Iterator[str]:
    """A task that this project has registered and that takes anything."""

    @app.task(name="tests.anything", shared=False)
    def anything(*args: Any, **kwargs: Any) -> None:
        """Takes anything."""

    yield "tests.anything"
    app.tasks.unregister("tests.anything")


def test_arguments_are_kept_without_secrets_and_cut(
    using: str, watched: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "send_task", lambda *arguments, **options: "new-id")
    kwargs = {"password": "hunter2", "note": "a\0b", "page": "<script>"}
    perform("apply", [name], operator("run_task"), {"kwargs": kwargs, "args": ["x" * 5_000_000]}, patience=0)
    entry = AuditEntry.objects.get()
    assert "hunter2" not in str(entry.parameters)
    assert len(entry.parameters["args"]) <= audit.MAX_VALUE + 50
    assert "<script>" in str(entry.parameters["kwargs"])
    assert entry.results == [[name, "done", "Sent as new-id", None]]


@pytest.mark.parametrize("parameters", [{"args": ["x" * 5_000_000], "made up": object()}, {"a\0": {1: "\0"}}])
def test_a_refused_attempt_is_kept_whatever_its_parameters_are(
    using: str, watched: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(NotAllowed):
        perform("apply", ["any"], operator(), parameters)
    assert AuditEntry.objects.get().ending == "refused"


def test_half_of_a_surrogate_pair_reaches_neither_broker_nor_database(
    using: str, watched: str, name: str
) -> None:
    actor = operator("run_task")
    with pytest.raises(InvalidParameters):
        perform("send_task", [name], actor, {"queue": "\ud800"})
    for given, kept in ((["\ud800"], '["\\ud800"]'), (["\U0001f33b"], ["\U0001f33b"])):
        entry = audit.begin(actor, "apply", "task_name", [name], parameters={"args": given})
        assert entry.parameters["args"] == kept


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_in_json_is_kept_as_text(using: str, watched: str, number: float) -> None:
    entry = audit.begin(operator(), "apply", "task_name", ["any"], parameters={"args": [number], "rate": 5})
    entry.refresh_from_db()
    assert entry.parameters == {"args": "[NaN]" if number != number else "[Infinity]", "rate": 5}


def test_every_workers_answer_is_kept(using: str, watched: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        "celery@a": Answer(Said.ACKNOWLEDGED, {"ok": "flagged"}, "flagged", 0.25),
        "celery@b": Answer(Said.REFUSED, None, "ValueError('password=hunter2')", 0.5),
        "celery@c": Answer(Said.NOTHING),
    }
    monkeypatch.setattr(revoke, "broadcast", lambda *arguments, **options: answers)
    ids = [make_task(using=using, state="PENDING", worker=None).pk for _ in range(3)]
    report = perform("revoke", ids, operator("revoke_task"), patience=0)
    assert {result.outcome for result in report.results.values()} == {Outcome.FAILED}
    assert set(report.answers) == set(answers)
    entry = AuditEntry.objects.get()
    kept = {host: (said, seconds) for host, said, _words, seconds in entry.answers}
    assert kept == {
        "celery@a": ("acknowledged", 0.25), "celery@b": ("refused", 0.5), "celery@c": ("no confirmation", None),
    }  # fmt: skip
    assert "hunter2" not in str(entry.answers) + str(entry.results)


def test_a_refusal_of_another_worker_than_the_one_that_has_the_task_does_not_matter(
    using: str, watched: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task(using=using, state="STARTED", worker="celery@a").pk
    answers = {
        "celery@a": Answer(Said.ACKNOWLEDGED, None, f"terminate: {task}"),
        "celery@b": Answer(Said.REFUSED, None, "NotImplementedError()"),
    }
    monkeypatch.setattr(revoke, "broadcast", lambda *arguments, **options: answers)
    assert (
        perform("terminate", [task], operator("revoke_task"), patience=0).results[task].outcome
        is Outcome.DONE
    )


def test_what_was_sent_before_the_broker_went_is_told(
    using: str, watched: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: list[Any] = ["first-id", ConnectionLost("lost"), BrokerUnavailable("down")]

    def send_task(*arguments: Any, **options: Any) -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return str(outcome)

    monkeypatch.setattr(apply, "send_task", send_task)
    results = VERBS["apply"].act(["a", "b", "c"], operator().visibility, {})
    assert [result.outcome for result in results.values()] == [
        Outcome.DONE,
        Outcome.UNCONFIRMED,
        Outcome.FAILED,
    ]
    assert results["a"].made == "first-id"


def test_what_was_sent_is_told_although_the_broker_went_before_the_rest(
    using: str, watched: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who hears that nothing was sent sends everything again."""
    sent: list[str] = []

    def send_task(app: Any, name: str, *arguments: Any, **options: Any) -> str:
        if len(sent) == VERBS["send_task"].chunk:
            raise BrokerUnavailable("down")
        sent.append(name)
        return f"id-of-{name}"

    monkeypatch.setattr(apply, "send_task", send_task)
    names = [f"shop.task_{number}" for number in range(2 * VERBS["send_task"].chunk + 1)]
    report = perform("send_task", names, operator("run_task"), patience=0)
    assert list(report.results) == names
    assert [name for name, result in report.results.items() if result.made] == sent
    assert {report.results[name].outcome for name in names[len(sent) :]} == {Outcome.FAILED}
    entry = AuditEntry.objects.get()
    assert (entry.ending, entry.words) == ("stopped", "down")
    assert (entry.done, entry.failed, entry.target_count) == (len(sent), len(names) - len(sent), len(names))


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(BrokerUnavailable("down"), Outcome.FAILED), (ConnectionLost("lost"), Outcome.UNCONFIRMED)],
)
def test_a_message_that_was_taken_out_before_the_broker_went_is_told(
    using: str, watched: str, monkeypatch: pytest.MonkeyPatch, error: Exception, outcome: Outcome
) -> None:
    class Adapter:
        supports_remove = True

        def remove(self, queue: str, task_id: str, seconds: float) -> bool:
            if task_id == "b":
                raise error
            return True

    monkeypatch.setattr(discard, "adapter_for", lambda _app: Adapter())
    for task_id in "abc":
        make_task(task_id, using=using, state="PENDING", queue="mail")
    report = perform("discard", ["a", "b", "c"], operator("purge_queue"))
    assert [result.outcome for result in report.results.values()] == [Outcome.DONE, outcome, Outcome.FAILED]
    entry = AuditEntry.objects.get()
    assert (entry.ending, entry.done, entry.failed) == ("partly", 1, 2)


def test_a_message_that_was_not_found_in_time_may_still_wait(
    using: str, watched: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Adapter:
        supports_remove = True

        def remove(self, queue: str, task_id: str, seconds: float) -> bool | None:
            return None

    monkeypatch.setattr(discard, "adapter_for", lambda _app: Adapter())
    make_task("a", using=using, state="PENDING", queue="mail")
    [result] = perform("discard", ["a"], operator("purge_queue")).results.values()
    assert (result.outcome, "revoke the task instead" in result.words) == (Outcome.FAILED, True)


def test_a_command_that_may_have_been_sent_is_not_said_to_have_failed(
    using: str, watched: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broadcast(*arguments: Any, **options: Any) -> None:
        raise ConnectionLost("lost in the middle")

    monkeypatch.setattr(revoke, "broadcast", broadcast)
    task = make_task(using=using, state="PENDING", worker=None).pk
    report = perform("revoke", [task], operator("revoke_task"), patience=0)
    assert report.results[task].outcome is Outcome.UNCONFIRMED
    assert report.results[task].words == "lost in the middle"
    assert AuditEntry.objects.get().failed == 1


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("parameters", [{}, {"n": "<b>", "soft": "x", "queue": None}])
def test_an_entry_is_in_words_whatever_it_has_of_parameters(
    using: str, watched: str, verb: str, parameters: dict[str, Any]
) -> None:
    entry = AuditEntry(verb=verb, parameters=parameters, ending="done", targets=["x"], target_count=1)
    assert audit_row(entry).did


def test_what_a_verb_does_is_told_with_its_parameters(using: str, watched: str) -> None:
    entry = AuditEntry(verb="pool_grow", parameters={"n": 2}, ending="done", targets=["x"], target_count=1)
    assert audit_row(entry).did == "grew the pool by 2"


def test_a_worker_that_was_acted_on_is_in_djangos_admin_log(using: str, watched: str) -> None:
    actor = operator("shutdown_worker")
    audit.mirror(actor, VERBS["shutdown"], [Result("celery@a", Outcome.DONE)], "disk")
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.is_change()) == ("celery@a", True)
    audit.mirror(actor, VERBS["apply"], [Result("shop.pay", Outcome.DONE)], "")
    assert LogEntry.objects.count() == 1


@pytest.mark.django_db
def test_a_result_backend_that_does_not_answer_is_not_waited_for() -> None:
    leave = threading.Event()
    try:
        with pytest.raises(BackendUnavailable):
            within(0.1, lambda: leave.wait(60))
        with pytest.raises(BackendUnavailable, match="ZeroDivisionError"):
            within(60, lambda: 1 / 0)
        assert within(60, lambda: "answer") == "answer"
    finally:
        leave.set()
