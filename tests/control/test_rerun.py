"""Tasks are run again with exactly their arguments, or with what somebody has looked at, and never otherwise."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import kombu
import pytest
from django.utils import timezone

from monitoring.control import bulk, known_arguments
from monitoring.control.actor import Actor
from monitoring.control.broadcast import Answer, Said
from monitoring.control.connecting import BrokerUnavailable
from monitoring.control.contract import Outcome, Result
from monitoring.control.known_arguments import Source, looked_for, stored_here
from monitoring.control.parameters import InvalidParameters
from monitoring.control.perform import perform
from monitoring.control.task_verbs import rerun
from monitoring.control.verbs import VERBS
from monitoring.models import AuditEntry, BulkRun, Rerun, Task
from monitoring.models.bulk_run import RunState
from monitoring.queries.reruns import lineage
from monitoring.queries.selection import Selection
from monitoring.queries.visibility import Visibility
from tests.control.fleet_app import app
from tests.factories import make_task, make_user

pytestmark = pytest.mark.django_db

NAME = "tests.control.fleet_app.note"
EVERYTHING = Visibility.everything()
EXACT = {"arguments": '[[1,"é"],{"a":null}]', "arguments_are": "exact", "full_ts": 5, "full_tie": 6, "received_ts": 5,
         "received_tie": 6}  # fmt: skip


@pytest.fixture(params=["rabbitmq_url", "redis_url"])
def broker(request: pytest.FixtureRequest, settings: Any) -> Iterator[str]:
    """A broker without workers: what is sent stays in its queue."""
    url = request.getfixturevalue(request.param)
    settings.MONITORING = {
        **settings.MONITORING,
        "CELERY_APP": "tests.control.fleet_app.app",
        "CONTROL_TIMEOUT": 20.0,
    }
    before = app.conf.broker_url
    app.conf.update(broker_url=url)
    try:
        yield url
    finally:
        app.conf.update(broker_url=before)


@pytest.fixture
def no_broker(settings: Any) -> None:
    settings.MONITORING = {**settings.MONITORING, "CELERY_APP": "tests.control.fleet_app.app"}


def operator(*more: str) -> Actor:
    return Actor(make_user(f"operator-{secrets.token_hex(6)}", "view_task", "rerun_task", *more))


def failed(**fields: Any) -> Task:
    return make_task(**{"name": NAME, "state": "FAILURE", "queue": "rerun-test", **EXACT, **fields})


def run_again(task: Task, patience: float = 0, **parameters: Any) -> Result:
    return perform("rerun", [task.pk], operator(), parameters, patience=patience).results[task.pk]


def sent(url: str, queue: str = "rerun-test") -> list[tuple[dict[str, Any], Any]]:
    """Headers and body of the messages that wait in the queue, which is emptied and removed."""
    found = []
    with kombu.Connection(url) as connection:
        waiting = kombu.Queue(queue)(connection.default_channel)
        while message := waiting.get(no_ack=True, accept=["json"]):
            found.append((message.headers, message.payload))
        waiting.delete()
    return found


# --- Sending ---


def test_a_task_is_sent_again_under_a_new_id_with_equal_arguments_and_knows_where_it_comes_from(broker):
    task = failed()
    result = run_again(task)
    assert result.outcome is Outcome.DONE
    (headers, body), *rest = sent(broker)
    assert not rest
    assert headers["id"] == result.made != task.pk
    assert headers["task"] == NAME
    assert headers["rerun_of"] == task.pk
    assert body[:2] == [[1, "é"], {"a": None}]

    assert [each.task_id for each in lineage(EVERYTHING, task.pk).rerun_as] == [result.made]
    back = lineage(EVERYTHING, result.made).rerun_of
    assert back is not None
    assert (back.task_id, back.state) == (task.pk, "FAILURE")
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.targets, entry.done) == ("rerun", [task.pk], 1)


def test_dates_and_the_like_are_sent_as_what_they_were(broker):
    marked = {"__type__": "date", "__value__": "2026-11-23"}
    run_again(failed(arguments=json.dumps([[marked], {}])))
    [(_, body)] = sent(broker)
    assert str(body[0]) == "[datetime.date(2026, 11, 23)]"


def test_edited_arguments_and_another_queue_are_used_instead(broker):
    task = failed(arguments=None, arguments_are="too large")
    assert run_again(task, args=[2], kwargs={"b": 1}, queue="rerun-other").outcome is Outcome.DONE
    [(_, body)] = sent(broker, "rerun-other")
    assert body[:2] == [[2], {"b": 1}]


def test_what_is_run_again_by_whoever_asks_first_is_left_out_of_a_bulk_run(broker):
    task = failed(finished_at=timezone.now() - timedelta(minutes=1))
    first = run_again(task)
    again = run_again(task)
    assert again.outcome is Outcome.LEFT_OUT
    assert first.made in again.words
    Task.objects.filter(pk=task.pk).update(finished_at=timezone.now() + timedelta(minutes=1))
    assert run_again(task).outcome is Outcome.DONE, "it has ended once more since"
    assert len(sent(broker)) == 2


# --- Never without a look ---

NOT_EXACT: list[dict[str, Any]] = [
    {"arguments_are": "redacted", "arguments": '[["[redacted]"],{}]'},
    {"arguments_are": "too large", "arguments": None},
    {"arguments_are": "not JSON", "arguments": None},
    {"arguments_are": "exact", "arguments": "[[1"},
    {"arguments_are": "exact", "arguments": None},
    {"full_ts": 4},
    {"received_tie": 7},
    {"sent_ts": 5_000_020},
    {"arguments_are": None, "args": None},
    {"arguments_are": None, "args": "(1, ...)"},
    {"arguments_are": None, "args": "('aaaa...',)"},
    {"arguments_are": None, "kwargs": "{'a': [redacted]}"},
    {"arguments_are": None, "args": "(<Order: 5>,)"},
    {"arguments_are": None, "kwargs": "{'a': Decimal('1')}"},
    {"arguments_are": None, "args": "('" + "a" * 1_100 + "',)"},
]


@pytest.mark.parametrize("fields", NOT_EXACT, ids=str)
def test_what_is_cut_redacted_or_unreadable_is_never_sent_by_itself(no_broker, fields):
    task = failed(**{"args": "(1,)", "kwargs": "{}", **fields})
    result = run_again(task)
    assert result.outcome is Outcome.LEFT_OUT
    assert "not known exactly" in result.words
    assert not Rerun.objects.exists()
    run = bulk.ask(VERBS["rerun"], Selection(timezone.now(), (task.pk,)), operator(), {"rate": 5})
    assert run.dry_run["eligible"] == 0


@pytest.mark.parametrize("mark", ["[redacted]", "a [redacted] b", "[redacted: not readable]"])
def test_a_mark_of_redaction_is_never_sent(no_broker, mark):
    for name, value in (("args", [mark]), ("kwargs", {"deep": [{"er": mark}]})):
        with pytest.raises(InvalidParameters):
            run_again(failed(), **{name: value})


CUT = {"arguments_are": None, "args": "(1, 'xx...', ...)", "kwargs": "{'deep': {...}, 'note': 'wait...'}"}


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"args": [1, "xx..."]}, "args[1]"),
        ({"args": [1, "xx", "..."]}, "args[2]"),
        ({"args": [1, "xx"], "kwargs": {"deep": ["..."]}}, "deep[0]"),
        ({"args": [1], "kwargs": {"note": "wait..."}}, "note"),
    ],
)
def test_a_cut_value_is_not_sent_before_it_is_replaced(no_broker, given, place):
    result = run_again(failed(**CUT), **given)
    assert result.outcome is Outcome.LEFT_OUT
    assert result.words == f"Cut before it was stored: {place}. Complete it."
    assert not Rerun.objects.exists()


def test_a_mark_of_a_cut_of_ours_is_never_sent(no_broker):
    with pytest.raises(InvalidParameters, match=r"Cut before it was stored: a\.b\[0\]\. Complete it"):
        run_again(failed(), kwargs={"a": {"b": ["xxx… [cut: 1,000 characters]"]}})


def test_the_places_of_redacted_values_are_named(no_broker):
    with pytest.raises(
        InvalidParameters, match=r"Redacted before it was stored: card\.number, key\. Put the real"
    ):
        run_again(failed(), kwargs={"card": {"number": "[redacted]", "of": 1}, "key": "[redacted]"})


def test_a_value_that_ends_with_dots_is_sent_where_it_was_not_cut(broker):
    assert run_again(failed(), args=["wait..."]).outcome is Outcome.DONE
    assert run_again(failed(**CUT), args=[1, "xx, and so on..."]).outcome is Outcome.DONE
    assert [body[0] for _, body in sent(broker)] == [["wait..."], [1, "xx, and so on..."]]


@pytest.mark.parametrize(
    "given", [{"args": {}}, {"kwargs": []}, {"args": [{"__type__": "uuid", "__value__": 5}]}, {"rate": 0}]
)
def test_parameters_that_are_none_are_refused(no_broker, given):
    with pytest.raises(InvalidParameters):
        run_again(failed(), **given)


def test_who_may_not_run_again_does_not(no_broker):
    task = failed()
    with pytest.raises(Exception, match="rerun_task"):
        perform("rerun", [task.pk], Actor(make_user("viewer", "view_task")))
    assert AuditEntry.objects.get().ending == "refused"


@pytest.mark.parametrize("state", ["PENDING", "RECEIVED", "RETRY"])
def test_a_task_that_will_run_by_itself_is_refused(no_broker, state):
    assert run_again(failed(state=state)).outcome is Outcome.LEFT_OUT


@pytest.mark.parametrize(
    ("name", "why"), [("nobody.knows", "registered"), (None, "not known"), ("celery.chord", "own")]
)
def test_a_task_that_nobody_has_registered_is_refused_with_the_reason(no_broker, name, why):
    task = failed()
    Task.objects.filter(pk=task.pk).update(name=name)
    result = run_again(task, args=[1])
    assert result.outcome is Outcome.LEFT_OUT
    assert why in result.words


# --- Sources ---


def test_the_plug_in_comes_before_the_text_of_events(no_broker):
    known = stored_here(failed(args="(2,)", kwargs="{}"))
    assert (known.source, known.args, known.kwargs) == (Source.PLUG_IN, [1, "é"], {"a": None})


def test_a_text_that_is_whole_is_exact(no_broker):
    known = stored_here(failed(arguments_are=None, args="(1, 'x')", kwargs="{'n': None}"))
    assert (known.source, known.args, known.kwargs) == (Source.REPR, [1, "x"], {"n": None})


def test_what_is_known_of_a_cut_text_begins_the_form(no_broker):
    known = stored_here(
        failed(arguments_are=None, args="(1, 'xx...', <Order: 5>)", kwargs="{'key': [redacted]}")
    )
    assert known.source is None
    assert known.args == [1, "xx...", "<Order: 5>"]
    assert known.kwargs == {"key": "[redacted]"}
    assert known.why


def test_a_worker_that_holds_the_task_is_asked_for_its_arguments(no_broker, monkeypatch):
    task = failed(state="STARTED", arguments_are=None, args="(...,)")
    held: dict[str, Any] = {"args": [[1, 2]], "kwargs": {"a": 1}, "id": task.pk}

    def ask(_commands: Any, destination: Any) -> Any:
        return {"query_task": {destination[0]: Answer(Said.ACKNOWLEDGED, {task.pk: ["active", held]})}}

    monkeypatch.setattr(known_arguments, "ask", ask)
    known = looked_for(task, app)
    assert (known.source, known.args, known.kwargs) == (Source.WORKER, [[1, 2]], {"a": 1})
    held["kwargs"] = {"password": "hunter2"}
    known = looked_for(task, app)
    assert known.source is None
    assert "hunter2" not in str(known)


def test_without_an_answer_the_next_source_is_tried(no_broker, monkeypatch):
    def away(*_args: Any) -> Any:
        raise BrokerUnavailable

    monkeypatch.setattr(known_arguments, "ask", away)
    monkeypatch.setattr(known_arguments, "stored_arguments", lambda _app, _task: ([3], {}))
    known = looked_for(failed(state="STARTED", arguments_are=None, args="(...,)"), app)
    assert (known.source, known.args) == (Source.BACKEND, [3])


# --- Many ---


def moved_to_the_end(run: BulkRun, actor: Actor) -> None:
    for _ in range(10_000):
        bulk.advance(run, actor)
        if run.state != RunState.RUNNING:
            return
    pytest.fail("it does not come to an end")


def test_a_storm_of_200_keeps_to_its_rate_and_each_task_is_sent_once(broker):
    actor = operator()
    tasks = {failed(arguments=json.dumps([[number], {}])).pk: number for number in range(200)}
    run = bulk.ask(VERBS["rerun"], Selection(timezone.now()), actor, {"rate": 50})
    assert run.dry_run["eligible"] == 200
    bulk.confirm(run, actor)
    begin = time.monotonic()
    moved_to_the_end(run, actor)

    assert time.monotonic() - begin >= 200 / 50
    times = list(Rerun.objects.order_by("at").values_list("at", flat=True))
    for first, later in zip(times, times[60:], strict=False):
        assert (later - first).total_seconds() > 0.95, "60 within the time of 50"
    assert (run.state, run.done, run.left_out, run.failed) == (RunState.DONE, 200, 0, 0)
    messages = sent(broker)
    assert {headers["rerun_of"]: body[0][0] for headers, body in messages} == tasks
    assert len(messages) == 200
    results = [row for chunk in run.results.all() for row in chunk.results]
    assert {row[0] for row in results} == set(tasks)
    assert all(row[2].startswith("Sent as ") for row in results)


@pytest.mark.parametrize("broker", ["redis_url"], indirect=True)
def test_a_storm_can_be_stopped_and_gone_on_with(broker):
    actor = operator()
    for _ in range(40):
        failed()
    run = bulk.ask(VERBS["rerun"], Selection(timezone.now()), actor, {"rate": 20})
    bulk.confirm(run, actor)
    bulk.advance(run, actor)
    bulk.stop(run)
    stopped_at = run.done
    assert 0 < stopped_at < 40
    bulk.advance(run, actor)
    assert Rerun.objects.count() == stopped_at
    bulk.confirm(run, actor)
    moved_to_the_end(run, actor)
    assert (run.done, Rerun.objects.count()) == (40, 40)
    assert len(sent(broker)) == 40


def test_a_chunk_takes_about_a_second_so_that_it_can_be_stopped():
    chunk = VERBS["rerun"].chunk_for
    assert [chunk({"rate": rate}) for rate in (0.1, 1, 10, 1_000)] == [1, 1, 10, 50]
    assert chunk({}) == 10


def test_a_chunk_that_is_done_again_after_a_crash_sends_nothing_twice(broker):
    """Its process ended between the sending and the writing down of the results."""
    tasks = [failed(finished_at=timezone.now() - timedelta(minutes=1)) for _ in range(3)]
    ids = [task.pk for task in tasks]
    actor = operator()
    run = bulk.ask(VERBS["rerun"], Selection(timezone.now(), tuple(ids)), actor, {"rate": 100})
    bulk.confirm(run, actor)
    VERBS["rerun"].act(ids[:2], EVERYTHING, {"rate": 100})
    moved_to_the_end(run, actor)
    assert (run.done, run.left_out) == (1, 2)
    assert len(sent(broker)) == 3


def test_what_rabbitmq_refuses_was_not_sent_and_those_behind_it_are(rabbitmq_url, no_broker, monkeypatch):
    monkeypatch.setitem(app.conf, "broker_url", rabbitmq_url)
    refused, fine = failed(queue="amq.reserved"), failed()
    results = VERBS["rerun"].act([refused.pk, fine.pk], EVERYTHING, {})
    assert (results[refused.pk].outcome, results[refused.pk].words) == (
        Outcome.FAILED,
        "Not sent: AccessRefused",
    )
    assert results[fine.pk].outcome is Outcome.DONE
    assert [rerun.rerun_of for rerun in Rerun.objects.all()] == [fine.pk]
    assert len(sent(rabbitmq_url)) == 1
    actor = Actor(make_user("starter", "run_task"))
    parameters = {"args": [1], "exchange": "nowhere", "routing_key": "x"}
    [result] = perform("send_task", ["shop.pay"], actor, parameters, patience=0).results.values()
    assert (result.outcome, result.words) == (Outcome.FAILED, "Not sent: NotFound")


def test_two_who_run_the_same_tasks_again_at_once_send_each_of_them_once(
    using, watched, no_broker, monkeypatch
):
    """The second begins while the first is in the middle of its chunk, and does all of its own meanwhile."""
    ended_at = timezone.now() - timedelta(minutes=1)
    tasks = [failed(using=using, finished_at=ended_at) for _ in range(4)]
    ids = [task.pk for task in tasks]
    others: list[Any] = []
    sent_again: list[str] = []

    def send(*_args: Any, headers: dict[str, str], **_options: Any) -> str:
        sent_again.append(headers["rerun_of"])
        if not others:
            others.append({})
            others[0] = VERBS["rerun"].act(ids, EVERYTHING, {})
        return "x"

    monkeypatch.setattr(rerun, "control_connection", lambda *_args, **_options: nullcontext())
    monkeypatch.setattr(rerun, "send_over", send)
    mine = VERBS["rerun"].act(ids, EVERYTHING, {})
    assert sorted(sent_again) == sorted(ids)
    assert Rerun.objects.count() == 4
    assert [result.outcome for result in mine.values()] == [Outcome.DONE, *[Outcome.LEFT_OUT] * 3]
    assert [result.outcome for result in others[0].values()] == [Outcome.LEFT_OUT, *[Outcome.DONE] * 3]
    assert all("run again already" in mine[key].words for key in ids[1:])


def test_a_broker_that_goes_away_in_the_middle_is_told_of_each_task(no_broker, monkeypatch):
    tasks = [failed(finished_at=timezone.now() - timedelta(minutes=1)) for _ in range(4)]
    given = iter([None, BrokerUnavailable("away")])

    def send(*_args: Any, **_options: Any) -> str:
        error = next(given)
        if error is not None:
            raise error
        return "x"

    monkeypatch.setattr(rerun, "control_connection", lambda *_args, **_options: nullcontext())
    monkeypatch.setattr(rerun, "send_over", send)
    ids = [task.pk for task in tasks]
    results = VERBS["rerun"].act(ids, EVERYTHING, {})
    assert [results[key].outcome for key in ids] == [
        Outcome.DONE,
        Outcome.UNCONFIRMED,
        Outcome.FAILED,
        Outcome.FAILED,
    ]
    assert Rerun.objects.count() == 2, "nobody knows of the second"


# --- What is asked ---


def facts(task: Task, **parameters: Any) -> str:
    verb = VERBS["rerun"]
    target = verb.find([task.pk], EVERYTHING)[task.pk]
    return " ".join(" ".join(fact) for fact in verb.confirmation([target], parameters, EVERYTHING).facts)


def test_callbacks_chains_and_chords_that_would_be_lost_are_named(no_broker):
    workflow = {
        "group": "g-1",
        "chord": "shop.sum",
        "callbacks": ["shop.mail"],
        "chain": ["shop.b", "shop.c"],
    }
    words = facts(failed(workflow=json.dumps(workflow)))
    for name in ("g-1", "shop.sum", "shop.mail", "shop.b, shop.c"):
        assert name in words
    assert "no plug-in" in facts(failed(arguments_are=None, args="()", kwargs="{}"))
    assert "Callbacks" not in facts(failed())
    for broken in ("[", "[]", '{"chain": 5}'):
        assert "exactly" in facts(failed(workflow=broken))


def test_a_task_that_still_runs_says_that_both_will(no_broker):
    assert "both will run" in facts(failed(state="STARTED"))


def test_arguments_that_nobody_can_vouch_for_need_a_tick(no_broker):
    verb = VERBS["rerun"]
    task = failed(arguments=None, arguments_are="too large")
    target = verb.find([task.pk], EVERYTHING)[task.pk]
    assert verb.confirmation([target], {"args": [1]}, EVERYTHING).tick
    assert not verb.confirmation([target], {"args": [1], "source": "worker"}, EVERYTHING).tick


def test_arguments_are_shown_only_to_who_may_read_them(no_broker):
    verb = VERBS["rerun"]
    task = failed()
    target = verb.find([task.pk], EVERYTHING)[task.pk]
    shown = verb.form_for([target], EVERYTHING, with_payload=True)
    assert shown.initial["args"] == '[1, "é"]'
    assert "rate" not in shown.fields
    hidden = verb.form_for([target], EVERYTHING)
    assert set(hidden.fields) == {"queue"}
    assert "é" not in str(hidden)
    assert set(verb.form_for([], EVERYTHING, with_payload=True).fields) == {"queue", "rate"}


def test_a_task_that_was_run_again_often_still_names_where_it_comes_from(no_broker):
    task, now = failed(), timezone.now()
    Rerun.objects.create(task_id=task.pk, rerun_of="origin", at=now - timedelta(days=1))
    for number in range(9):
        Rerun.objects.create(task_id=f"n{number}", rerun_of=task.pk, at=now + timedelta(seconds=number))
    found = lineage(EVERYTHING, task.pk)
    assert found.rerun_of is not None
    assert found.rerun_of.task_id == "origin"
    assert [each.task_id for each in found.rerun_as] == ["n8", "n7", "n6"]
    assert found.more
    assert not lineage(EVERYTHING, "n0").more


def test_relatives_that_may_not_be_seen_are_not_named(no_broker):
    task, hidden = failed(), make_task(name="secret.task")
    Rerun.objects.create(task_id=hidden.pk, rerun_of=task.pk, at=timezone.now())
    Rerun.objects.create(task_id="not-seen-yet", rerun_of=task.pk, at=timezone.now())
    limited = lineage(Visibility(names=("tests.*",)), task.pk)
    assert [(each.task_id, each.state) for each in limited.rerun_as] == [("not-seen-yet", None)]
    assert {each.task_id for each in lineage(EVERYTHING, task.pk).rerun_as} == {hidden.pk, "not-seen-yet"}
