"""What is kept of answers, and of questions that have none."""

from datetime import UTC, datetime, timedelta

from monitoring.ingest.redaction import Redactor
from monitoring.inspection.intake import take
from monitoring.inspection.storing import Asked, store
from monitoring.models import Problem, Worker, WorkerSnapshot
from tests.factories import make_worker
from tests.queries.worker_parts.answers import answers

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def answered(kind, content, at=NOON, hostname="celery@a"):
    return Asked(hostname, kind, at, take(kind, content, Redactor()), at)


def silent(kind, at, hostname="celery@a"):
    return Asked(hostname, kind, at, problem=Problem.SILENT)


def snapshot(using, kind="stats", hostname="celery@a"):
    return WorkerSnapshot.objects.using(using).get(hostname=hostname, kind=kind)


def test_worker_that_does_not_answer_keeps_its_last_answer_and_its_age(using):
    store([answered("stats", {"pid": 1})], using)
    store([silent("stats", NOON + timedelta(minutes=5))], using)
    found = snapshot(using)
    assert (found.content, found.answered_at) == ({"pid": 1}, NOON)
    assert (found.asked_at, found.problem) == (NOON + timedelta(minutes=5), Problem.SILENT)


def test_answer_replaces_the_one_before_and_its_problem(using):
    store([Asked("celery@a", "stats", NOON, problem=Problem.REFUSED, words="no such command")], using)
    found = snapshot(using)
    assert (found.content, found.answered_at, found.problem, found.words) == (
        None,
        None,
        Problem.REFUSED,
        "no such command",
    )
    store([answered("stats", {"pid": 2}, NOON + timedelta(minutes=1))], using)
    found = snapshot(using)
    assert (found.content, found.problem, found.words) == ({"pid": 2}, "", "")


def test_each_worker_and_each_kind_has_an_answer_of_its_own(using):
    store(
        [
            answered("revoked", ["a", "b"]),
            answered("stats", {}),
            answered("revoked", [], hostname="celery@b"),
        ],
        using,
    )
    assert (snapshot(using, "revoked").content, snapshot(using, "revoked").items) == (["a", "b"], 2)
    assert (snapshot(using, "revoked", "celery@b").content, snapshot(using, "revoked", "celery@b").items) == (
        [],
        0,
    )
    assert (snapshot(using).content, snapshot(using).items) == ({}, None)


def test_answer_of_nothing_is_an_answer(using):
    """`memsample` of a worker without psutil."""
    store([answered("memsample", None)], using)
    assert (snapshot(using, "memsample").content, snapshot(using, "memsample").answered_at) == (None, NOON)


def test_row_of_the_worker_follows_its_newest_answers(using):
    make_worker("celery@a", using=using, pool=None, concurrency=None, queues=None, inspected_at=None)
    recorded = answers("prefork")
    store([answered("stats", recorded["stats"]), answered("active_queues", recorded["active_queues"])], using)
    worker = Worker.objects.using(using).get()
    assert (worker.pool, worker.concurrency, worker.queues) == ("prefork", 4, ["q-prefork"])
    assert worker.inspected_at == NOON
    assert worker.up_since == NOON - timedelta(seconds=recorded["stats"]["uptime"])


def test_start_of_a_process_does_not_waver_by_the_second_that_uptime_is_rounded_to(using):
    make_worker("celery@a", using=using)
    store([answered("stats", {"uptime": 100})], using)
    store([answered("stats", {"uptime": 160}, NOON + timedelta(seconds=61))], using)
    began = NOON - timedelta(seconds=100)
    assert Worker.objects.using(using).get().up_since == began
    store([answered("stats", {"uptime": 5}, NOON + timedelta(seconds=120))], using)
    assert Worker.objects.using(using).get().up_since == NOON + timedelta(seconds=115)


def test_silence_changes_nothing_of_the_workers_row(using):
    worker = make_worker("celery@a", using=using)
    store([silent("stats", NOON), silent("active_queues", NOON)], using)
    now = Worker.objects.using(using).get()
    assert (now.pool, now.queues, now.inspected_at) == (worker.pool, worker.queues, worker.inspected_at)


def test_hostile_answers_leave_the_row_readable(using):
    make_worker("celery@a", using=using)
    hostile = [{"name": ["x"]}, {"name": "<script>"}, 7, {"name": "é" * 300}]
    store(
        [answered("stats", {"pool": {"implementation": "x" * 90_000, "processes": ["a"]}, "uptime": 1e300})],
        using,
    )
    store([answered("active_queues", hostile)], using)
    worker = Worker.objects.using(using).get()
    assert worker.queues == ["<script>", "é" * 300]
    assert worker.concurrency is None
    assert worker.up_since is None
