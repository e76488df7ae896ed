"""However often a consumer dies, every event is in the database in the end, and once."""

import random
import threading
import time

import pytest

from tests.ingest import oracle
from tests.ingest.event_streams import BEGIN, SECOND, RawEvent, decoded, event
from tests.services.consuming import Site

COUNT = "SELECT count(*) FROM monitoring_taskevent"
#: What the consumer declares; see monitoring/ingest/sources/rabbitmq.py.
QUORUM = {
    "x-queue-type": "quorum",
    "x-max-length": 1_000_000,
    "x-max-length-bytes": 1024**3,
    "x-overflow": "drop-head",
    "x-delivery-limit": 2_000_000_000,
}
CRASHES = 5

pytestmark = pytest.mark.timeout(600)


def work_of_a_day(tasks: int, seed: int) -> list[RawEvent]:
    """Events of many tasks that run side by side, in the order that they are sent in."""
    chance = random.Random(seed)
    events: list[RawEvent] = []
    for number in range(tasks):
        now = BEGIN + number * 10_000
        for attempt in range(chance.choice([1, 1, 1, 2, 3])):
            end = chance.choice(["succeeded", "succeeded", "failed", "retried", "revoked", None])
            for kind in filter(None, ("sent", "received", "started", end)):
                now += chance.randint(1_000, SECOND)
                events.append(
                    event(
                        kind,
                        now,
                        f"celery@{number % 3}",
                        f"task-{number}",
                        clock=len(events),
                        name=f"shop.task{number % 7}",
                        queue="celery",
                        retries=attempt,
                        exception="E('x')",
                    )
                )
    return sorted(events, key=lambda e: e["timestamp"])


def in_messages(events: list[RawEvent], seed: int) -> list[list[RawEvent]]:
    """As workers send them: in groups of up to 24."""
    chance = random.Random(seed)
    messages = []
    while events:
        size = chance.randint(1, 24)
        messages.append(events[:size])
        events = events[size:]
    return messages


def assert_all_there(site: Site, events: list[RawEvent]) -> None:
    """Every task in its right state, every event once, and nothing else."""
    sent = decoded(events)
    by_task: dict[str, list] = {}
    for one in sent:
        by_task.setdefault(one.subject, []).append(one)
    assert site.database.states() == {task: oracle.Task(mine).state for task, mine in by_task.items()}
    stored = [(task, kind, tie) for task, kind, tie, *_ in site.database.log()]
    assert sorted(stored) == sorted((e.subject, e.type, e.tie) for e in sent)
    counted = site.database.value("SELECT sum(count) FROM monitoring_eventdelta")
    assert counted == len(sent)


def test_a_consumer_killed_five_times_under_load_stores_every_event_once(site):
    """kill -9 at moments that nobody chose, while events keep coming; then one consumer reads the rest."""
    events = work_of_a_day(1_200, seed=1)
    messages = in_messages(events, seed=2)
    backlog = len(messages) // 2
    site.declare_queue(**QUORUM)
    site.publish(messages[:backlog])
    crashed_enough = threading.Event()

    def feed() -> None:
        for start in range(backlog, len(messages), 10):
            site.publish(messages[start : start + 10])
            crashed_enough.wait(0.1)

    feeder = threading.Thread(target=feed)
    feeder.start()
    chance = random.Random()
    try:
        for _ in range(CRASHES):
            before = site.database.value(COUNT)
            consumer = site.consumer("--batch-size", "100", "--no-upkeep")
            consumer.until(lambda before=before: site.database.value(COUNT) > before or not feeder.is_alive())
            time.sleep(chance.uniform(0, 0.4))
            consumer.kill()
    finally:
        crashed_enough.set()
        feeder.join()

    site.drain(1)

    assert_all_there(site, events)


def test_two_consumers_share_the_queue_and_count_nothing_twice(site):
    events = work_of_a_day(500, seed=3)
    site.declare_queue(**QUORUM)
    first, second = (site.consumer("--batch-size", "50", "--no-upkeep", log=f"consumer{n}") for n in (1, 2))
    for consumer in (first, second):
        consumer.until_said("Consuming from")

    site.publish(in_messages(events, seed=4))
    first.until(lambda: site.database.value(COUNT) == len(events))

    assert (first.terminate(), second.terminate()) == (0, 0)
    assert_all_there(site, events)


def test_a_consumer_that_is_asked_to_stop_under_load_ends_well_and_loses_nothing(site):
    events = work_of_a_day(800, seed=5)
    site.declare_queue(**QUORUM)
    site.publish(in_messages(events, seed=6))
    consumer = site.consumer("--batch-size", "50", "--no-upkeep")
    consumer.until(lambda: site.database.value(COUNT) > 0)

    assert consumer.terminate() == 0
    stored = site.database.value(COUNT)
    assert "Traceback" not in consumer.log

    site.drain(1)
    assert_all_there(site, events)
    assert stored > 0
