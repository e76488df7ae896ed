"""The list of queues, the page of one, and what is asked before one is emptied."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import celery
import kombu
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring.admin import queue_page
from monitoring.control import purge
from monitoring.control.task_verbs import discard
from monitoring.models import AuditEntry, Broker, QueueSample
from monitoring.queries.visibility import Visibility
from monitoring.time_steps import MINUTE, start_of
from tests.factories import VIEWER_PERMISSIONS, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db

LIST = reverse("admin:monitoring_queue_changelist")
PURGE = reverse("admin:monitoring_queue_control", args=["purge"])


@pytest.fixture(autouse=True)
def _patience(settings: Any) -> None:
    """The broker of a busy machine answers late."""
    settings.MONITORING = {**settings.MONITORING, "CONTROL_TIMEOUT": 20.0}


def client_of(*permissions: str, name: str = "someone") -> Client:
    client = Client()
    client.force_login(make_user(name, *permissions))
    return client


def viewer(*more: str) -> Client:
    return client_of(*VIEWER_PERMISSIONS, *more)


def text_of(client: Client, url: str, **query: Any) -> str:
    response = client.get(url, query)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.content.decode())


def page_of(name: str) -> str:
    return reverse("admin:monitoring_queue_change", args=[name.replace("_", "_5F")])


def make_broker(**fields: Any) -> Broker:
    known = {
        "product": "Redis",
        "version": "7.0.15",
        "address": "redis://127.0.0.1:6379/0",
        "abilities": ["peek", "remove", "unacked"],
        "read_at": timezone.now(),
        "tried_at": timezone.now(),
    }
    return Broker.objects.create(pk=1, **{**known, **fields})


def only_mail(user: Any) -> Visibility:
    return Visibility(queues=("mail",))


def test_what_could_not_be_read_is_said_to_be_uncounted_and_why() -> None:
    [fact] = re.findall(r"<dt>Could not be read</dt>\s*<dd[^>]*>.*?</dd>", text_of(viewer(), LIST))
    assert "not counted here · <a" in fact
    assert reverse("admin:monitoring_deadletter_changelist") in fact
    assert (
        'title="Messages that are no events, or that the database refused, are kept as dead letters.' in fact
    )


def test_queues_in_trouble_stand_first_and_say_why() -> None:
    now = timezone.now()
    make_queue("quiet", workers=["celery@web-1"])
    make_queue("busy", ready=900, workers=["celery@web-1"])
    make_queue(
        "rising", ready=40, growth=0.5, workers=["celery@web-1"], oldest_sent_at=now - timedelta(minutes=4)
    )
    make_queue(
        "webhooks",
        ready=43,
        unconsumed_since=now - timedelta(minutes=32),
        last_worker="celery@web-2",
        last_worker_at=now - timedelta(minutes=32),
    )
    page = text_of(viewer(), LIST)
    rows = [
        page.index(f">{name}</a>", page.index("<tbody>")) for name in ("webhooks", "rising", "busy", "quiet")
    ]
    assert rows == sorted(rows)
    assert page.count("nobody consumes this") == 1
    assert "43 messages wait." in page
    assert "celery@web-2, left at" in page
    assert "grows 0.5/s" in page
    assert "4 min" in page


def test_a_queue_without_messages_or_without_certainty_is_not_called_nobodys() -> None:
    make_queue("empty", unconsumed_since=timezone.now())
    make_queue("doubtful", ready=5)
    page = text_of(viewer(), LIST)
    assert "nobody consumes this" not in page
    assert "not known" in page


def test_a_shrinking_queue_says_when_it_will_be_empty() -> None:
    make_queue("shrinking", ready=120, growth=-2.0)
    assert "clears in about 1 min" in text_of(viewer(), LIST)


def test_the_broker_is_there_with_its_alarms_and_what_went_wrong() -> None:
    make_broker(alarms=["memory is over 90 % of maxmemory"], memory_used=1024**2)
    reader = viewer()
    page = text_of(reader, LIST)
    assert "Redis 7.0.15" in page
    assert "redis://127.0.0.1:6379/0" in page
    assert "memory is over 90 % of maxmemory" in page
    Broker.objects.update(
        error="The broker cannot be reached (TimeoutError)", read_at=timezone.now() - timedelta(hours=1)
    )
    page = text_of(reader, LIST)
    assert "cannot be reached" in page
    assert "Figures are from the time of the last reading" in page


def test_before_the_first_reading_the_page_says_who_reads() -> None:
    page = text_of(viewer(), LIST)
    assert "No queue has been read yet" in page
    assert "run_event_consumer" in page


def test_a_limited_user_sees_their_queues_and_nothing_of_the_broker(settings: Any) -> None:
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.only_mail"}
    make_broker()
    make_queue("mail", ready=3, workers=["celery@hidden"])
    make_queue("secret", ready=5)
    reader = viewer()
    page = text_of(reader, LIST)
    assert ">mail</a>" in page
    for hidden in ("secret", "celery@hidden", "Redis", "celeryev"):
        assert hidden not in page
    assert reader.get(page_of("secret")).status_code == 302


def test_the_page_of_a_queue_has_its_history_its_tasks_and_its_settings() -> None:
    make_queue(
        "mail_out", ready=7, settings={"x-max-length": 500}, named_by=["worker"], workers=["celery@w1"]
    )
    minute = start_of(timezone.now() - timedelta(minutes=5), MINUTE)
    QueueSample.objects.create(
        name="mail_out", step=60, start=minute, readings=6, ready_sum=60, ready_most=20
    )
    make_task("waiting", queue="mail_out", state="PENDING", name="shop.mail")
    make_task("done", queue="mail_out", name="shop.mail")
    page = text_of(viewer("view_worker"), page_of("mail_out"))
    assert "mon-chart-depth" in page
    assert ">10</td>" in page
    waiting = page.partition('id="mon-queue-waiting"')[2].partition("</section>")[0]
    assert "/waiting/change/" in waiting
    assert "/done/change/" not in waiting
    assert "x-max-length" in page
    assert "celery@w1" in page


def test_arguments_of_waiting_tasks_need_view_payload() -> None:
    make_queue("mail", ready=1)
    make_task("waiting", queue="mail", state="PENDING", args="('hush',)")
    with_payload = [p for p in VIEWER_PERMISSIONS if p != "view_payload"]
    assert "hush" not in text_of(client_of(*with_payload), page_of("mail"))


def test_messages_are_looked_at_only_when_asked(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(redis_url)
    monkeypatch.setattr(queue_page, "watched_app", lambda: app)
    make_broker()
    make_queue("page-peek", ready=1)
    app.send_task("shop.<b>mail</b>", queue="page-peek", task_id="the/first")
    try:
        reader = viewer()
        assert "the/first" not in text_of(reader, page_of("page-peek"))
        page = text_of(reader, page_of("page-peek"), peek=1)
        assert "the/first" in page
        assert "<b>mail</b>" not in page
    finally:
        purge_all(app, "page-peek")


def make_app(url: str) -> celery.Celery:
    app = celery.Celery("pages", broker=url, set_as_current=False)
    app.conf.task_queues = [
        kombu.Queue(name, kombu.Exchange(name), name) for name in ("page-peek", "page-purge")
    ]
    return app


def purge_all(app: celery.Celery, name: str) -> int:
    with app.connection_for_write() as connection:
        return int(connection.default_channel._purge(name))


def test_a_purge_needs_the_name_typed_and_leaves_its_trace(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(redis_url)
    monkeypatch.setattr(purge, "watched_app", lambda: app)
    make_queue("page-purge", ready=3)
    for _ in range(3):
        app.send_task("shop.mail", queue="page-purge")
    user = client_of("view_queue", "purge_queue", "view_auditentry")
    question = text_of(user, PURGE, target="page-purge")
    assert "Purge page-purge?" in question
    assert "3 that wait" in question
    wrong = user.post(PURGE, {"target": "page-purge", "confirmed": "1", "name": "page-purg"})
    assert wrong.status_code == 200
    assert "This is not the name of the queue" in wrong.content.decode()
    done = user.post(
        PURGE, {"target": "page-purge", "confirmed": "1", "name": "page-purge", "reason": "stale"}
    )
    assert done.status_code == 302
    assert purge_all(app, "page-purge") == 0
    entry = AuditEntry.objects.get(verb="purge", ending="done")
    assert entry.targets == ["page-purge"]
    assert entry.reason == "stale"
    assert "3 messages were deleted" in text_of(user, done.url)


def test_one_waiting_message_is_taken_out_where_the_broker_can(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(redis_url)
    monkeypatch.setattr(discard, "watched_app", lambda: app)
    make_broker()
    make_queue("page-purge", ready=2)
    for task_id in ("kept", "unwanted"):
        app.send_task("shop.mail", queue="page-purge", task_id=task_id)
        make_task(task_id, queue="page-purge", state="PENDING")
    make_task("taken", queue="page-purge", state="STARTED")
    user = client_of(*VIEWER_PERMISSIONS, "purge_queue")
    url = reverse("admin:monitoring_queue_control", args=["discard"])
    assert f"{url}?target=unwanted" in text_of(user, page_of("page-purge"))
    assert "out of its queue?" in text_of(user, url, target="unwanted")
    done = user.post(url, {"target": ["unwanted", "taken"], "confirmed": "1"})
    page = text_of(user, done.url)
    assert "Taken out of page-purge" in page
    assert "a worker has taken it" in page
    again = text_of(user, user.post(url, {"target": "unwanted", "confirmed": "1"}).url)
    assert "does not wait in page-purge any more" in again
    assert purge_all(app, "page-purge") == 1


def test_where_the_broker_cannot_take_one_out_it_is_revoked_instead(
    rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = celery.Celery("pages", broker=rabbitmq_url, set_as_current=False)
    monkeypatch.setattr(discard, "watched_app", lambda: app)
    make_broker(abilities=["consumers"])
    make_queue("mail", ready=1)
    make_task("waiting", queue="mail", state="PENDING")
    user = client_of(*VIEWER_PERMISSIONS, "purge_queue", "revoke_task", "view_auditentry")
    page = text_of(user, page_of("mail"))
    assert "/_control/revoke/?target=waiting" in page
    assert "/_control/discard/" not in page
    url = reverse("admin:monitoring_queue_control", args=["discard"])
    assert "revoke the task instead" in text_of(
        user, user.post(url, {"target": "waiting", "confirmed": "1"}).url
    )


def test_a_viewer_is_offered_no_purge_and_an_empty_queue_cannot_be_purged() -> None:
    make_queue("mail", ready=3)
    make_queue("empty")
    assert "Purge" not in text_of(viewer(), LIST)
    page = text_of(client_of(*VIEWER_PERMISSIONS, "purge_queue", name="oskar"), LIST)
    assert page.count('title="Nothing waits in empty"') == 1
