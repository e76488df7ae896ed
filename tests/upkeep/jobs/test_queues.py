"""What the job reads of the broker, and what it makes of it: real messages, in Redis."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import celery
import kombu
import pytest

from monitoring.models import Broker, Queue, QueueSample, Worker
from monitoring.upkeep.jobs import queues
from monitoring.upkeep.lease import LeaseHolder
from monitoring.upkeep.queues import consuming
from tests.factories import make_task, make_worker
from tests.services import found
from tests.upkeep.conftest import until
from tests.upkeep.jobs.test_workers import report

NAME = "jobs-of-tests"
#: A consumer that stays so, however slow the test is: what is ahead of the present counts as the present.
UP_TO_DATE = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def app(redis_url: str, monkeypatch: pytest.MonkeyPatch, settings: Any) -> celery.Celery:
    made = celery.Celery("queues", broker=redis_url, set_as_current=False)
    made.conf.update(
        task_default_queue="default",
        # A prefix of its own: no other queue and no worker of the tests is in sight.
        broker_transport_options={"global_keyprefix": "upkeep-queues:"},
        task_queues=[kombu.Queue(name, kombu.Exchange(name), name) for name in ("default", NAME)],
    )
    monkeypatch.setattr(queues, "watched_app", lambda: made)
    monkeypatch.setattr(consuming, "PATIENCE", 0.3)
    # The broker has all the time that a busy machine needs.
    settings.MONITORING = {**settings.MONITORING, "CONTROL_TIMEOUT": 60.0}
    monkeypatch.setattr(queues, "PATIENCE", 60.0)
    with made.connection_for_write() as connection:
        for name in ("default", NAME):
            connection.default_channel._purge(name)
    return made


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Let the job run at some time."""

    def set_clock(moment: datetime) -> None:
        monkeypatch.setattr(queues, "read_clock", lambda using: moment)

    return set_clock


def read(using: str, name: str = NAME) -> Queue:
    return Queue.objects.using(using).get(pk=name)


def is_marked(using: str, lease: LeaseHolder) -> bool:
    """Whether the queue is marked, after another run: without a word of the broker in time it is not yet."""
    queues.run(lease)
    return read(using).unconsumed_since is not None


def make_consumer(using: str, hostname: str = "celery@w1", consumed: list[str] | None = None) -> Worker:
    now = datetime.now(UTC)
    return make_worker(
        hostname,
        using=using,
        last_heartbeat=now,
        frequency=3600.0,
        queues=[NAME] if consumed is None else consumed,
    )


def test_a_queue_is_read_with_who_names_it_and_who_consumes_it(
    using: str, lease: LeaseHolder, app: celery.Celery
) -> None:
    report(using, UP_TO_DATE)
    make_consumer(using)
    sent = datetime.now(UTC) - timedelta(minutes=4)
    app.send_task("shop.pay", queue=NAME, task_id="oldest")
    app.send_task("shop.pay", queue=NAME, task_id="newer")
    make_task("oldest", using=using, state="PENDING", queue=NAME, sent_at=sent)
    make_task("ghost", using=using, state="PENDING", queue=NAME, sent_at=sent - timedelta(days=3))
    queues.run(lease)
    queue = read(using)
    assert (queue.ready, queue.unacked, queue.consumers) == (2, 0, None)
    assert queue.named_by == ["configuration", "sent", "worker"]
    assert queue.workers == ["celery@w1"]
    assert queue.unconsumed_since is None
    assert queue.oldest_sent_at == sent, (
        "of the message that comes next, not of a record whose message is gone"
    )
    broker = Broker.objects.using(using).get()
    assert broker.product in ("Redis", "Valkey")
    assert "peek" in broker.abilities
    assert not broker.error


def test_messages_that_nobody_consumes_are_marked_at_once_and_unmarked_by_a_worker(
    using: str, lease: LeaseHolder, app: celery.Celery
) -> None:
    report(using, UP_TO_DATE)
    app.send_task("shop.pay", queue=NAME)
    make_consumer(using, consumed=["default"])
    until(lambda: is_marked(using, lease), "it had to be marked")
    since = read(using).unconsumed_since
    queues.run(lease)
    assert read(using).unconsumed_since == since
    make_consumer(using, "celery@w2")
    queues.run(lease)
    assert read(using).unconsumed_since is None
    Worker.objects.using(using).filter(pk="celery@w2").delete()
    until(lambda: is_marked(using, lease), "it had to be marked again")
    assert read(using).last_worker == "celery@w2"


def test_an_empty_queue_is_not_marked_before_its_first_message(
    using: str, lease: LeaseHolder, app: celery.Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever consumes it without heartbeats would never be asked for."""
    report(using, UP_TO_DATE)
    queues.run(lease)
    assert read(using).unconsumed_since is None
    app.send_task("shop.pay", queue=NAME)
    monkeypatch.setattr(queues, "asked", lambda app: {NAME})
    queues.run(lease)
    assert read(using).unconsumed_since is None


def test_nobody_is_said_only_where_it_is_certain(
    using: str, lease: LeaseHolder, app: celery.Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.send_task("shop.pay", queue=NAME)
    report(using, datetime.now(UTC) - timedelta(minutes=5))
    queues.run(lease)
    assert read(using).unconsumed_since is None, "the consumer is behind: a worker may have come since"

    report(using, UP_TO_DATE)
    worker = make_consumer(using, consumed=[])
    Worker.objects.using(using).filter(pk=worker.pk).update(queues=None)
    queues.run(lease)
    assert read(using).unconsumed_since is None, "it has not said yet what it consumes"

    Worker.objects.using(using).filter(pk=worker.pk).delete()
    monkeypatch.setattr(queues, "asked", lambda app: {NAME})
    queues.run(lease)
    assert read(using).unconsumed_since is None, "a worker without heartbeats says that it does"

    monkeypatch.setattr(queues, "asked", lambda app: set())
    queues.run(lease)
    assert read(using).unconsumed_since is not None


def test_readings_become_samples_of_minutes_and_hours_and_tell_growth(
    using: str, lease: LeaseHolder, app: celery.Celery, at: Callable[[datetime], None]
) -> None:
    start = datetime(2026, 11, 29, 10, 58, 0, tzinfo=UTC)
    for seconds, more in ((0, 2), (10, 4), (60, 6), (180, 0)):
        for _ in range(more):
            app.send_task("shop.pay", queue=NAME)
        at(start + timedelta(seconds=seconds))
        queues.run(lease)
    samples = QueueSample.objects.using(using).filter(name=NAME).order_by("step", "start")
    assert list(
        samples.values_list("step", "start", "readings", "ready_sum", "ready_most", "ready_last")
    ) == [
        (60, start, 2, 8, 6, 6),
        (60, start + timedelta(minutes=1), 1, 12, 12, 12),
        (60, start + timedelta(minutes=3), 1, 12, 12, 12),
        (3600, start.replace(minute=0), 3, 20, 12, 12),
        (3600, start.replace(hour=11, minute=0), 1, 12, 12, 12),
    ]
    # From the end of the first minute, with 6, to the last reading, with 12.
    assert read(using).growth == pytest.approx(6 / 120)


def test_old_samples_go_and_so_does_a_queue_that_nothing_names(
    using: str, lease: LeaseHolder, app: celery.Celery, at: Callable[[datetime], None]
) -> None:
    start = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
    at(start)
    app.conf.task_queues = [*app.conf.task_queues, kombu.Queue("gone", kombu.Exchange("gone"), "gone")]
    app.amqp.queues.add("gone")
    queues.run(lease)
    assert Queue.objects.using(using).filter(pk="gone").exists()
    del app.amqp.queues["gone"]
    at(start + timedelta(days=8))
    queues.run(lease)
    assert not Queue.objects.using(using).filter(pk="gone").exists()
    steps = (
        QueueSample.objects.using(using)
        .filter(start__lt=start + timedelta(days=1))
        .values_list("step", flat=True)
    )
    assert set(steps) == {3600}


def test_a_broker_that_is_away_is_said_and_what_was_known_stays(
    using: str, lease: LeaseHolder, app: celery.Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.send_task("shop.pay", queue=NAME)
    queues.run(lease)
    away = celery.Celery(
        "away", broker=f"redis://:hunter2@{found.HOST}:{found.free_port()}/0", set_as_current=False
    )
    monkeypatch.setattr(queues, "watched_app", lambda: away)
    said = queues.run(lease)
    broker = Broker.objects.using(using).get()
    assert "cannot be reached" in broker.error
    assert broker.read_at is not None
    assert read(using).ready == 1
    assert "hunter2" not in f"{said}{vars(broker)}"


def test_the_monitors_own_queue_is_none_of_them(
    using: str, lease: LeaseHolder, app: celery.Celery, settings: Any
) -> None:
    settings.MONITORING = {**settings.MONITORING, "QUEUE_NAME": NAME}
    queues.run(lease)
    assert not Queue.objects.using(using).filter(pk=NAME).exists()
