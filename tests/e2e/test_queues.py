"""A queue that nobody consumes is found, looked into and purged, in a real browser and a real broker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import kombu
import pytest
from django.contrib.admin.utils import quote
from playwright.sync_api import expect

from monitoring.models import AuditEntry, Queue
from monitoring.upkeep.jobs import queues
from monitoring.upkeep.lease import UPKEEP, LeaseHolder
from tests.control.fleet_app import app
from tests.e2e.conftest import OpenPage
from tests.e2e.test_bulk import grant
from tests.e2e.test_fetched_pages import AFTER, BEFORE, ended, open_live
from tests.e2e.test_live_frames import frame
from tests.tasksdemo.shop import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "browser/webhooks_v1"


@pytest.fixture
def _broker(redis_url: str, settings: Any) -> Iterator[None]:
    settings.MONITORING = {
        **settings.MONITORING,
        "CELERY_APP": "tests.control.fleet_app.app",
        "CONTROL_TIMEOUT": 20.0,
    }
    app.conf.update(broker_url=redis_url, broker_transport_options={"global_keyprefix": "browser:"})
    yield
    with app.connection_for_write() as connection:
        connection.default_channel._purge(NAME)
    app.conf.update(broker_url="memory://", broker_transport_options={})


def send(numbers: range) -> None:
    queue = kombu.Queue(NAME, kombu.Exchange(NAME), NAME)
    with app.connection_for_write() as connection:  # the app's own pool stays with an earlier test's broker
        for number in numbers:
            app.send_task(
                "shop.hook", (number,), queue=queue, task_id=f"hook-{number}", connection=connection
            )


def count(ready: int) -> None:
    """As the job does, until it has seen so many."""
    Queue.objects.get_or_create(
        name=NAME, defaults={"first_seen": "2026-11-29T10:00Z", "named_at": "2999-01-01T00:00Z"}
    )
    lease = LeaseHolder("default", UPKEEP, "browser", duration=3600)
    assert lease.try_acquire()

    def is_counted() -> bool:
        queues.run(lease)
        return Queue.objects.filter(pk=NAME, ready=ready).exists()

    # A broker that answers late is asked again.
    wait_for(is_counted, f"{ready} messages in the queue")


@pytest.mark.usefixtures("_broker")
def test_a_queue_is_looked_into_and_purged(open_page: OpenPage) -> None:
    send(range(3))
    count(3)
    Queue.objects.filter(pk=NAME).update(unconsumed_since="2026-11-29T10:00Z")

    grant("purge_queue")
    page = open_page("monitoring/queue/")
    expect(page.get_by_text("Nobody consumes browser")).to_be_visible()
    page.get_by_role("table").get_by_role("link", name=NAME).click()
    expect(page.get_by_role("heading", name=NAME)).to_be_visible()
    page.get_by_role("link", name="Look at them").click()
    expect(page.get_by_text("hook-0")).to_be_visible()

    page.get_by_role("link", name="Purge…").first.click()
    expect(page.get_by_text("3 that wait")).to_be_visible()
    page.get_by_label("Name of the queue").fill(NAME)
    page.get_by_role("button", name=f"Purge {NAME}").click()
    expect(page.get_by_text("3 messages were deleted")).to_be_visible()
    with app.connection_for_write() as connection:
        assert connection.default_channel._size(NAME) == 0
    assert AuditEntry.objects.get(verb="purge", ending="done").targets == [NAME]


@pytest.mark.usefixtures("_broker")
def test_what_was_seen_in_a_queue_stays_while_the_page_follows_the_broker(open_page: OpenPage) -> None:
    """It is fetched without looking into the queue again."""
    send(range(1))
    count(1)
    ended("queues", BEFORE)
    page, sockets = open_live(open_page, f"queue/{quote(NAME)}/change/?peek=1")
    messages, ready = page.locator("#mon-queue-messages"), page.locator(".mon-facts dd").first
    expect(messages).to_contain_text("hook-0")
    expect(ready).to_have_text("1")
    send(range(1, 3))
    count(3)
    ended("queues", AFTER)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sockets[-1].send(frame(1, full=True, found={"at": AFTER.isoformat()}))
    expect(ready).to_have_text("3")
    expect(messages).to_contain_text("hook-0")
    expect(messages).not_to_contain_text("hook-2")
    assert asked
    assert not any("peek" in url for url in asked)
