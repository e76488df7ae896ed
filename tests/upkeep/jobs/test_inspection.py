"""Whom upkeep asks, what, and how often."""

from datetime import UTC, datetime, timedelta

import celery
import pytest

from monitoring.inspection.kinds import KINDS
from monitoring.models import Problem, Worker, WorkerSnapshot
from monitoring.upkeep.jobs import inspection
from tests.control.test_broadcast import mailboxes
from tests.factories import make_worker
from tests.queries.worker_parts.answers import SECRET, answers
from tests.services.consuming import SECONDS, eventually

MINUTE = timedelta(minutes=1)


@pytest.fixture
def now():
    return datetime.now(UTC)


@pytest.fixture
def patient(settings, monkeypatch):
    """Workers have all the time that a busy machine needs."""
    settings.MONITORING = {**settings.MONITORING, "CONTROL_TIMEOUT": float(SECONDS)}
    monkeypatch.setattr(inspection, "PATIENCE", float(SECONDS))


@pytest.fixture
def app(rabbitmq_url, monkeypatch):
    app = celery.Celery("watched", broker=rabbitmq_url, set_as_current=False)
    monkeypatch.setattr("monitoring.control.broadcast.watched_app", lambda: app)
    yield app
    app.close()


def asked(using, hostname, at, *kinds):
    """A worker was asked these, or everything."""
    for kind in kinds or KINDS:
        WorkerSnapshot.objects.using(using).update_or_create(
            hostname=hostname, kind=kind, defaults={"asked_at": at, "answered_at": at}
        )


def due(using, *hostnames):
    return {host: kinds for host, (_, kinds) in inspection._due(using, hostnames, datetime.now(UTC)).items()}


def test_worker_that_was_never_asked_is_asked_everything(using, lease, now):
    make_worker("celery@a", using=using)
    assert due(using, "celery@a") == {"celery@a": set(KINDS)}


def test_each_question_is_asked_again_after_a_time_of_its_own(using, lease, now):
    make_worker("celery@a", using=using)
    asked(using, "celery@a", now)
    assert due(using, "celery@a") == {}
    asked(using, "celery@a", now - 2 * MINUTE)
    assert due(using, "celery@a") == {"celery@a": {"stats", "active_queues"}}
    asked(using, "celery@a", now - 6 * MINUTE)
    assert due(using, "celery@a") == {"celery@a": set(KINDS) - {"registered", "conf", "report"}}
    asked(using, "celery@a", now - 61 * MINUTE)
    assert due(using, "celery@a") == {"celery@a": set(KINDS)}


def test_worker_that_has_started_again_is_asked_everything_again(using, lease, now):
    make_worker("celery@a", using=using, started_at=now - MINUTE / 4)
    asked(using, "celery@a", now - MINUTE / 2)
    assert due(using, "celery@a") == {"celery@a": set(KINDS)}
    asked(using, "celery@a", now)
    assert due(using, "celery@a") == {}


def test_start_by_a_clock_that_is_ahead_does_not_make_a_worker_due_for_ever(using, lease, now):
    make_worker("celery@a", using=using, started_at=now + 60 * MINUTE)
    asked(using, "celery@a", now)
    assert due(using, "celery@a") == {}


def test_answers_are_kept_redacted_and_describe_the_worker(using, lease, app, patient):
    make_worker("celery@a", using=using, pool=None, queues=None)
    recorded = answers("prefork")
    with mailboxes(app, "celery@a", ping={"ok": "pong"}, **recorded):
        assert inspection.run(lease) == "Asked: 1 of 1 that were due."
    found = WorkerSnapshot.objects.using(using).filter(hostname="celery@a", problem="")
    assert set(found.values_list("kind", flat=True)) == set(KINDS)
    assert SECRET not in str(list(found.values_list("content", flat=True)))
    worker = Worker.objects.using(using).get()
    assert (worker.pool, worker.queues) == ("prefork", ["q-prefork"])
    assert inspection.run(lease) == "Nothing was due."


def test_silent_worker_keeps_what_it_said_and_does_not_keep_the_others_from_being_asked(
    using, lease, app, now, settings
):
    settings.MONITORING = {**settings.MONITORING, "CONTROL_TIMEOUT": 1.0}
    for hostname in ("celery@a", "celery@silent"):
        make_worker(hostname, using=using)
    earlier = now - 9 * MINUTE
    outcome = ""

    def other_has_answered():
        # It may not be scheduled within the one second: then both are asked anew.
        nonlocal outcome
        WorkerSnapshot.objects.using(using).filter(hostname="celery@a").delete()
        asked(using, "celery@silent", earlier)
        outcome = inspection.run(lease)
        stats = WorkerSnapshot.objects.using(using).filter(hostname="celery@a", kind="stats")
        return stats.filter(answered_at__isnull=False).exists()

    with mailboxes(app, "celery@a", ping={"ok": "pong"}, **answers("solo")):
        eventually(other_has_answered)
    assert outcome.startswith("Asked: 2 of 2 that were due; not all answered: ")
    assert "celery@silent" in outcome
    silent = WorkerSnapshot.objects.using(using).get(hostname="celery@silent", kind="stats")
    assert (silent.problem, silent.answered_at) == (Problem.SILENT, earlier)
    assert silent.asked_at > earlier
    assert WorkerSnapshot.objects.using(using).get(hostname="celery@a", kind="stats").content["pid"]


def test_few_workers_are_asked_at_a_time_those_first_that_were_asked_longest_ago(
    using, lease, app, now, settings
):
    settings.MONITORING = {**settings.MONITORING, "CONTROL_TIMEOUT": 0.5}
    count = inspection.AT_ONCE + 3
    for number in range(count):
        hostname = f"celery@{number:02}"
        make_worker(hostname, using=using)
        asked(using, hostname, now - (100 + number) * MINUTE)
    # A broker that is busy may take longer to be connected to.
    eventually(
        lambda: inspection.run(lease).startswith(f"Asked: {inspection.AT_ONCE} of {count} that were due;")
    )
    left = WorkerSnapshot.objects.using(using).filter(kind="stats", asked_at__lt=now)
    assert sorted(left.values_list("hostname", flat=True)) == ["celery@00", "celery@01", "celery@02"]


def test_offline_workers_are_not_asked(using, lease, app):
    make_worker("celery@a", using=using, online=False)
    assert inspection.run(lease) == "Nothing was due."


def test_broker_that_is_away_is_no_failure(using, lease, monkeypatch):
    app = celery.Celery("watched", broker="amqp://guest@127.0.0.1:1//", set_as_current=False)
    monkeypatch.setattr("monitoring.control.broadcast.watched_app", lambda: app)
    make_worker("celery@a", using=using)
    assert inspection.run(lease).startswith("Nobody could be asked: ")
    assert not WorkerSnapshot.objects.using(using).exists()
