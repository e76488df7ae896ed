"""When events may have been lost, and from when to when."""

from datetime import UTC, datetime, timedelta

import kombu
import pytest

from monitoring.ingest.buffer import Buffer
from monitoring.ingest.decoding import Decoder
from monitoring.ingest.figures import Figures
from monitoring.ingest.gaps import GapWatch
from monitoring.ingest.health import listened_until
from monitoring.ingest.reading import Reading
from monitoring.ingest.redaction import Redactor
from monitoring.ingest.sources import EventSource, SourceOptions
from monitoring.models import Consumer

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STARTED = b'{"type": "task-started", "uuid": "%d", "timestamp": %d, "hostname": "a", "pid": 1, "clock": 1}'


class Queue(EventSource):
    """A durable queue of a given length, without a broker."""

    is_durable = True

    def __init__(self, found: int, max_length: int = 100, max_bytes: int = 10**9) -> None:
        self.options = SourceOptions("celeryev.monitoring", max_length, max_bytes, prefetch=10)
        self.found = found

    def consume(self, on_message):
        raise NotImplementedError

    def acknowledge(self, delivery_tags):
        raise NotImplementedError


class NewQueue(Queue):
    """One that was not there."""

    is_new = True


class Subscription(Queue):
    is_durable = False


class Watch:
    """A watch with everything that it looks at."""

    def __init__(self, max_bytes: int | None = None) -> None:
        self.figures = Figures()
        self.reading = Reading(Decoder(Redactor(), 1000), self.figures, batch_size=5)
        self.buffer = Buffer(max_bytes)
        self.gaps = GapWatch("default", self.reading, self.buffer, self.figures)

    def open(self, source: EventSource) -> None:
        self.gaps.opening(source)
        self.gaps.opened(source)

    @property
    def found(self):
        return self.reading.batch.gaps


def message(body: bytes = b"[]") -> kombu.Message:
    return kombu.Message(body, content_type="application/json", delivery_tag="1")


def make_consumer(
    name: str, listening_until: datetime | None, horizon: datetime | None, **fields
) -> Consumer:
    return Consumer.objects.create(
        consumer_id=name, hostname="h", pid=1, started_at=NOON, reported_at=NOON,
        listening_until=listening_until, horizon=horizon, **fields,
    )  # fmt: skip


@pytest.fixture
def watch(db) -> Watch:
    return Watch()


def test_a_first_subscriber_has_missed_nothing(watch):
    watch.open(Subscription(0))
    assert watch.found == []


def test_what_passed_while_nobody_was_subscribed_is_a_gap_up_to_now(watch):
    make_consumer("one", NOON, NOON)
    before = datetime.now(UTC)

    watch.open(Subscription(0))

    (gap,) = watch.found
    assert gap.started_at == NOON
    assert before <= gap.ended_at <= datetime.now(UTC)


def test_a_first_queue_has_missed_nothing(watch):
    watch.open(NewQueue(0))
    assert watch.found == []


def test_what_passed_while_the_queue_was_not_there_is_a_gap_since_the_last_committed_event(watch):
    make_consumer("one", None, None, last_event_at=NOON)
    before = datetime.now(UTC)

    watch.open(NewQueue(0))

    (gap,) = watch.found
    assert gap.started_at == NOON
    assert before <= gap.ended_at <= datetime.now(UTC)
    assert "queue was not there" in gap.reason


def test_a_queue_that_was_there_is_no_gap(watch):
    make_consumer("one", None, None, last_event_at=NOON)
    watch.open(Queue(0))
    assert watch.found == []


def test_what_was_heard_and_not_committed_is_missed_too(watch):
    make_consumer("one", listening_until=NOON, horizon=NOON - 30 * SECOND)
    assert listened_until("default") == NOON - 30 * SECOND


def test_a_subscriber_that_was_killed_before_its_first_commit_ends_no_gap(watch):
    make_consumer("long ago", NOON, NOON)
    make_consumer("killed at once", NOON + 60 * SECOND, None)
    assert listened_until("default") == NOON


def test_the_last_of_several_subscribers_counts(watch):
    make_consumer("one", NOON, NOON)
    make_consumer("two", NOON + SECOND, NOON + SECOND)
    assert listened_until("default") == NOON + SECOND


@pytest.mark.parametrize(("waiting", "gaps"), [(0, 0), (94, 0), (95, 1), (100, 1)])
def test_a_queue_found_at_its_cap_is_a_gap_since_the_last_committed_event(watch, waiting, gaps):
    make_consumer("one", None, None, last_event_at=NOON)
    watch.open(Queue(waiting))
    assert [gap.started_at for gap in watch.found] == [NOON] * gaps


def test_a_queue_found_at_its_cap_in_bytes_is_a_gap_once_the_size_of_messages_is_known(watch):
    watch.figures.last_event_at = NOON
    source = Queue(50, max_bytes=5_000)
    watch.open(source)
    assert watch.found == []

    watch.reading.add(message(b"[" + b" " * 98 + b"]"))
    watch.gaps.look(source, 3)
    watch.gaps.look(source, 3)

    (gap,) = watch.found
    assert gap.started_at == NOON
    assert gap.ended_at > NOON


def test_a_queue_that_reaches_its_cap_while_it_is_read_is_a_gap_since_it_was_last_seen_below(watch):
    """The broker drops the oldest: what follows that which it has handed out already."""
    source = Queue(0)
    watch.open(source)
    watch.figures.last_event_at = NOON
    watch.gaps.look(source, 10)
    watch.figures.last_event_at = NOON + SECOND
    watch.gaps.look(source, 100)
    watch.figures.last_event_at = NOON + 2 * SECOND
    watch.gaps.look(source, 100)
    watch.gaps.look_for_dropped()
    assert watch.found == []
    before = datetime.now(UTC)

    watch.gaps.look(source, 0)
    watch.gaps.look(source, 0)

    (gap,) = watch.found
    assert gap.started_at == NOON
    assert before <= gap.ended_at <= datetime.now(UTC)


def test_a_queue_that_reaches_its_cap_before_anything_is_read_is_a_gap_since_the_last_committed_event(watch):
    make_consumer("one", None, None, last_event_at=NOON)
    source = Queue(10)
    watch.open(source)
    watch.gaps.look(source, 100)
    watch.gaps.closed()
    assert [gap.started_at for gap in watch.found] == [NOON]


def test_the_gap_ends_with_what_is_read_after_all_that_was_handed_out_before(watch):
    """Ten messages are handed out in advance, so that the eleventh is one that has not been dropped."""
    source = Queue(0)
    watch.open(source)
    watch.figures.last_event_at = NOON
    watch.gaps.look(source, 100)
    watch.gaps.look(source, 90)
    for second in range(11):
        watch.gaps.look(source, 80)
        watch.gaps.look_for_dropped()
        assert watch.found == []
        watch.reading.take(0)
        watch.reading.add(message(STARTED % (second, NOON.timestamp() + second)))

    watch.gaps.look_for_dropped()
    watch.gaps.look_for_dropped()

    (gap,) = watch.found
    assert (gap.started_at, gap.ended_at) == (NOON, NOON + 10 * SECOND)


def test_a_queue_that_is_at_its_cap_again_and_again_is_one_gap(watch):
    source = Queue(0)
    watch.open(source)
    watch.figures.last_event_at = NOON
    for waiting in (100, 90, 100, 90):
        watch.gaps.look(source, waiting)
        for _ in range(9):
            watch.reading.add(message())
        watch.gaps.look_for_dropped()
    assert watch.found == []
    watch.gaps.look(source, 0)
    assert len(watch.found) == 1


def test_what_comes_again_over_a_new_connection_ends_no_gap(watch):
    source = Queue(0)
    watch.open(source)
    watch.figures.last_event_at = NOON
    watch.gaps.look(source, 100)
    watch.gaps.look(source, 90)
    watch.reading.add(message())

    watch.open(Queue(90))
    for _ in range(10):
        watch.reading.add(message())
    watch.gaps.look_for_dropped()
    assert watch.found == []


def test_a_queue_whose_length_is_not_known_is_no_gap(watch):
    source = Queue(0)
    source.found = None
    watch.open(source)
    watch.gaps.look(source, None)
    assert watch.found == []


def test_messages_that_the_buffer_has_no_room_for_are_one_gap_from_the_first_to_the_last(db):
    watch = Watch(max_bytes=10_000)
    before = datetime.now(UTC)
    for _ in range(10):
        watch.buffer.add(message())
    between = datetime.now(UTC)
    watch.gaps.look_for_dropped()
    watch.gaps.look_for_dropped()

    (gap,) = watch.found
    assert gap.reason == "7 messages were dropped, because the database did not keep up"
    assert before <= gap.started_at <= gap.ended_at <= between
    assert len(watch.buffer) == 3


def test_the_buffer_hands_on_in_order_and_only_what_the_batch_has_room_for(db):
    watch = Watch()
    for number in range(8):
        watch.buffer.add(message(STARTED % (number, NOON.timestamp())))

    watch.buffer.empty_into(watch.reading)

    assert [event.subject for event in watch.reading.batch.tasks] == ["0", "1", "2", "3", "4"]
    assert len(watch.buffer) == 3
    assert watch.buffer.missed() is None


def test_one_message_larger_than_the_buffer_is_kept(db):
    buffer = Buffer(max_bytes=10)
    buffer.add(message())
    assert len(buffer) == 1
