"""The writer never gives a batch up, and never lets one event hold up the others."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from django.db import OperationalError, connections

from monitoring.ingest.events import Event
from monitoring.ingest.stores import store_for
from monitoring.ingest.stores.contract import Batch, DeadLetterEntry, GapEntry, Store, Written
from monitoring.ingest.writer import FEW, Job, Writer
from monitoring.models import DeadLetter, Gap, Task, TaskEvent, Worker
from tests.ingest.event_streams import BEGIN, SECOND, decoded, event
from tests.ingest.worker_streams import decoded_worker_events, worker_event

SECONDS = 60


class Running:
    """A writer at work on one database, and what it reports."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.committed: list[Job] = []
        self.failed: list[Exception] = []
        self.writer = Writer(store_for(alias), alias, self.committed.append, self.failed.append)
        self.writer.start()

    def submit(self, batch: Batch) -> None:
        self.writer.submit(Job(batch, [1], 1))

    def write(self, batch: Batch) -> None:
        self.submit(batch)
        assert self.writer.wait(SECONDS), self.failed

    def tasks(self) -> set[str]:
        return set(Task.objects.using(self.alias).values_list("pk", flat=True))


def on(*aliases: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "running",
        [
            pytest.param(
                a, marks=pytest.mark.django_db(transaction=True, databases=[a], available_apps=["monitoring"])
            )
            for a in aliases
        ],
        indirect=True,
    )


@pytest.fixture
def running(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[Running]:
    running = Running(request.param)
    try:
        yield running
    finally:
        running.writer.stop()


def started(*task_ids: str) -> list[Event]:
    return decoded([event("started", BEGIN, task_id=task_id) for task_id in task_ids])


@on("default", "postgresql")
def test_events_that_the_database_refuses_become_dead_letters_and_the_rest_is_stored(running):
    events = started(*"abcdefghij")
    beats = decoded_worker_events([worker_event("heartbeat", BEGIN, f"celery@{n}") for n in range(3)])
    events[3].clock = events[7].clock = 2**70
    beats[1].values["pid"] = 2**70
    now = datetime.now(UTC)
    letter = DeadLetterEntry(now, "was none before", 1, "ab")

    running.write(Batch(events, beats, [letter], [GapEntry(now, now, "full")]))

    assert running.tasks() == set("abcefgij")
    assert TaskEvent.objects.using(running.alias).count() == 8
    assert set(Worker.objects.using(running.alias).values_list("pk", flat=True)) == {"celery@0", "celery@2"}
    reasons = sorted(DeadLetter.objects.using(running.alias).values_list("reason", flat=True))
    assert [reason.partition(":")[0] for reason in reasons] == ["refused by the database"] * 3 + [
        "was none before"
    ]
    assert Gap.objects.using(running.alias).count() == 1
    assert len(running.committed) == 1
    assert not running.failed


@on("default", "postgresql")
def test_the_gap_of_an_event_that_is_refused_is_kept(running):
    events = started("a", "b")
    events[0].clock = 2**70
    now = datetime.now(UTC)

    running.write(Batch(events, gaps=[GapEntry(now, now, "full")]))

    assert running.tasks() == {"b"}
    assert Gap.objects.using(running.alias).count() == 1


class Interrupted:
    """A store whose database goes away once, after so many transactions."""

    def __init__(self, store: Store, after: int) -> None:
        self._store = store
        self._left = after
        self.prepare = store.prepare

    def write(self, batch: Batch) -> Written:
        self._left -= 1
        if self._left == -1:
            raise OperationalError("the server has gone away")
        return self._store.write(batch)


@on("default", "postgresql")
@pytest.mark.parametrize("after", range(8))
def test_a_batch_interrupted_while_it_is_halved_stores_dead_letters_and_gaps_once(running, after):
    events = started(*"abcdef")
    events[1].clock = events[4].clock = 2**70
    now = datetime.now(UTC)
    running.writer._store = Interrupted(running.writer._store, after)

    running.write(Batch(events, [], [DeadLetterEntry(now, "no JSON", 1, "ab")], [GapEntry(now, now, "full")]))

    assert running.failed
    assert running.tasks() == set("acdf")
    letters = DeadLetter.objects.using(running.alias)
    assert sorted(letters.values_list("routing_key", flat=True)) == ["", "task-started", "task-started"]
    assert Gap.objects.using(running.alias).count() == 1
    assert [job.refused for job in running.committed] == [2]


class Faulty:
    """A store that fails for a reason of Python's own, as a programming error makes it, until it is mended."""

    def __init__(self, store: Store, writes: Callable[[Batch], bool] = lambda batch: False) -> None:
        self._store = store
        self._writes = writes
        self.is_mended = False
        self.prepare = store.prepare

    def write(self, batch: Batch) -> Written:
        if not self.is_mended and not self._writes(batch):
            raise TypeError("can't subtract offset-naive and offset-aware datetimes")
        return self._store.write(batch)


def letters_only(batch: Batch) -> bool:
    return not batch.tasks and not batch.workers


def a_few_at_a_time(running: Running, number: int) -> None:
    """A batch of one event each."""
    for n in range(number):
        running.write(Batch(started(f"few-{n}")))


@on("default")
@pytest.mark.parametrize("writes", [lambda batch: False, letters_only], ids=["not even letters", "letters"])
def test_a_fault_of_our_own_that_fails_every_event_makes_no_dead_letters(running, caplog, writes):
    store = running.writer._store = Faulty(running.writer._store, writes)

    running.submit(Batch(started(*"abcdefghijkl")))
    assert eventually(lambda: len(running.failed) >= 2)
    assert running.writer.is_alive()
    assert "offset-naive" in str(running.failed[0])
    assert "Traceback" in caplog.text, "it is for whoever mends the program"
    assert not running.committed
    store.is_mended = True

    assert running.writer.wait(SECONDS)
    assert running.tasks() == set("abcdefghijkl")
    assert not DeadLetter.objects.exists()


@on("default")
def test_a_fault_that_is_no_event_s_loses_neither_dead_letters_nor_gaps(running):
    """The batch as a whole is refused, each of its events is taken."""
    now = datetime.now(UTC)
    running.writer._store = Faulty(running.writer._store, lambda batch: len(batch) <= 2)

    running.write(
        Batch(started(*"ab"), [], [DeadLetterEntry(now, "no JSON", 1, "ab")], [GapEntry(now, now, "full")])
    )

    assert running.tasks() == {"a", "b"}
    assert (DeadLetter.objects.count(), Gap.objects.count()) == (1, 1)


@on("default")
def test_a_fault_of_our_own_that_fails_events_that_come_one_by_one_stops_making_dead_letters(running):
    store = running.writer._store = Faulty(running.writer._store, letters_only)

    a_few_at_a_time(running, FEW)
    running.submit(Batch(started("one too many")))
    assert eventually(lambda: len(running.failed) >= 2)
    store.is_mended = True

    assert running.writer.wait(SECONDS)
    assert running.tasks() == {"one too many"}
    assert DeadLetter.objects.count() == FEW


@on("default")
def test_events_that_fail_between_others_that_are_stored_are_dead_letters_however_many(running):
    running.writer._store = Faulty(
        running.writer._store, lambda batch: not any(e.subject.startswith("few-") for e in batch.tasks)
    )

    for half in "ab":
        a_few_at_a_time(running, FEW)
        running.write(Batch(started(half)))

    assert running.tasks() == {"a", "b"}
    assert [job.refused for job in running.committed].count(1) == 2 * FEW
    assert not running.failed


@on("postgresql")
def test_a_value_that_no_index_takes_holds_nothing_up(running):
    events = started("a", "b", "c")
    events += decoded([event("sent", BEGIN, task_id="b", name="n")])
    # As a decoder without limits would let it through; of the kind that compression does not shorten.
    events[-1].values["name"] = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(9_000))

    running.write(Batch(events))

    assert running.tasks() == {"a", "b", "c"}
    assert "index row" in DeadLetter.objects.using("postgresql").get().reason


@on("default", "postgresql")
def test_a_batch_of_nothing_is_committed_so_that_what_was_dropped_is_acknowledged(running):
    running.write(Batch())

    assert len(running.committed) == 1


@on("postgresql")
def test_a_connection_that_the_server_ends_is_made_anew(running):
    running.write(Batch(started("a")))
    with connections["postgresql"].cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    running.write(Batch(started("b")))

    assert running.tasks() == {"a", "b"}
    assert len(running.committed) == 2
    assert running.failed


@on("postgresql")
def test_a_batch_that_the_database_has_no_place_for_now_is_tried_until_it_has(running):
    """Somebody has renamed the table away; no event may become a dead letter for that."""
    with connections["postgresql"].cursor() as cursor:
        cursor.execute("ALTER TABLE monitoring_task RENAME TO away")
        try:
            running.submit(Batch(started("a")))
            assert eventually(lambda: len(running.failed) >= 2)
            assert not running.committed
        finally:
            cursor.execute("ALTER TABLE away RENAME TO monitoring_task")

    assert running.writer.wait(SECONDS)
    assert running.tasks() == {"a"}
    assert not DeadLetter.objects.using("postgresql").exists()


@on("postgresql")
@pytest.mark.parametrize(
    ("take_away", "give_back"),
    [
        (
            "ALTER TABLE monitoring_taskevent DETACH PARTITION monitoring_taskevent_default",
            "ALTER TABLE monitoring_taskevent ATTACH PARTITION monitoring_taskevent_default DEFAULT",
        ),
        # As after a copy of the database that left its sequences behind.
        (
            """INSERT INTO monitoring_eventdelta
                 (id, type, name, worker, queue, exception_type, count, runtime_sum, wait_sum, created_at)
               SELECT id, 'task-started', '', '', '', '', 1, 0, 0, now() FROM generate_series(1, 1000) AS id;
               SELECT setval('monitoring_eventdelta_id_seq', 1, false)""",
            "DELETE FROM monitoring_eventdelta",
        ),
    ],
    ids=["no partition", "ids that are taken"],
)
def test_what_is_wrong_with_the_database_makes_no_dead_letters(running, take_away, give_back):
    # Of long ago, so that they have no partition of their own.
    events = decoded([event("started", 10**9 * SECOND, task_id=task_id) for task_id in "ab"])
    with connections["postgresql"].cursor() as cursor:
        cursor.execute(take_away)
        try:
            running.submit(Batch(events))
            assert eventually(lambda: len(running.failed) >= 2)
            assert not running.committed
        finally:
            cursor.execute(give_back)

    assert running.writer.wait(SECONDS)
    assert running.tasks() == {"a", "b"}
    assert not DeadLetter.objects.using("postgresql").exists()


@on("postgresql")
def test_a_partition_of_no_day_makes_no_dead_letters(running):
    """Somebody keeps a year that is long over in one partition."""
    with connections["postgresql"].cursor() as cursor:
        cursor.execute(
            "CREATE TABLE monitoring_taskevent_2001 PARTITION OF monitoring_taskevent"
            " FOR VALUES FROM ('2001-01-01') TO ('2002-01-01')"
        )
        try:
            today = int(time.time()) * SECOND
            running.write(Batch(decoded([event("started", today, task_id="a")])))
        finally:
            cursor.execute("DROP TABLE monitoring_taskevent_2001")

    assert running.tasks() == {"a"}
    assert not DeadLetter.objects.using("postgresql").exists()


@on("postgresql")
def test_a_writer_that_is_stopped_leaves_what_cannot_be_written_unacknowledged(running):
    with connections["postgresql"].cursor() as cursor:
        cursor.execute("ALTER TABLE monitoring_task RENAME TO away")
        try:
            running.submit(Batch(started("a")))
            assert eventually(lambda: bool(running.failed))
            stopper = threading.Thread(target=running.writer.stop)
            stopper.start()
            stopper.join(SECONDS)
            assert not stopper.is_alive()
        finally:
            cursor.execute("ALTER TABLE away RENAME TO monitoring_task")

    assert not running.writer.is_alive()
    assert not running.committed


def eventually(condition) -> bool:
    """Whether it comes true within a minute."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False
