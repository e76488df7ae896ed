"""Every verb on real workers of each pool, on RabbitMQ and on Redis: not that it was called, but what came of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import kombu
import pytest
from celery.events.event import event_exchange
from django.utils import timezone

from monitoring.control import bulk, perform
from monitoring.control.broadcast import Said, ask, broadcast
from monitoring.control.connecting import BrokerUnavailable
from monitoring.control.contract import Outcome, Result, Results
from monitoring.models import AuditEntry, Task, Worker, WorkerSnapshot
from monitoring.models.bulk_run import RunState
from monitoring.queries.selection import Selection
from tests.control.fleet import Fleet, alive, let_end, marks, notes, operator, use, use_on
from tests.control.fleet_app import abortable, app, note, sleep
from tests.factories import make_task
from tests.services import found
from tests.services.consuming import SECONDS, eventually

pytestmark = pytest.mark.django_db

NAMES = ("prefork", "threads", "solo", "gevent", "bare")
POOLS = ("prefork", "threads", "solo", "gevent")
#: Seconds until a task that is postponed runs: a worker hears of its revocation meanwhile.
POSTPONED = 10
#: Seconds of a time limit: a task says meanwhile that it has started.
LIMIT = 5


@pytest.fixture(scope="module", params=["rabbitmq_url", "redis_url"])
def whole_fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    fleet = Fleet(request.getfixturevalue(request.param), tmp_path_factory.mktemp("fleet"))
    before = app.conf.broker_url
    app.conf.update(broker_url=fleet.broker, result_backend=f"file://{fleet.folder}")
    try:
        fleet.start(*NAMES)
        yield fleet
    finally:
        fleet.stop()
        app.conf.update(broker_url=before)


@pytest.fixture
def fleet(whole_fleet: Fleet, settings: Any) -> Fleet:
    """The workers, with their rows; commands have all the time that a busy machine needs."""
    settings.MONITORING = {
        **settings.MONITORING,
        "CELERY_APP": "tests.control.fleet_app.app",
        "CONTROL_TIMEOUT": 20.0,
    }
    whole_fleet.rows()
    return whole_fleet


def running(fleet: Fleet, worker: str, **options: Any) -> tuple[str, Any, int]:
    """A task that sleeps in a worker now: its id, its marks and its process."""
    path = fleet.file()
    task_id = fleet.send(sleep, worker, path, **options)
    eventually(lambda: marks(path))
    make_task(task_id, state="STARTED", worker=fleet.host(worker), name=sleep.name)
    return task_id, path, int(marks(path)[0].split()[1])


def works(fleet: Fleet, worker: str) -> str:
    """The worker still runs what it is given; the id of that."""
    path = fleet.file()
    task_id = fleet.send(note, worker, path)
    eventually(lambda: marks(path))
    return task_id


# --- The pool ---


def test_a_prefork_pool_grows_and_shrinks(fleet: Fleet) -> None:
    before = len(fleet.children("prefork"))
    grown = use_on("pool_grow", fleet.host("prefork"), n=2)
    assert (grown.outcome, grown.observed) == (Outcome.DONE, True)
    assert "the pool is now 4" in grown.words
    eventually(lambda: len(fleet.children("prefork")) == before + 2)
    shown = WorkerSnapshot.objects.get(hostname=fleet.host("prefork"), kind="stats")
    assert len(shown.content["pool"]["processes"]) == 4
    shrunk = use_on("pool_shrink", fleet.host("prefork"), n=2)
    assert (shrunk.outcome, shrunk.observed) == (Outcome.DONE, True)
    eventually(lambda: len(fleet.children("prefork")) == before)


def test_a_pool_is_never_shrunk_to_nothing(fleet: Fleet) -> None:
    result = use_on("pool_shrink", fleet.host("prefork"), n=2)
    assert result.outcome is Outcome.LEFT_OUT
    assert "which is 2" in result.words
    works(fleet, "prefork")


def test_a_gevent_pool_grows_and_takes_more_at_a_time(fleet: Fleet) -> None:
    assert use_on("pool_grow", fleet.host("gevent"), n=1).observed
    path = fleet.file()
    ids = [fleet.send(sleep, "gevent", path) for _ in range(4)]
    eventually(lambda: len(marks(path)) == 4)
    for task_id in ids:
        make_task(task_id, state="STARTED", worker=fleet.host("gevent"))
    use("terminate", ids, patience=0)
    eventually(lambda: not ask(["active"], [fleet.host("gevent")])["active"][fleet.host("gevent")].value)
    assert use_on("pool_shrink", fleet.host("gevent"), n=1).observed


@pytest.mark.parametrize("pool", ["threads", "solo"])
def test_a_pool_of_fixed_size_is_left_out_and_asked_where_it_is_not_known(fleet: Fleet, pool: str) -> None:
    known = use_on("pool_grow", fleet.host(pool), n=1)
    assert known.outcome is Outcome.LEFT_OUT
    assert pool in known.words
    Worker.objects.filter(pk=fleet.host(pool)).update(pool=None)
    asked = use_on("pool_grow", fleet.host(pool), n=1)
    assert asked.outcome is Outcome.FAILED
    assert asked.words
    works(fleet, pool)


def test_a_pool_that_scales_by_itself_gets_other_bounds(fleet: Fleet) -> None:
    result = use_on("autoscale", fleet.host("bare"), min=2, max=4)
    assert (result.outcome, result.observed) == (Outcome.DONE, True)
    eventually(lambda: len(fleet.children("bare")) >= 2)
    grown = use_on("pool_grow", fleet.host("bare"), n=1)
    assert grown.outcome in (Outcome.FAILED, Outcome.LEFT_OUT)
    assert "autoscale" in grown.words
    refused = use_on("autoscale", fleet.host("prefork"), min=1, max=4)
    assert refused.outcome in (Outcome.FAILED, Outcome.LEFT_OUT)


def test_a_pool_is_restarted_with_new_processes(fleet: Fleet) -> None:
    before = fleet.children("prefork")
    host = fleet.host("prefork")
    result = use("pool_restart", [host], patience=0).results[host]
    assert result.outcome is Outcome.DONE
    observe = perform.VERBS["pool_restart"].observe
    assert observe is not None

    def observed(seconds: float) -> Result:
        return observe({host: result}, operator().visibility, {}, time.monotonic() + seconds)[host]

    def says_when() -> bool:
        # A worker that is busy, or not scheduled, answers later than it is asked.
        now = observed(seconds=1)
        return now.observed or "next task" in now.words

    eventually(says_when)

    def replaced() -> bool:
        # Side by side: one after the other they may all go to the same process.
        paths = [fleet.file() for _ in range(3)]
        for path in paths:
            fleet.send(sleep, "prefork", path, 0.5)
        eventually(lambda: all("ended" in marks(path) for path in paths))
        return not before & fleet.children("prefork")

    eventually(replaced)
    assert observed(SECONDS).observed
    refused = use_on("pool_restart", fleet.host("bare"))
    assert (refused.outcome, refused.words) == (Outcome.FAILED, "ValueError('Pool restarts not enabled')")


# --- Queues ---


@pytest.mark.parametrize("pool", POOLS)
def test_a_worker_consumes_a_queue_more_and_no_longer(fleet: Fleet, pool: str) -> None:
    queue, first, second = f"more-{pool}-{fleet.tag}", fleet.file(), fleet.file()
    added = use_on("add_consumer", fleet.host(pool), queue=queue)
    assert (added.outcome, added.observed) == (Outcome.DONE, True)
    fleet.post(note, queue, first)
    eventually(lambda: marks(first))
    cancelled = use_on("cancel_consumer", fleet.host(pool), queue=queue)
    assert (cancelled.outcome, cancelled.observed) == (Outcome.DONE, True)
    fleet.post(note, queue, second)
    works(fleet, pool)
    assert marks(second) == []
    with app.connection_for_write() as connection:
        kombu.Queue(queue, channel=connection.default_channel).delete()


# --- Limits ---


@pytest.mark.parametrize("pool", POOLS)
def test_a_rate_limit_slows(fleet: Fleet, pool: str) -> None:
    host, path = fleet.host(pool), fleet.file()
    assert use_on("rate_limit", host, task_name=note.name, rate_limit="2/s").observed
    began = time.monotonic()
    for _ in range(4):
        fleet.send(note, pool, path)
    eventually(lambda: len(marks(path)) == 4)
    # The first may start at once, each further one half a second after the one before.
    assert time.monotonic() - began > 1.2
    assert use_on("rate_limit", host, task_name=note.name, rate_limit="0").observed
    unknown = use_on("rate_limit", host, task_name="nobody.knows", rate_limit="1/s")
    assert (unknown.outcome, unknown.words) == (Outcome.FAILED, "unknown task")


def test_a_soft_time_limit_raises_in_the_task_and_a_hard_one_kills(fleet: Fleet) -> None:
    host, soft, hard = fleet.host("prefork"), fleet.file(), fleet.file()
    limited = {"task_name": sleep.name, "restart_pool": True}
    result = use_on("time_limit", host, soft=LIMIT, **limited)
    assert (result.outcome, result.observed) == (Outcome.DONE, True)
    fleet.send(sleep, "prefork", soft)
    eventually(lambda: "soft time limit" in marks(soft))
    assert use_on("time_limit", host, hard=LIMIT, **limited).observed
    fleet.send(sleep, "prefork", hard)
    eventually(lambda: marks(hard))
    pid = int(marks(hard)[0].split()[1])
    eventually(lambda: not alive(pid))
    assert marks(hard)[1:] == []
    assert use_on("time_limit", host, **limited).observed
    works(fleet, "prefork")


def test_limits_that_the_worker_does_not_look_at_are_not_said_to_count(fleet: Fleet) -> None:
    alone = use_on("time_limit", fleet.host("bare"), task_name=sleep.name, soft=0.2)
    assert alone.observed
    assert "once the worker connects to the broker anew" in alone.words
    path = fleet.file()
    fleet.send(sleep, "bare", path, 1)
    eventually(lambda: marks(path)[1:])
    assert marks(path)[1:] == ["ended"]
    with_restart = use_on("time_limit", fleet.host("bare"), task_name=sleep.name, restart_pool=True)
    assert with_restart.outcome is Outcome.FAILED
    assert "Pool restarts not enabled" in with_restart.words


def test_a_hard_time_limit_ends_a_task_in_gevent_and_a_soft_one_is_left_out(fleet: Fleet) -> None:
    host, path = fleet.host("gevent"), fleet.file()
    limited = {"task_name": sleep.name, "restart_pool": True}
    assert use_on("time_limit", host, soft=0.5, **limited).outcome is Outcome.LEFT_OUT
    assert use_on("time_limit", host, hard=0.5, **limited).observed
    fleet.send(sleep, "gevent", path)
    eventually(lambda: marks(path))
    eventually(lambda: not ask(["active"], [host])["active"][host].value)
    assert marks(path)[1:] == []
    assert use_on("time_limit", host, **limited).observed


# --- Tasks ---


def test_a_revoked_task_never_runs(fleet: Fleet) -> None:
    paths = {pool: fleet.file() for pool in POOLS}
    others = {pool: fleet.file() for pool in POOLS}
    ids = [fleet.send(note, pool, paths[pool], countdown=POSTPONED) for pool in POOLS]
    for task_id in ids:
        make_task(task_id, state="RECEIVED", worker="")
    report = use("revoke", ids, patience=0)
    assert {result.outcome for result in report.results.values()} == {Outcome.DONE}
    assert set(report.answers) == {fleet.host(name) for name in NAMES}
    for pool in POOLS:
        fleet.send(note, pool, others[pool], countdown=POSTPONED)
    eventually(lambda: all(marks(path) for path in others.values()))
    assert [marks(path) for path in paths.values()] == [[]] * 4
    entry = AuditEntry.objects.get(pk=report.entry.pk)  # type: ignore[union-attr]
    assert {answer[0]: answer[1] for answer in entry.answers} == {
        fleet.host(name): "acknowledged" for name in NAMES
    }


def test_a_revoked_task_is_seen_revoked_once_its_event_is_stored(fleet: Fleet) -> None:
    task_id = make_task(state="RECEIVED").pk
    waiting = use("revoke", [task_id], patience=0.5).results[task_id]
    assert (waiting.outcome, waiting.observed) == (Outcome.DONE, False)
    assert "not seen revoked yet" in waiting.words
    Task.objects.filter(pk=task_id).update(state="RECEIVED")
    observe = perform.VERBS["revoke"].observe
    assert observe is not None
    Task.objects.filter(pk=task_id).update(state="REVOKED")
    seen = observe({task_id: waiting}, operator().visibility, {}, time.monotonic() + SECONDS)[task_id]
    assert (seen.outcome, seen.observed) == (Outcome.DONE, True)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_a_running_task_is_ended_by_the_signal(fleet: Fleet, name: str) -> None:
    task_id, path, pid = running(fleet, "prefork")
    result = use("terminate", [task_id], {"signal": name}, patience=0).results[task_id]
    assert result.outcome is Outcome.DONE
    eventually(lambda: not alive(pid))
    assert marks(path)[1:] == []
    works(fleet, "prefork")


def test_another_signal_than_the_deadly_ones_reaches_the_task(fleet: Fleet) -> None:
    task_id, path, _pid = running(fleet, "prefork")
    use("terminate", [task_id], {"signal": "SIGUSR1"}, patience=0)
    eventually(lambda: "soft time limit" in marks(path))


def test_a_running_task_is_ended_in_gevent(fleet: Fleet) -> None:
    host = fleet.host("gevent")
    task_id, path, _pid = running(fleet, "gevent")
    assert use("terminate", [task_id], patience=0).results[task_id].outcome is Outcome.DONE
    eventually(lambda: not ask(["active"], [host])["active"][host].value)
    assert marks(path)[1:] == []


def test_a_thread_cannot_be_ended(fleet: Fleet) -> None:
    path = fleet.file()
    task_id = fleet.send(sleep, "threads", path)
    eventually(lambda: marks(path))
    make_task(task_id, state="STARTED", worker=fleet.host("threads"))
    known = use("terminate", [task_id], patience=0).results[task_id]
    assert known.outcome is Outcome.LEFT_OUT
    assert "threads" in known.words
    Worker.objects.filter(pk=fleet.host("threads")).update(pool=None)
    asked = use("terminate", [task_id], patience=0).results[task_id]
    assert asked.outcome is Outcome.FAILED
    assert fleet.host("threads") in asked.words
    let_end(path)
    eventually(lambda: "ended" in marks(path))


def test_a_task_that_no_worker_runs_any_more_is_not_said_to_be_terminated(fleet: Fleet) -> None:
    task_id = make_task(state="STARTED", worker=fleet.host("prefork")).pk
    result = use("terminate", [task_id], patience=0).results[task_id]
    assert result.outcome is Outcome.FAILED
    assert "does not run it" in result.words


def test_stamped_tasks_are_revoked_and_terminated(fleet: Fleet) -> None:
    stamp = {"stamped_headers": ["tenant"], "tenant": f"acme-{fleet.tag}"}
    _task_id, path, pid = running(fleet, "prefork", **stamp)
    waiting, other = fleet.file(), fleet.file()
    fleet.send(note, "threads", waiting, countdown=POSTPONED, **stamp)
    result = use_on("revoke_by_stamped_headers", f"tenant=acme-{fleet.tag}", terminate=True, signal="SIGKILL")
    assert result.outcome is Outcome.DONE
    eventually(lambda: not alive(pid))
    assert marks(path)[1:] == []
    fleet.send(note, "threads", other, countdown=POSTPONED)
    eventually(lambda: marks(other))
    assert marks(waiting) == []


@pytest.mark.parametrize("known_here", [True, False])
def test_an_abortable_task_looks_and_ends_itself(
    fleet: Fleet, known_here: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, plain = fleet.file(), make_task(name=sleep.name, state="STARTED").pk
    task_id = fleet.send(abortable, "prefork", path)
    eventually(lambda: marks(path))
    make_task(task_id, state="STARTED", name=abortable.name)
    if not known_here:
        for name in (abortable.name, sleep.name):
            monkeypatch.delitem(app.tasks, name)
    report = use("abort", [task_id, plain], patience=0)
    assert report.results[task_id].outcome is Outcome.DONE
    assert report.results[plain].outcome is Outcome.LEFT_OUT
    assert "never looks" in report.results[plain].words
    eventually(lambda: "aborted" in marks(path))


def test_a_task_is_started_with_these_arguments(fleet: Fleet) -> None:
    path = fleet.file()
    parameters = {
        "args": [str(path), 1, "ü <b>", [None, 2.5]], "kwargs": {"a": {"b": True}}, "queue": fleet.queue("solo"),
        "countdown": 0.5, "expires": 3600, "priority": 3,
    }  # fmt: skip
    report = use("apply", [note.name], parameters, patience=0)
    result = report.results[note.name]
    assert result.outcome is Outcome.DONE
    eventually(lambda: notes(path))
    assert notes(path) == [(result.made, [1, "ü <b>", [None, 2.5]], {"a": {"b": True}})]
    assert result.made in result.words
    entry = AuditEntry.objects.get(pk=report.entry.pk)  # type: ignore[union-attr]
    assert entry.parameters["priority"] == 3
    assert result.made in entry.results[0][2]


def test_a_started_task_is_seen_at_its_worker(fleet: Fleet) -> None:
    observe = perform.VERBS["apply"].observe
    report = use(
        "apply", [note.name], {"args": [str(fleet.file())], "queue": fleet.queue("solo")}, patience=0
    )
    made = report.results[note.name].made
    make_task(made, state="STARTED", worker=fleet.host("solo"))
    assert observe is not None
    seen = observe(report.results, operator().visibility, {}, time.monotonic() + SECONDS)[note.name]
    assert seen.observed
    assert made in seen.words
    assert f"STARTED on {fleet.host('solo')}" in seen.words


def test_a_task_that_nobody_has_registered_is_not_sent(fleet: Fleet) -> None:
    result = use("apply", ["nobody.knows"], {"queue": fleet.queue("solo")}, patience=0).results[
        "nobody.knows"
    ]
    assert result.outcome is Outcome.LEFT_OUT


def test_many_tasks_are_revoked_a_hundred_with_each_command(fleet: Fleet) -> None:
    ids = {make_task(state="PENDING", name="fleet.waiting", worker=None).pk for _ in range(230)}
    ended = make_task(state="SUCCESS", name="fleet.waiting").pk
    actor = operator()
    verb = perform.VERBS["revoke"]
    run = bulk.ask(verb, Selection(timezone.now(), query="name=fleet.waiting"), actor)
    bulk.confirm(run, actor)
    for _ in range(10):
        bulk.advance(run, actor)
    assert (run.state, run.done, run.left_out, run.failed) == (RunState.DONE, 230, 1, 0)
    assert run.chunks == 3
    for name in POOLS:
        revoked = set(ask(["revoked"], [fleet.host(name)])["revoked"][fleet.host(name)].value)
        assert ids <= revoked
        assert ended not in revoked
    entry = AuditEntry.objects.get(verb="revoke")
    assert entry.done == 230
    assert {answer[0] for answer in entry.answers} == {fleet.host(name) for name in NAMES}


# --- Events ---


def test_events_come_and_stop(fleet: Fleet) -> None:
    host = fleet.host("bare")
    with app.connection_for_read() as connection:
        queue = kombu.Queue("", event_exchange, routing_key="task.#", exclusive=True, auto_delete=True)
        if connection.transport.driver_type == "redis":
            exchange = kombu.Exchange(event_exchange.name, type="fanout")
            queue = kombu.Queue(f"tap-{fleet.tag}", exchange, routing_key="task.#", auto_delete=True)
        events: list[dict[str, Any]] = []

        def take(body: Any, message: Any) -> None:
            found_events = body if isinstance(body, list) else [body]
            events.extend(e for e in found_events if e["hostname"] == host and e["type"].startswith("task-"))

        def drain() -> None:
            while True:
                try:
                    connection.drain_events(timeout=0.3)
                except TimeoutError:
                    return

        def come() -> bool:
            works(fleet, "bare")
            drain()
            return bool(events)

        with kombu.Consumer(connection, [queue], callbacks=[take], accept=["json"], no_ack=True):
            drain()
            works(fleet, "bare")
            drain()
            assert events == []
            assert use_on("enable_events", host).outcome is Outcome.DONE
            eventually(come)
            disabled = use_on("disable_events", host)
            assert (disabled.outcome, disabled.words) == (Outcome.DONE, "task events disabled")
            untold = works(fleet, "bare")
            drain()
            # Of what ran before, some may have come late.
            assert untold not in {event["uuid"] for event in events}


def test_events_of_a_worker_that_was_started_with_them_cannot_be_stopped(fleet: Fleet) -> None:
    result = use_on("disable_events", fleet.host("prefork"))
    assert result.outcome is Outcome.LEFT_OUT
    assert "-E" in result.words


# --- Presence ---


def test_every_worker_answers_a_ping(fleet: Fleet) -> None:
    report = use("ping", [fleet.host(name) for name in NAMES])
    assert {result.outcome for result in report.results.values()} == {Outcome.DONE}
    assert all("answered in" in result.words for result in report.results.values())


def test_what_workers_answer_is_kept(fleet: Fleet) -> None:
    result = use_on("refresh", fleet.host("prefork"))
    assert result.outcome is Outcome.DONE
    kinds = WorkerSnapshot.objects.filter(hostname=fleet.host("prefork"), answered_at__isnull=False)
    assert {"stats", "active_queues", "registered", "conf"} <= set(kinds.values_list("kind", flat=True))


def test_a_solo_worker_answers_after_its_task(fleet: Fleet, settings: Any) -> None:
    settings.MONITORING = {**settings.MONITORING, "CONTROL_TIMEOUT": 3.0}
    path = fleet.file()
    fleet.send(sleep, "solo", path)
    eventually(lambda: marks(path))
    result = use_on("ping", fleet.host("solo"))
    assert result.outcome is Outcome.UNCONFIRMED
    assert "may still come" in result.words
    let_end(path)
    eventually(lambda: fleet.answers(fleet.host("solo")))


def test_a_frozen_worker_delays_its_own_answer_only(fleet: Fleet, settings: Any) -> None:
    settings.MONITORING = {**settings.MONITORING, "CONTROL_TIMEOUT": 3.0}
    frozen = fleet.host("threads")
    expected = {fleet.host(name): Outcome.DONE for name in NAMES} | {frozen: Outcome.UNCONFIRMED}
    results: Results = {}

    def all_others_answer() -> bool:
        # One that is not scheduled in time is asked once more.
        with suppress(BrokerUnavailable):
            results.update(use("ping", list(expected)).results)
        return {host: result.outcome for host, result in results.items()} == expected

    with fleet.processes["threads"].frozen():
        eventually(all_others_answer, lambda: str(results))
    others = [result.seconds for host, result in results.items() if host != frozen]
    assert all(seconds is not None and seconds < 3 for seconds in others)
    eventually(lambda: fleet.answers(frozen))


def test_thirty_commands_at_once_are_all_answered(fleet: Fleet) -> None:
    hosts = [fleet.host(name) for name in NAMES]
    said: list[Said] = []

    def call() -> None:
        answers = broadcast("ping", None, hosts, app=app, timeout=60)
        said.extend(answer.said for answer in answers.values())

    threads = [threading.Thread(target=call) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert said == [Said.ACKNOWLEDGED] * (30 * len(hosts))


def test_a_broker_that_is_down_is_in_the_audit_log(fleet: Fleet) -> None:
    before = app.conf.broker_url
    app.conf.broker_url = f"redis://127.0.0.1:{found.free_port()}/0"
    try:
        for verb, target, parameters in (
            ("ping", fleet.host("prefork"), {}),
            ("apply", note.name, {"args": ["/dev/null"]}),
        ):
            with pytest.raises(BrokerUnavailable):
                use(verb, [target], parameters)
    finally:
        app.conf.broker_url = before
    entries = list(AuditEntry.objects.values_list("ending", flat=True))
    assert entries == ["stopped", "stopped"]
    assert all("broker" in words for words in AuditEntry.objects.values_list("words", flat=True))


# --- The end: what is below leaves no worker behind ---


def test_a_worker_that_shuts_down_finishes_what_it_runs_and_is_gone(fleet: Fleet) -> None:
    path = fleet.file()
    fleet.send(sleep, "prefork", path, 3)
    eventually(lambda: marks(path))
    process = fleet.processes["prefork"]
    result = use_on("shutdown", fleet.host("prefork"))
    assert (result.outcome, result.observed) == (Outcome.DONE, True)
    assert process.wait() == 0
    assert marks(path)[-1] == "ended"


def test_workers_of_every_pool_are_gone_after_a_shutdown(fleet: Fleet) -> None:
    names = ["threads", "solo", "gevent", "bare"]
    report = use("shutdown", [fleet.host(name) for name in names])
    assert {(result.outcome, result.observed) for result in report.results.values()} == {(Outcome.DONE, True)}
    assert [fleet.processes[name].wait() for name in names] == [0, 0, 0, 0]
