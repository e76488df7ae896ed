"""The feed: ids in the order of commits, coalesced, and never in the consumer's way."""

import threading
import time

import pytest
from django.db import OperationalError, connections, transaction

from monitoring.ingest.events import Event
from monitoring.ingest.stores.contract import Batch
from monitoring.live.changes import Changes
from monitoring.live.feed import ADVISORY_LOCK, FeedWriter, append
from monitoring.models import FeedEntry
from tests.live.conftest import PATIENCE, until

WRITERS, ENTRIES = 3, 40


def batch(*task_ids: str) -> Batch:
    return Batch(
        tasks=[Event(task_id, "task-started", ("task-started",), 0, 0, "w", None, {}) for task_id in task_ids]
    )


def append_at_last(using: str, changes: Changes) -> None:
    """As a consumer does: again, where another writer has kept the lock for too long."""

    def appended() -> bool:
        try:
            append(using, changes)
        except OperationalError:
            return False
        return True

    until(appended, "the entry had to be written")


def test_who_has_read_up_to_an_id_never_misses_a_smaller_one(using):
    """Several writers; a reader that goes forward by id alone sees every entry that any of them has written."""
    errors: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            for number in range(ENTRIES):
                append_at_last(using, Changes(tasks={f"{writer}-{number}"}))
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    seen: list[str] = []
    cursor = 0

    def read() -> bool:
        nonlocal cursor
        for entry in FeedEntry.objects.using(using).filter(pk__gt=cursor).order_by("pk"):
            cursor = entry.pk
            seen.extend(entry.tasks)
        return errors or not any(thread.is_alive() for thread in threads)

    until(read, "the writers had to end")
    read()
    assert not errors
    assert sorted(seen) == sorted(
        f"{writer}-{number}" for writer in range(WRITERS) for number in range(ENTRIES)
    )


@pytest.mark.django_db(transaction=True, databases=["postgresql"])
def test_an_id_is_taken_only_by_the_one_who_holds_the_lock():
    """While another process is between its id and its commit, no later id can be seen."""
    done = threading.Event()

    def write() -> None:
        try:
            append_at_last("postgresql", Changes(events=1))
            done.set()
        finally:
            connections.close_all()

    thread = threading.Thread(target=write)
    with transaction.atomic(using="postgresql"), connections["postgresql"].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        thread.start()
        # It waits for the lock, which the server says itself.
        until(lambda: _waiters(cursor) == 1, "the second writer had to wait")
        assert not done.is_set()
    thread.join()
    assert done.is_set()


def _waiters(cursor) -> int:
    cursor.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = %s"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        [ADVISORY_LOCK],
    )
    return cursor.fetchone()[0]


@pytest.fixture
def writer(using):
    feed = FeedWriter(using)
    feed.start()
    yield feed
    feed.stop()


def entries(using):
    return list(FeedEntry.objects.using(using).order_by("pk"))


def test_a_starting_consumer_says_that_nothing_is_known_of_before(using, writer):
    until(lambda: entries(using), "the first entry had to be written")
    first = entries(using)[0]
    assert first.resync
    assert first.tasks == []


def test_commits_become_few_entries_that_together_say_everything(using, writer):
    begun = time.monotonic()
    for number in range(200):
        writer.note(batch(f"task-{number}"))
        time.sleep(0.005)
    writer.stop()
    writer.join(PATIENCE)
    assert not writer.is_alive()
    seconds = time.monotonic() - begun

    written = entries(using)
    assert len(written) <= seconds / 0.25 + 2
    assert {task_id for entry in written for task_id in entry.tasks} == {
        f"task-{number}" for number in range(200)
    }
    assert sum(entry.changes for entry in written) == 200


def test_a_database_that_holds_the_feed_up_never_holds_the_consumer_up(using, writer):
    """What is noted meanwhile is kept as counts; nothing of it is lost, but which tasks they were."""
    until(lambda: entries(using), "the first entry had to be written")
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        if connections[using].vendor == "postgresql":
            cursor.execute("LOCK TABLE monitoring_feedentry IN ACCESS EXCLUSIVE MODE")
        begun = time.monotonic()
        for number in range(1_000):
            writer.note(batch(f"task-{number}"))
        noting = time.monotonic() - begun
        time.sleep(0.5)
        held_for = time.monotonic() - begun
    assert noting < held_for
    until(lambda: sum(entry.changes for entry in entries(using)) == 1_000, "all had to be counted")
    assert any(entry.many for entry in entries(using))


def test_what_the_database_refused_is_written_when_it_is_back(using, writer):
    until(lambda: entries(using), "the first entry had to be written")
    table = FeedEntry._meta.db_table
    with connections[using].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
        try:
            writer.note(batch("a"))
            until(lambda: writer._failing, "a write had to fail")
            writer.note(batch("b"))
        finally:
            cursor.execute(f"ALTER TABLE {table}_away RENAME TO {table}")
    until(lambda: sum(entry.changes for entry in entries(using)) == 2, "both had to be counted")
    assert entries(using)[-1].many
