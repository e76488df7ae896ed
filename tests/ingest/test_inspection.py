"""Workers are asked once for each start, however many names are heard of."""

from __future__ import annotations

import celery
import pytest

from monitoring.ingest import inspection
from monitoring.ingest.inspection import TRIES, WorkerInspector
from tests.ingest.event_streams import BEGIN, SECOND
from tests.ingest.worker_streams import decoded_worker_events, worker_event


@pytest.fixture
def inspector() -> WorkerInspector:
    """Not started: what it would ask waits."""
    return WorkerInspector(celery.Celery(set_as_current=False), "default", 1.0)


def hear(inspector: WorkerInspector, kind: str, *hosts: str, pid: int = 1) -> list[str]:
    """Who is to be asked after each of these has said something."""
    raw = [worker_event(kind, BEGIN + number * SECOND, host, pid=pid) for number, host in enumerate(hosts)]
    inspector.notice(decoded_worker_events(raw))
    asked = []
    while not inspector._tries.empty():
        waiting = inspector._tries.get()
        assert waiting is not None
        assert waiting[1] == TRIES
        asked.append(waiting[0])
    return asked


def test_a_worker_is_asked_once_for_each_start(inspector: WorkerInspector) -> None:
    assert hear(inspector, "heartbeat", "a", "a", "b") == ["a", "b"]
    assert hear(inspector, "heartbeat", "a", "b") == []
    assert hear(inspector, "heartbeat", "a", pid=2) == ["a"]
    assert hear(inspector, "online", "a", pid=2) == ["a"]
    hear(inspector, "offline", "a")
    assert hear(inspector, "heartbeat", "a", pid=2) == ["a"]


def test_names_without_end_are_forgotten_in_their_order(
    inspector: WorkerInspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "MOST", 3)
    for number in range(100):
        hear(inspector, "heartbeat", f"gone-{number}")
        assert len(inspector._asked) <= 3
    assert hear(inspector, "heartbeat", "gone-98", "gone-99") == []
    assert hear(inspector, "heartbeat", "gone-1") == ["gone-1"]


def test_more_questions_than_can_be_asked_wait_for_the_next_heartbeat(
    inspector: WorkerInspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "MOST", 3)
    names = [f"w{number}" for number in range(5)]
    assert hear(inspector, "heartbeat", *names) == names[:3]
    assert hear(inspector, "heartbeat", *names) == names[3:]
    # One that was started again is still to be asked.
    assert hear(inspector, "online", *names) == names[:3]
    assert hear(inspector, "heartbeat", "w4") == ["w4"]
