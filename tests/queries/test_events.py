"""The event log of one task."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitoring.queries.events import events_of
from tests.factories import make_event, make_task


@pytest.mark.usefixtures("watched")
def test_events_come_oldest_first_and_the_newest_are_kept_where_there_are_too_many(using: str) -> None:
    task = make_task(using=using)
    other = make_task(using=using)
    for second in (5, 1, 3):
        make_event(task, f"task-{second}", second, using=using)
    make_event(other, "task-other", 2, using=using)
    task.updated_at = task.first_seen + timedelta(seconds=5)
    log = events_of(task)
    assert [event.type for event in log.events] == ["task-1", "task-3", "task-5"]
    assert not log.cut
    log = events_of(task, limit=2)
    assert [event.type for event in log.events] == ["task-3", "task-5"]
    assert log.cut
