"""What the consumer's loop does about its own faults, without a broker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import kombu
import pytest
from django.db import DatabaseError, connections

from monitoring.conf import MonitoringSettings
from monitoring.ingest.consumer import LONGEST_READ, EventConsumer
from monitoring.ingest.decoding import Decoder
from monitoring.ingest.figures import Figures
from monitoring.ingest.redaction import Redactor
from monitoring.ingest.stores.contract import Batch, Store, Written
from monitoring.ingest.stores.portable import PortableStore
from monitoring.ingest.writer import Job
from monitoring.models import Gap, Task

SECONDS = 60
EVENT = (
    b'{"type": "task-started", "uuid": "%s", "timestamp": 1795348800, "hostname": "a", "pid": 1, "clock": 1}'
)


class Broker:
    """A source that does what a test wants when it is opened and read."""

    errors = (OSError,)
    found = None

    def __init__(
        self,
        opened: Callable[[], object] = lambda: None,
        read: Callable[[], bool] = lambda: False,
        *,
        is_durable: bool = True,
    ) -> None:
        self.is_durable, self.is_new = is_durable, False
        self._opened = opened
        self._read = read

    def open(self, on_message: Any) -> None:
        self.deliver = on_message
        self._opened()

    def read(self, timeout: float) -> bool:
        return self._read()

    def read_more(self, is_enough: Callable[[], bool]) -> None: ...

    def waiting(self) -> None:
        return None

    def settled_until(self, moment: Any) -> Any:
        return moment

    def acknowledge(self, delivery_tags: list[Any]) -> None: ...

    def keep_alive(self) -> None: ...

    def close(self) -> None: ...


class Alone:
    """The right to subscribe, which nobody else wants."""

    has_it = True

    def start(self) -> None: ...

    def stop(self) -> None: ...


def make_consumer(
    make_source: Callable[[], Any],
    using: str = "default",
    store: Store | None = None,
    batch_seconds: float = 0.1,
    make_turn: Callable[[], Any] = Alone,
) -> tuple[EventConsumer, Figures]:
    figures = Figures()
    consumer = EventConsumer(
        make_source,
        Decoder(Redactor(), 1_000),
        store or PortableStore(using),
        using,
        batch_size=10,
        batch_seconds=batch_seconds,
        make_turn=make_turn,
        figures=figures,
    )
    return consumer, figures


@contextmanager
def stopped_in_the_end(consumer: EventConsumer) -> Iterator[None]:
    """A consumer that does not end by itself is stopped, so that the test fails and does not hang."""
    alarm = threading.Timer(SECONDS, consumer.stop)
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()
        alarm.join()


@pytest.mark.django_db(transaction=True)
def test_an_error_is_reported_as_far_as_a_database_takes_it() -> None:
    def refuse() -> None:
        consumer.stop()  # after this try
        raise OSError("half \ud800, nothing \0, 'no\nmore'")

    consumer, figures = make_consumer(lambda: Broker(refuse))
    consumer.run()
    assert figures.last_error == "OSError: half \ufffd, nothing \u2400, 'no"


class OnlyAtFirst:
    """The right to subscribe, which somebody else has taken by the second time that it is looked at."""

    def __init__(self) -> None:
        self._looks = 0

    def start(self) -> None: ...

    def stop(self) -> None: ...

    @property
    def has_it(self) -> bool:
        self._looks += 1
        return self._looks == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("fault", "is_lost_while"),
    [(OSError, "read"), (OSError, "opened"), (DatabaseError, "read"), (None, "turn")],
)
def test_a_reconnection_is_counted_only_where_the_broker_was_lost(fault: Any, is_lost_while: str) -> None:
    opened: list[int] = []

    def open_(now: str = "opened") -> bool:
        if now == "opened":
            opened.append(1)
        if len(opened) > 1:
            consumer.stop()
        elif now == is_lost_while:
            raise fault("gone")
        return False

    def source() -> Any:
        return Broker(open_, lambda: open_("read"), is_durable=is_lost_while != "turn")

    turns = iter([OnlyAtFirst(), *[Alone()] * 9])
    consumer, figures = make_consumer(source, make_turn=lambda: next(turns))
    with stopped_in_the_end(consumer):
        consumer.run()

    assert len(opened) == 2
    assert figures.reconnects == (fault is OSError and is_lost_while == "read")


@pytest.mark.django_db(transaction=True, databases=["postgresql"], available_apps=["monitoring"])
def test_a_database_that_has_restarted_keeps_no_subscriber_away() -> None:
    """Before it subscribes it asks since when events have been missed: over a connection that may be of long ago."""
    opened: list[int] = []

    def come_and_go() -> None:
        opened.append(1)
        if len(opened) > 1:
            consumer.stop()
            return
        with connections["postgresql"].cursor() as cursor, pytest.raises(Exception, match="terminat"):
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        raise OSError("the broker has gone as well")

    consumer, figures = make_consumer(lambda: Broker(come_and_go, is_durable=False), "postgresql")
    with stopped_in_the_end(consumer):
        consumer.run()
    connections["postgresql"].close()
    assert len(opened) == 2, figures.last_error


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "fault", [TypeError("'int' object is not subscriptable"), RecursionError(), EOFError()]
)
def test_a_fault_of_a_kind_that_nobody_expects_is_no_end(fault: Exception) -> None:
    opened: list[int] = []

    def read() -> bool:
        if len(opened) > 1:
            consumer.stop()
            return False
        raise fault

    consumer, figures = make_consumer(lambda: Broker(lambda: opened.append(1), read))
    with stopped_in_the_end(consumer):
        consumer.run()
    assert len(opened) == 2
    assert figures.last_error.startswith(type(fault).__name__)


class Busy(PortableStore):
    """A database that answers once it may."""

    def __init__(self, using: str) -> None:
        super().__init__(using)
        self.may_answer = threading.Event()

    def write(self, batch: Batch) -> Written:
        assert self.may_answer.wait(SECONDS)
        return super().write(batch)


@pytest.mark.django_db(transaction=True, available_apps=["monitoring"])
def test_a_database_that_does_not_keep_up_is_one_gap_however_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The subscriber looks around ten times a second meanwhile, and what it finds out must not pile up."""
    monkeypatch.setattr("monitoring.ingest.buffer.MAX_BYTES", 40_000)
    store, begun = Busy("default"), time.monotonic()

    def deliver() -> bool:
        """Events that come without end, more than the buffer has room for."""
        for _ in range(20):
            body = EVENT % (b"%d" % time.monotonic_ns())
            source.deliver(kombu.Message(body, content_type="application/json", delivery_tag="1"))
            time.sleep(0.01)
        if time.monotonic() - begun > 3:
            consumer.stop()
            store.may_answer.set()
        return True

    source = Broker(read=deliver, is_durable=False)
    consumer, figures = make_consumer(lambda: source, store=store)
    with stopped_in_the_end(consumer):
        consumer.run()

    (gap,) = Gap.objects.all()
    assert "the database did not keep up" in gap.reason
    assert gap.ended_at - gap.started_at > timedelta(seconds=1)
    assert figures.gaps == 1


@pytest.mark.django_db(transaction=True)
def test_a_broker_of_which_nothing_can_be_read_is_asked_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """That a connection can be opened says nothing: the fault is in what comes over it."""
    monkeypatch.setattr("monitoring.ingest.consumer.FIRST_PAUSE", 0.125)
    opened: list[Broker] = []

    def make_source() -> Broker:
        opened.append(Broker(read=read))
        return opened[-1]

    def read() -> bool:
        if len(opened) == 4:
            body = EVENT % b"at-last"
            opened[-1].deliver(kombu.Message(body, content_type="application/json", delivery_tag="1"))
        if len(opened) == 5:
            consumer.stop()
        raise OSError("what cannot be read")

    consumer, _ = make_consumer(make_source)
    with stopped_in_the_end(consumer):
        consumer.run()
    pauses = [record.args[2] for record in caplog.records if "Next try" in record.msg]
    assert pauses == [0.125, 0.25, 0.5, 0.125, 0.25]


class Clock:
    """A clock that stands still unless somebody waits for a message."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.django_db(transaction=True, available_apps=["monitoring"])
@pytest.mark.parametrize("asked", [0.05, 0.2, 3.0])
def test_a_lone_event_waits_for_others_as_long_as_it_may_and_no_longer(
    monkeypatch: pytest.MonkeyPatch, asked: float
) -> None:
    """By the consumer's own clock, so that no machine is too slow: what it waits for is a message, and nothing else."""
    clock = Clock()
    for module in ("consumer", "reading"):
        monkeypatch.setattr(f"monitoring.ingest.{module}.time", clock)
    came: list[float] = []
    handed_over: list[float] = []

    def read(patience: float) -> bool:
        if not came:
            clock.now += 0.01
            came.append(clock.now)
            body = EVENT % b"alone"
            source.deliver(kombu.Message(body, content_type="application/json", delivery_tag="1"))
            return True
        clock.now += patience
        return False

    source = Broker()
    source.read = read
    source.read_more = lambda is_enough: None
    consumer, _ = make_consumer(lambda: source, batch_seconds=asked)
    submit = consumer._writer.submit

    def hand_over(job: Job) -> None:
        handed_over.append(clock.now)
        submit(job)
        consumer.stop()

    monkeypatch.setattr(consumer._writer, "submit", hand_over)
    with stopped_in_the_end(consumer):
        consumer.run()

    assert asked <= handed_over[0] - came[0] <= asked + 0.01
    assert Task.objects.filter(pk="alone").exists()


def test_what_is_left_of_half_a_second_is_the_database_s() -> None:
    assert MonitoringSettings.BATCH_SECONDS + LONGEST_READ < 0.5


@pytest.mark.django_db(transaction=True)
def test_one_sender_whose_clock_is_ahead_makes_no_backlog_look_read() -> None:
    heartbeat = b'{"type": "worker-heartbeat", "timestamp": %d, "hostname": "%s", "pid": 1, "clock": 1}'
    begun = time.time()

    def deliver() -> bool:
        """What was sent four minutes ago; one of the clocks is five minutes ahead."""
        for name, ahead in ((b"a", 0), (b"b", 0), (b"ahead", 300)):
            body = heartbeat % (begun - 240 + ahead, name)
            source.deliver(kombu.Message(body, content_type="application/json", delivery_tag="1"))
        if figures.batches:
            consumer.stop()
        time.sleep(0.01)
        return True

    source = Broker(read=deliver)
    consumer, figures = make_consumer(lambda: source)
    with stopped_in_the_end(consumer):
        consumer.run()

    reached = datetime.fromtimestamp(int(begun - 240), UTC)
    assert (figures.horizon, figures.last_event_at) == (reached, reached)
    assert figures.lag is not None
    assert figures.lag >= 240


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_durable", [True, False])
def test_the_horizon_waits_for_what_another_consumer_holds_whatever_else_arrives(is_durable: bool) -> None:
    begun = int(time.time())
    held_since = datetime.fromtimestamp(begun - 30, UTC)

    class Shared(Broker):
        def settled_until(self, moment: datetime) -> datetime:
            return min(moment, held_since)

    def deliver() -> bool:
        body = EVENT.replace(b"1795348800", b"%d" % begun) % (b"%d" % time.monotonic_ns())
        source.deliver(kombu.Message(body, content_type="application/json", delivery_tag="1"))
        if figures.batches > 2:
            consumer.stop()
        time.sleep(0.01)
        return True

    source = Shared(read=deliver, is_durable=is_durable)
    consumer, figures = make_consumer(lambda: source)
    with stopped_in_the_end(consumer):
        consumer.run()

    # What is published and forgotten is held by nobody.
    assert figures.horizon == (held_since if is_durable else datetime.fromtimestamp(begun, UTC))
