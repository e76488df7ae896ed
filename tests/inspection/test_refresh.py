"""A page asks for a fresh look at one worker."""

import time
from datetime import timedelta

import celery
import pytest
from django.utils import timezone

from monitoring.control import connecting
from monitoring.inspection.refresh import Refreshed, refresh
from monitoring.models import WorkerSnapshot
from monitoring.queries.visibility import Visibility
from monitoring.queries.worker_snapshots import snapshot
from tests.control.test_broadcast import mailboxes
from tests.factories import make_worker
from tests.services.consuming import SECONDS, eventually

EVERYTHING = Visibility.everything()


@pytest.fixture
def app(rabbitmq_url, monkeypatch):
    app = celery.Celery("watched", broker=rabbitmq_url, set_as_current=False)
    monkeypatch.setattr("monitoring.control.broadcast.watched_app", lambda: app)
    yield app
    app.close()


def stats():
    return snapshot(EVERYTHING, "celery@a", "stats")


def said(content, minutes_ago):
    moment = timezone.now() - timedelta(minutes=minutes_ago)
    WorkerSnapshot.objects.create(
        hostname="celery@a", kind="stats", content=content, asked_at=moment, answered_at=moment
    )
    return moment


def test_only_what_is_old_is_asked(using, watched, app):
    make_worker("celery@a")
    with mailboxes(app, "celery@a", ping={"ok": "pong"}, stats={"pid": 1}, active=[], conf={"a": 1}) as nodes:
        asked = nodes[0].asked
        assert refresh("celery@a", ["stats", "active"], older_than=60, timeout=SECONDS) is Refreshed.DONE
        assert nodes[0].asked == asked + 2
        kinds = ["stats", "active", "conf"]
        assert refresh("celery@a", kinds, older_than=60, timeout=SECONDS) is Refreshed.DONE
        assert nodes[0].asked == asked + 3
        assert refresh("celery@a", ["stats"], older_than=0, timeout=SECONDS) is Refreshed.DONE
        assert nodes[0].asked == asked + 4
    assert stats().content == {"pid": 1}


def test_silent_worker_keeps_its_last_answer_with_its_age_and_is_not_waited_for_again_at_once(
    using, watched, app
):
    make_worker("celery@a")
    moment = said({"pid": 1}, 9)
    # A broker that is busy may take longer to be connected to.
    eventually(lambda: refresh("celery@a", ["stats"], older_than=0, timeout=0.3) is Refreshed.NOT_ANSWERED)
    found = stats()
    assert (found.content, found.answered_at, found.problem) == ({"pid": 1}, moment, "did not answer in time")
    begun = time.monotonic()
    assert refresh("celery@a", ["stats"], older_than=60, timeout=600) is Refreshed.DONE
    assert time.monotonic() - begun < 600
    assert stats().problem == "did not answer in time"


def test_worker_that_refuses_is_quoted(using, watched, app):
    make_worker("celery@a")

    def refuse():
        raise LookupError("password='Xq7zw-K9-vF3p' <script>")

    with mailboxes(app, "celery@a", ping={"ok": "pong"}, stats=refuse):
        assert refresh("celery@a", ["stats"], timeout=SECONDS) is Refreshed.NOT_ANSWERED
    assert stats().problem.startswith("refused to answer: LookupError")
    assert "<script>" in stats().problem
    assert "Xq7zw" not in stats().problem


def test_broker_that_is_away_is_said_and_the_last_answer_kept(using, watched, monkeypatch):
    app = celery.Celery("watched", broker="amqp://guest:Xq7zw-K9-vF3p@127.0.0.1:1//", set_as_current=False)
    monkeypatch.setattr("monitoring.control.broadcast.watched_app", lambda: app)
    make_worker("celery@a")
    moment = said({"pid": 1}, 9)
    assert refresh("celery@a", ["stats"], timeout=1) is Refreshed.BROKER_AWAY
    found = stats()
    assert (found.content, found.answered_at) == ({"pid": 1}, moment)
    assert found.problem == "could not be asked, since the broker cannot be reached"


def test_worker_that_is_offline_is_not_waited_for(using, watched):
    make_worker("celery@a", online=False)
    for hostname in ("celery@a", "celery@nobody"):
        assert refresh(hostname, ["stats"]) is Refreshed.OFFLINE
    assert refresh("nul\0", ["stats"]) is Refreshed.DONE
    assert not WorkerSnapshot.objects.exists()


def test_when_others_are_asking_it_says_so(using, watched, app):
    make_worker("celery@a")
    taken = [connecting._slots.acquire(timeout=0) for _ in range(connecting.AT_ONCE)]
    try:
        assert refresh("celery@a", ["stats"], timeout=0.2) is Refreshed.BUSY
    finally:
        for _ in taken:
            connecting._slots.release()
    assert stats().asked_at is None, "nobody was asked"


def test_question_that_nobody_asks_is_an_error(using, watched):
    make_worker("celery@a")
    with pytest.raises(KeyError):
        refresh("celery@a", ["objgraph"])
