"""What a feed entry says of some commits."""

from monitoring.ingest.events import Event
from monitoring.live.changes import LATEST, MOST, Changes


def event(subject: str, kind: str = "task-started") -> Event:
    return Event(subject, kind, (kind,), 0, 0, "celery@w1", None, {})


def test_events_are_counted_and_tasks_named_once():
    changes = Changes()
    changes.add(
        [event("a", "task-sent"), event("a", "task-succeeded"), event("b", "task-failed")],
        [event("celery@w1")],
    )
    changes.add([event("b", "task-retried"), event("c", "task-revoked"), event("d", "task-rejected")], [])

    assert changes.tasks == {"a", "b", "c", "d"}
    assert changes.workers == {"celery@w1"}
    assert (changes.events, changes.changes) == (7, 6)
    assert (changes.succeeded, changes.failed, changes.retried, changes.ended) == (1, 1, 1, 2)


def test_more_tasks_than_an_entry_lists_become_many_and_are_still_counted():
    changes = Changes()
    changes.add([event(str(number)) for number in range(MOST)], [])
    assert not changes.many
    changes.add([event("one more")], [])
    changes.add([event("and another")], [])

    assert changes.many
    assert changes.tasks == set()
    assert changes.changes == MOST + 2


def test_what_could_not_be_written_is_joined_with_what_came_since():
    earlier, later = Changes(resync=True), Changes()
    earlier.add([event("a", "task-failed")], [])
    later.add([event("b", "task-failed")], [event("celery@w1")])
    earlier.forget_tasks()
    earlier.join(later)

    assert earlier.resync
    assert earlier.many
    assert earlier.tasks == set()
    assert (earlier.failed, earlier.events) == (2, 3)
    assert earlier.workers == {"celery@w1"}


def test_of_many_the_ones_that_ended_last_are_named():
    changes = Changes()
    changes.add([event(str(number)) for number in range(MOST + 1)], [])
    changes.add([event(f"ended-{number}", "task-succeeded") for number in range(LATEST + 10)], [])

    assert changes.many
    assert changes.named == {f"ended-{number}" for number in range(10, LATEST + 10)}
