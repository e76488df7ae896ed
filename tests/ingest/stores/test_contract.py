"""What every store must do: after any writes the database is the fold of all events, in whatever order they came."""

import json
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connections, models, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.ingest.decoding import Decoder
from monitoring.ingest.events import Event
from monitoring.ingest.redaction import Redactor
from monitoring.ingest.stores import store_for
from monitoring.ingest.stores.columns import TASK_COLUMNS, WORKER_COLUMNS, TableColumns, to_datetime
from monitoring.ingest.stores.contract import Batch, DeadLetterEntry, GapEntry, Store
from monitoring.ingest.stores.portable import PortableStore
from monitoring.ingest.stores.postgresql import PostgresStore
from monitoring.ingest.worker_samples import Sample
from monitoring.models import (
    DeadLetter,
    EventDelta,
    Gap,
    Task,
    TaskEvent,
    Worker,
    WorkerEvent,
    WorkerSample,
)
from tests.ingest.event_streams import BEGIN, SECOND, any_events, arrivals, decoded, event, histories
from tests.ingest.worker_streams import (
    any_worker_events,
    comings_and_goings,
    decoded_worker_events,
    samples_of,
    with_delays,
    worker_event,
)
from tests.stores import EACH_STORE

TASKS = tuple("tuvw")
WRITTEN: tuple[type[models.Model], ...] = (
    Task,
    TaskEvent,
    Worker,
    WorkerEvent,
    WorkerSample,
    DeadLetter,
    Gap,
    EventDelta,
)


@dataclass
class Database:
    """A store and what is in its database."""

    alias: str
    make_store: Callable[[str], Store]

    def __post_init__(self) -> None:
        self.store = self.make_store(self.alias)

    def clear(self) -> None:
        with connections[self.alias].cursor() as cursor:
            for model in WRITTEN:
                cursor.execute(f"DELETE FROM {model._meta.db_table}")

    def rows(self, table: TableColumns) -> list[tuple[Any, ...]]:
        """Every row with every column that the merge writes, in order of the key."""
        manager = table.model._default_manager.using(self.alias)
        return list(manager.order_by(table.columns[0]).values_list(*table.columns))

    def log(self) -> list[tuple[Any, ...]]:
        columns = ("task_id", "timestamp", "type", "tie", "worker", "clock", "payload")
        found = TaskEvent.objects.using(self.alias).values_list(*columns)
        return sorted(((*rest, plain(payload)) for *rest, payload in found), key=repr)

    def samples(self) -> list[tuple[Any, ...]]:
        """Every column of every sample, in order of the key."""
        columns = [field.name for field in fields(Sample)]
        found = WorkerSample.objects.using(self.alias).order_by("hostname", "minute")
        return list(found.values_list(*columns, "events"))

    def comings_and_goings(self) -> list[tuple[Any, ...]]:
        found = WorkerEvent.objects.using(self.alias).order_by("pk")
        return list(found.values_list("hostname", "timestamp", "type", "tie", "pid", "processed"))

    def write(self, tasks: list[Event], workers: list[Event] | None = None, *, prepared: bool = False) -> int:
        """Write one batch; how many events were new."""
        batch = Batch(tasks, workers or [])
        if prepared:
            self.store.prepare(batch)
        return self.store.write(batch).new_events


@pytest.fixture(params=EACH_STORE)
def database(request: pytest.FixtureRequest, transactional_db: None) -> Database:
    return Database(*request.param)


def folded(table: TableColumns, events: list[Event]) -> list[tuple[Any, ...]]:
    """The rows that the fold makes of `events`, as the database should have them."""
    rows = table.fold.fold(events)
    return [tuple(table.values(rows[subject])) for subject in sorted(rows)]


def plain(value: Any) -> Any:
    """JSON as it reads whichever database it comes from: jsonb writes 1e308 as an integer and -0.0 without its sign."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return float(value) + 0.0 if type(value) in (int, float) else value


def logged(events: list[Event]) -> list[tuple[Any, ...]]:
    found = {
        (e.subject, to_datetime(e.ts), e.type, e.tie): (e.worker, e.clock, plain(json.loads(e.payload)))
        for e in events
    }
    return sorted(((*key, *rest) for key, rest in found.items()), key=repr)


# Each example is a handful of transactions; the fixture empties the tables between two.
a_few = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
real_events = histories(TASKS).map(lambda stories: decoded([e for story in stories for e in story.events]))
event_sets = st.one_of(any_events(TASKS, max_size=24).map(decoded), real_events)


@a_few
@given(data=st.data(), events=event_sets)
def test_rows_are_the_fold_of_all_events_for_any_order_duplication_and_batching(database, data, events):
    database.clear()
    batches = data.draw(arrivals(events))

    new = sum(database.write(batch, prepared=data.draw(st.booleans())) for batch in batches)

    assert database.rows(TASK_COLUMNS) == folded(TASK_COLUMNS, events)
    assert database.log() == logged(events)
    assert new == len(logged(events))


@a_few
@given(data=st.data(), raw=any_worker_events)
def test_workers_are_the_fold_of_all_their_events(database, data, raw):
    database.clear()
    events = decoded_worker_events(raw)

    for batch in data.draw(arrivals(events)):
        database.write([], batch)

    assert database.rows(WORKER_COLUMNS) == folded(WORKER_COLUMNS, events)


@a_few
@given(data=st.data(), raw=any_worker_events)
def test_samples_are_the_same_for_any_order_duplication_and_batching_of_heartbeats(database, data, raw):
    database.clear()
    events = data.draw(with_delays(decoded_worker_events(raw)))

    for batch in data.draw(arrivals(events)):
        database.write([], batch)

    assert database.samples() == samples_of(events)
    assert database.comings_and_goings() == comings_and_goings(events)


@a_few
@given(data=st.data(), events=event_sets)
def test_each_event_is_counted_once_however_often_it_comes(database, data, events):
    database.clear()

    for batch in data.draw(arrivals(events)):
        database.write(batch)

    kinds = EventDelta.objects.using(database.alias).values_list("type").annotate(Sum("count"))
    distinct = {(e.subject, e.ts, e.type, e.tie) for e in events}
    assert dict(kinds) == {kind: sum(d[2] == kind for d in distinct) for kind in {e.type for e in events}}


def test_a_batch_delivered_again_changes_nothing(database):
    events = decoded(
        [event("sent", BEGIN, name="n"), event("started", BEGIN + 1), event("succeeded", BEGIN + 2)]
    )
    beats = decoded_worker_events(
        [worker_event("heartbeat", BEGIN, active=1, processed=2, loadavg=[0.1, 0.2, 0.3])]
    )

    assert database.write(events, beats) == 3
    before = database.rows(TASK_COLUMNS), database.log(), database.rows(WORKER_COLUMNS)

    assert database.write(events + events, beats + beats) == 0
    assert (database.rows(TASK_COLUMNS), database.log(), database.rows(WORKER_COLUMNS)) == before


def test_what_is_known_of_a_worker_by_inspection_survives_its_heartbeats(database):
    beats = [decoded_worker_events([worker_event("heartbeat", BEGIN + n * SECOND)]) for n in range(2)]
    database.write([], beats[0])
    Worker.objects.using(database.alias).update(pool="prefork", concurrency=4, queues=["celery"])

    database.write([], beats[1])

    worker = Worker.objects.using(database.alias).get()
    assert (worker.pool, worker.concurrency, worker.queues) == ("prefork", 4, ["celery"])
    assert worker.last_heartbeat == to_datetime(BEGIN + SECOND)


def test_dead_letters_and_gaps_are_written_with_their_batch(database):
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    letter = DeadLetterEntry(
        now, "no event type", 5, "ab" * 32, "application/json", "task.x", {"hostname": "h␀"}
    )

    database.store.write(Batch(dead_letters=[letter], gaps=[GapEntry(now, now, "the queue was full")]))

    (found,) = DeadLetter.objects.using(database.alias).values()
    assert found.pop("id")
    assert found == {
        "received_at": now,
        "reason": "no event type",
        "size": 5,
        "digest": "ab" * 32,
        "content_type": "application/json",
        "routing_key": "task.x",
        "headers": {"hostname": "h␀"},
    }
    assert Gap.objects.using(database.alias).get().reason == "the queue was full"


def letters(database: Database) -> list[str]:
    return list(DeadLetter.objects.using(database.alias).order_by("pk").values_list("digest", flat=True))


def test_a_batch_written_again_stores_its_dead_letters_and_gaps_once(database):
    """As after a connection that broke while the answer to the commit was on its way."""
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    # The same body twice, which is two messages, and another one at the same moment.
    moments = [(now, "ab"), (now + timedelta(microseconds=1), "ab"), (now, "cd")]
    batch = Batch(
        decoded([event("started", BEGIN)]),
        dead_letters=[DeadLetterEntry(moment, "why", 1, digest) for moment, digest in moments],
        gaps=[GapEntry(now, now + timedelta(seconds=n), "the queue was full") for n in range(2)],
    )
    for _ in range(2):
        database.store.write(batch)

    assert letters(database) == ["ab", "ab", "cd"]
    assert Gap.objects.using(database.alias).count() == 2


def test_a_message_delivered_again_is_one_dead_letter(database):
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def letter(seconds: int, digest: str, *, again: bool) -> DeadLetterEntry:
        return DeadLetterEntry(now + timedelta(seconds=seconds), "why", 1, digest, has_come_before=again)

    database.store.write(Batch(dead_letters=[letter(0, "stored by the one before", again=False)]))
    both = [letter(1, "read twice", again=False), letter(2, "read twice", again=True)]
    others = [letter(3, "stored by the one before", again=True), letter(4, "lost by it", again=True)]
    database.store.write(Batch(dead_letters=[*both, *others]))

    assert letters(database) == ["stored by the one before", "read twice", "lost by it"]


def test_a_message_in_the_hands_of_two_consumers_is_one_dead_letter(database):
    """As after a connection that broke with its batch on the way to the database."""
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    gap = GapEntry(now, now + timedelta(seconds=1), "the queue was full")
    began = threading.Event()

    def write_again() -> None:
        letter = DeadLetterEntry(now + timedelta(seconds=1), "why", 1, "ab", has_come_before=True)
        try:
            began.set()
            database.make_store(database.alias).write(Batch(dead_letters=[letter], gaps=[gap]))
        finally:
            connections.close_all()

    other = threading.Thread(target=write_again)
    with transaction.atomic(using=database.alias):
        database.store.write(Batch(dead_letters=[DeadLetterEntry(now, "why", 1, "ab")], gaps=[gap]))
        other.start()
        assert began.wait(30)
        other.join(0.5)  # long enough for it to write, if nothing holds it up
    other.join()

    assert letters(database) == ["ab"]
    assert Gap.objects.using(database.alias).count() == 1


def test_all_of_a_batch_is_written_or_nothing(database):
    """And the store goes on after a refusal."""
    good, refused = decoded(
        [event("started", BEGIN, task_id="good"), event("started", BEGIN, task_id="refused")]
    )
    refused.clock = 2**70
    beats = decoded_worker_events([worker_event("heartbeat", BEGIN)])
    letter = DeadLetterEntry(datetime.now(UTC), "why", 1, "ab")

    with pytest.raises((DatabaseError, OverflowError)):
        database.store.write(Batch([good, refused], beats, [letter]))

    assert [model._default_manager.using(database.alias).count() for model in WRITTEN] == [0] * len(WRITTEN)
    assert database.write([good], beats) == 1
    assert [row[0] for row in database.rows(TASK_COLUMNS)] == ["good"]


def test_a_lost_connection_is_followed_by_a_new_one(database):
    """Whatever a store keeps for its connection, it makes anew."""
    events = decoded([event("started", BEGIN, task_id=name) for name in "ab"])
    database.write(events[:1])

    connections[database.alias].close()

    assert database.write(events[1:]) == 1


# --- Several consumers at once ---

WRITERS = 4


def many_tasks(count: int, seed: int) -> list[Event]:
    """Real-looking events of `count` tasks, some of them going round again."""
    chance = random.Random(seed)
    events = []
    for number in range(count):
        task_id, now = f"task-{number}", BEGIN + number * 1_000
        for attempt in range(chance.randint(1, 3)):
            for kind in ("sent", "received", "started", chance.choice(["succeeded", "failed", "retried"])):
                now += chance.randint(1, 10 * SECOND)
                host = chance.choice(["celery@a", "celery@b"])
                events.append(event(kind, now, host, task_id, name="n", retries=attempt, exception="E('x')"))
    return decoded(events)


def test_consumers_that_write_at_once_lose_nothing_and_never_deadlock(database):
    """Each writes its share in small batches, and half of everybody else's once more; all of the same few tasks."""
    events = many_tasks(60, seed=7)
    beats = decoded_worker_events(
        [worker_event("heartbeat", BEGIN + n, f"celery@{n % 5}") for n in range(100)]
    )
    faults: list[BaseException] = []
    new: list[int] = []
    together = threading.Barrier(WRITERS)

    def consume(number: int) -> None:
        chance = random.Random(number)
        mine = [*events[number::WRITERS], *chance.sample(events, len(events) // 2)]
        chance.shuffle(mine)
        store = database.make_store(database.alias)
        try:
            together.wait(60)
            for start in range(0, len(mine), 23):
                workers = chance.sample(beats, 10) + beats[number::WRITERS]
                new.append(store.write(Batch(mine[start : start + 23], workers)).new_events)
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=consume, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(200)

    assert not faults
    assert not any(thread.is_alive() for thread in threads)
    assert database.rows(TASK_COLUMNS) == folded(TASK_COLUMNS, events)
    assert database.rows(WORKER_COLUMNS) == folded(WORKER_COLUMNS, beats)
    assert database.samples() == samples_of(beats)
    assert database.log() == logged(events)
    assert sum(new) == len(events)


# --- What tasks can put into their events ---

HOSTILE: dict[str, dict[str, Any]] = {
    "NUL and surrogates everywhere": {
        "result": "a\0b\ud800",
        "exception": "\0",
        "traceback": "\udfff",
        "worker\0": "\ud800",
        "nested": {"\0": ["\ud800"]},
    },
    "ten megabytes": {"result": "x" * 10_485_760, "args": "y" * 2_000_000, "list": ["z" * 100_000] * 20},
    "huge integers": {"clock": 10**40, "runtime": 10**400, "retries": 10**20, "n": 10**400, "m": -(2**63)},
    "numbers that are none": {"runtime": float("nan"), "current": float("inf"), "total": -float("inf"), "x": 1e999},
    "numbers at the edge": {"runtime": 5e-324, "a": 1.7976931348623157e308, "b": 5e-324, "c": -0.0, "d": 2**63 - 1},
    "deep nesting": {"x": json.loads("[" * 300 + "]" * 300), "y": json.loads('{"a":' * 300 + "1" + "}" * 300)},
    "the year 9999": {"eta": "9999-12-31T23:59:59.999999", "expires": "9999-12-31T23:59:59.999999-12:00"},
    "the year 1": {"eta": "0001-01-01T00:00:00", "expires": "0001-01-01T00:00:00+14:00"},
    "texts of COPY and SQL": {
        "name": "\\N",
        "args": "a\tb\nc\rd\\.\n\\N",
        "kwargs": "'); DROP TABLE monitoring_task; --",
        "result": "%s %(x)s \\x00 \\",
        "exception": "\x01\x7f\x85\u2028 e\u0301",
    },
    "names longer than an index takes": dict.fromkeys(
        ("name", "queue", "root_id", "parent_id", "routing_key", "exchange", "exception"),
        "".join(map(chr, range(0x4E00, 0x4E00 + 5_000))),
    ),
    "wrong types": {
        name: {"a": [1, None, True]}
        for name in ("name", "args", "eta", "result", "exception", "traceback", "signum", "terminated", "message",
                     "current", "progress", "exception_type", "worker")
    },
}  # fmt: skip
KINDS = (
    "sent",
    "received",
    "started",
    "succeeded",
    "failed",
    "retried",
    "revoked",
    "rejected",
    "progress",
    "own-kind",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_task_puts_into_its_events_is_stored(database, name):
    decoder = Decoder(Redactor(), 65_536)
    raw = [event(kind, BEGIN + n, **HOSTILE[name]) for n, kind in enumerate(KINDS)]
    result = decoder.decode(json.dumps(raw), "application/json")
    assert not result.undecodable

    assert database.write(result.tasks[::2]) + database.write(result.tasks[1::2]) == len(KINDS)
    assert database.write(result.tasks) == 0

    assert database.rows(TASK_COLUMNS) == folded(TASK_COLUMNS, result.tasks)
    assert database.log() == logged(result.tasks)


@pytest.mark.parametrize(
    "task_id",
    ["a/b/../c", "x" * 255, "\U0001f40d" * 255, "naïve ✓ 漢字", " ", "\\N", "\\.", "a\tb\n", "'; --", "%s"],
)
def test_any_id_finds_its_task_again(database, task_id):
    events = decoded([event("sent", BEGIN, task_id=task_id), event("started", BEGIN + 1, task_id=task_id)])
    for one in events:
        database.write([one])

    assert Task.objects.using(database.alias).get(pk=task_id).state == "STARTED"
    assert TaskEvent.objects.using(database.alias).filter(task_id=task_id).count() == 2


def test_events_are_counted_by_what_all_batches_say_of_their_task(database):
    """One task is new, one is changed, and one is left as it is by an event that came late."""
    known = [
        event(kind, BEGIN + n * SECOND, task_id=task_id, **fields)
        for task_id in ("changed", "same")
        for n, (kind, fields) in enumerate(
            [
                ("sent", {"name": f"shop.{task_id}", "queue": f"to_{task_id}"}),
                ("started", {}),
                ("retried", {}),
            ]
        )
    ]
    database.write(decoded(known))
    EventDelta.objects.using(database.alias).all().delete()

    database.write(
        decoded(
            [
                event("sent", BEGIN, task_id="new", name="shop.new", queue="to_new"),
                event("started", BEGIN + SECOND, task_id="new"),
                event("started", BEGIN + 3 * SECOND, task_id="changed"),
                event("retried", BEGIN + SECOND + 1, task_id="same"),
            ]
        )
    )

    counted = EventDelta.objects.using(database.alias).order_by("type", "name")
    assert list(counted.values_list("type", "name", "queue", "task_id", "count", "wait_sum")) == [
        ("task-retried", "shop.same", "to_same", None, 1, 0),
        ("task-sent", "shop.new", "to_new", None, 1, 0),
        ("task-started", "shop.changed", "to_changed", None, 1, 3),
        ("task-started", "shop.new", "to_new", None, 1, 1),
    ]


def test_the_longest_of_all_names_can_be_counted(database):
    """The counts of events have an index over type, name, worker, queue and kind of exception."""
    long = "".join(map(chr, range(0x4E00, 0x4E00 + 255)))
    raw = [
        event("sent", BEGIN, long, name=long * 3, queue=long * 3),
        event("failed", BEGIN + 1, long, exception=f"{long * 9}('x')"),
        event(long[:250], BEGIN + 2, long),
    ]

    database.write(decoded(raw))

    assert all(len(d.exception_type) < 300 for d in EventDelta.objects.using(database.alias))


@pytest.mark.parametrize(("alias", "kind"), [("default", PortableStore), ("postgresql", PostgresStore)])
def test_the_fastest_store_of_each_database_is_chosen(alias, kind):
    if alias in connections:
        assert type(store_for(alias)) is kind
