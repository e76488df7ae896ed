"""The four forms of the status strip, and what a limited user sees of it."""

from datetime import timedelta

import pytest
from django.db import connections
from django.template.loader import render_to_string
from django.utils import timezone

from monitoring.models import Consumer, FeedEntry
from monitoring.queries.status import GAP_SHOWN, Form, Silence, status
from monitoring.queries.visibility import Visibility
from tests.factories import make_gap, make_task, make_worker

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("still")]

EVERYTHING = Visibility.everything()


def consumer(name="one", **fields):
    now = timezone.now()
    defaults = {
        "hostname": "monitor-1",
        "pid": 1,
        "connected": True,
        "started_at": now,
        "reported_at": now,
        "last_event_at": now,
        "lag": 0.3,
    }
    return Consumer.objects.create(consumer_id=name, **{**defaults, **fields})


def entry(seconds_ago=1.0, **fields):
    return FeedEntry.objects.create(at=timezone.now() - timedelta(seconds=seconds_ago), **fields)


def words(found):
    return " ".join(render_to_string("admin/monitoring/parts/status_strip.html", {"status": found}).split())


def test_receiving_says_how_much_and_how_late():
    consumer()
    entry(events=3_100)
    make_worker("celery@a")
    make_worker("celery@b", online=False)
    make_task(state="PENDING", queue="mail")
    make_task(state="PENDING", queue="media")
    found = status(EVERYTHING)

    assert found.form is Form.RECEIVING
    assert (found.rate, found.workers_online, found.workers_known) == (310, 1, 2)
    assert (found.waiting.number, found.waiting.queues) == (2, 2)
    text = words(found)
    assert "310 events/s" in text
    assert "lag 300 ms" in text
    assert "1 of 2" in text
    assert "waiting in 2 queues" in text


def test_nothing_ever_came_because_no_consumer_runs():
    found = status(EVERYTHING)
    assert (found.form, found.silence, found.last_event_at) == (Form.SILENT, Silence.NOT_RUNNING, None)
    assert "Nothing received yet" in words(found)
    assert "the event consumer is not running" in words(found)


def test_a_consumer_that_was_killed_or_has_stopped_is_not_running():
    past = timezone.now() - timedelta(minutes=2)
    consumer("killed", reported_at=past, last_event_at=past)
    consumer("stopped", stopped_at=timezone.now(), last_event_at=past)
    found = status(EVERYTHING)
    assert (found.form, found.silence) == (Form.SILENT, Silence.NOT_RUNNING)
    assert "2 min" in words(found)


def test_a_consumer_that_its_broker_does_not_let_in_says_why():
    consumer(connected=False, last_error="AccessRefused: (403) <b>")
    found = status(EVERYTHING)
    assert (found.form, found.silence) == (Form.SILENT, Silence.NOT_CONNECTED)
    assert "AccessRefused: (403) &lt;b&gt;" in words(found)


def test_silence_begins_after_the_missed_heartbeats_that_make_a_worker_offline(settings):
    """Three of the longest interval that a worker has said; workers may beat seldom."""
    consumer(last_event_at=timezone.now() - timedelta(seconds=40))
    assert status(EVERYTHING).silence is Silence.NO_EVENTS
    make_worker(frequency=60.0)
    assert status(EVERYTHING).form is Form.RECEIVING


def test_a_backlog_is_behind_and_not_silent_however_old_its_events_are():
    old = timezone.now() - timedelta(hours=1)
    consumer(last_event_at=old, lag=3_600.0, queue_length=14_900)
    entry(events=500)
    found = status(EVERYTHING)
    assert found.form is Form.BEHIND
    assert "Behind by 1 h 00 min" in words(found)
    assert "14,900 messages waiting" in words(found)


def test_a_gap_is_news_for_an_hour():
    consumer()
    entry(events=10)
    gap = make_gap(started_at=timezone.now() - 2 * GAP_SHOWN, ended_at=timezone.now() - GAP_SHOWN / 2)
    found = status(EVERYTHING)
    assert (found.form, found.gap) == (Form.GAP, gap)
    assert "nothing was recorded from" in words(found)
    gap.ended_at = timezone.now() - GAP_SHOWN * 1.1
    gap.save()
    assert status(EVERYTHING).form is Form.RECEIVING


def test_a_limited_user_learns_nothing_of_others():
    consumer(queue_length=5)
    entry(events=3_100)
    make_gap(ended_at=timezone.now())
    make_task(state="PENDING", name="mail.send")
    make_task(state="PENDING", name="shop.pay")
    found = status(Visibility(names=("shop.*",)))
    assert found.form is Form.RECEIVING
    assert (found.events_per_second, found.messages, found.gap) == (None, None, None)
    assert found.waiting.number == 1


def test_the_environment_is_shown(settings):
    settings.MONITORING = {**settings.MONITORING, "ENVIRONMENT": "production <1>"}
    assert "production &lt;1&gt;" in words(status(EVERYTHING))


@pytest.mark.usefixtures("watched")
def test_all_of_it_is_read_in_one_statement_on_either_database(using, django_assert_num_queries):
    with django_assert_num_queries(1, connection=connections[using]):
        empty = status(EVERYTHING)
    assert (empty.cursor, empty.workers_known, empty.waiting.number, empty.gap) == (0, 0, 0, None)
    consumer("one")
    consumer("two", lag=0.5)
    entry(events=100)
    newest = entry(events=200)
    make_worker("celery@a")
    make_task(using=using, state="PENDING", queue="mail")
    gap = make_gap(ended_at=timezone.now())
    with django_assert_num_queries(1, connection=connections[using]):
        found = status(EVERYTHING)
    assert (found.form, found.gap, found.gap.ended_at) == (Form.GAP, gap, gap.ended_at)
    assert (found.cursor, found.rate, found.lag) == (newest.pk, 30, 0.5)
    assert status(Visibility(names=())).waiting.number == 0
