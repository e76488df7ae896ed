"""A page that shows what a job found out shows what the job found after that, and asks for nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from playwright.sync_api import Page, Request, WebSocketRoute, expect

from monitoring.models import Queue, UpkeepJob
from tests.e2e.conftest import OpenPage
from tests.e2e.test_bulk import grant
from tests.e2e.test_live_frames import FASTER, SOCKET, frame
from tests.factories import count_statistics, make_task
from tests.queries.counted_failures import count_all, make_failure

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = datetime(2026, 11, 22, 21, 10, 0, 123_456, tzinfo=UTC)
AFTER = BEFORE + timedelta(seconds=5)
RUNS = "[data-tile=runs] .mon-tile-figure span"


def ended(job: str, at: datetime) -> None:
    UpkeepJob.objects.update_or_create(name=job, defaults={"finished_at": at, "succeeded": True})


def counted(at: datetime) -> None:
    count_statistics()
    ended("statistics", at)


def make_queue(name: str, ready: int) -> None:
    now = timezone.now()
    Queue.objects.update_or_create(
        name=name,
        defaults={"ready": ready, "consumers": 1, "first_seen": now, "named_at": now, "read_at": now},
    )


def let_it_ask(page: Page) -> None:
    """Until its clock has gone on by more than ten seconds, and its parts have been looked at."""
    page.wait_for_function(
        "from => performance.now() > from + 1_000_000", arg=page.evaluate("performance.now()")
    )


def open_live(open_page: OpenPage, address: str) -> tuple[Page, list[WebSocketRoute]]:
    """The page at `address`, with the server's end of its socket as soon as it is open."""
    page = open_page("")
    page.add_init_script(FASTER)
    sockets: list[WebSocketRoute] = []

    def serve(socket: WebSocketRoute) -> None:
        sockets.append(socket)

    page.route_web_socket(SOCKET, serve)
    page.goto(f"/admin/monitoring/{address}")
    return page, sockets


@pytest.mark.parametrize("ever", [True, False])
def test_a_count_that_ended_before_the_first_frame_is_shown(open_page: OpenPage, ever: bool) -> None:
    now = timezone.now()
    make_task(finished_at=now - timedelta(minutes=5), name="shop.pay")
    if ever:
        counted(BEFORE)
    page = open_page("")
    page.add_init_script(FASTER)
    told = frame(1, full=True, found={"at": AFTER.isoformat()})
    page.route_web_socket(SOCKET, lambda socket: socket.send(told))
    page.goto("/admin/monitoring/statistic/?name=shop.pay")
    make_task(finished_at=now - timedelta(minutes=6), name="shop.pay")
    counted(AFTER)
    expect(page.locator(RUNS)).to_have_text("2")


def test_a_page_that_shows_the_newest_count_does_not_ask_again(open_page: OpenPage) -> None:
    make_task(finished_at=timezone.now() - timedelta(minutes=5), name="shop.pay")
    counted(BEFORE)
    page = open_page("")
    page.add_init_script(FASTER)
    acknowledged: list[int] = []

    def serve(socket: WebSocketRoute) -> None:
        def hear(text: str | bytes) -> None:
            acknowledged.append(json.loads(text)["seq"])
            if len(acknowledged) < 3:
                socket.send(frame(len(acknowledged) + 1, found=found))

        socket.on_message(hear)
        socket.send(frame(1, full=True, found=found))

    found = {"at": BEFORE.isoformat()}
    page.route_web_socket(SOCKET, serve)
    page.goto("/admin/monitoring/statistic/?name=shop.pay")
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/admin/monitoring/" in request.url:
            asked.append(request.url)

    page.on("request", note)
    let_it_ask(page)
    assert acknowledged
    assert asked == []


def test_the_list_of_queues_follows_the_broker(open_page: OpenPage) -> None:
    make_queue("mail", 3)
    ended("queues", BEFORE)
    page, sockets = open_live(open_page, "queue/")
    ready = page.locator(".mon-queues tbody tr", has_text="mail").locator("td").nth(1)
    expect(ready).to_have_text("3")
    make_queue("mail", 7)
    ended("queues", AFTER)
    sockets[-1].send(frame(1, full=True, found={"at": AFTER.isoformat()}))
    expect(ready).to_have_text("7")
    expect(page.get_by_role("switch", name="Live")).to_be_checked()


def test_queues_do_not_move_under_the_pointer(open_page: OpenPage) -> None:
    """A figure changes in its place; rows that would be in another order wait until the pointer has left them."""
    make_queue("images", 2)
    make_queue("mail", 1)
    ended("queues", BEFORE)
    page, sockets = open_live(open_page, "queue/")
    rows = page.locator(".mon-queues tbody tr")
    rows.nth(1).hover()
    make_queue("images", 4)
    ended("queues", AFTER)
    sockets[-1].send(frame(1, full=True, found={"at": AFTER.isoformat()}))
    expect(rows.nth(0)).to_contain_text("images")
    expect(rows.nth(0).locator("td").nth(1)).to_have_text("4")

    make_queue("archive", 9)
    later = AFTER + timedelta(seconds=10)
    ended("queues", later)
    with page.expect_response("**/queue/"):
        sockets[-1].send(frame(2, found={"at": later.isoformat()}))
    page.evaluate("new Promise(requestAnimationFrame)")
    expect(rows).to_have_count(2)
    page.mouse.move(0, 0)
    expect(rows).to_have_count(3)


def test_failures_that_were_counted_come_and_selected_ones_wait(open_page: OpenPage) -> None:
    grant("manage_alerts")
    make_failure(timezone.now() - timedelta(minutes=5))
    count_all()
    ended("statistics", BEFORE)
    page, sockets = open_live(open_page, "failures/")
    rows = page.locator(".mon-failures tbody tr")
    expect(rows).to_have_count(1)
    rows.first.get_by_role("checkbox").check()
    make_failure(timezone.now() - timedelta(minutes=4), name="shop.other")
    count_all()
    ended("statistics", AFTER)
    sockets[-1].send(frame(1, full=True, found={"at": AFTER.isoformat()}))
    let_it_ask(page)
    expect(rows).to_have_count(1)
    rows.first.get_by_role("checkbox").uncheck()
    search = page.get_by_role("searchbox", name="Exception")
    search.fill("pay")
    page.get_by_role("heading", name="Failures").click()
    let_it_ask(page)
    expect(rows).to_have_count(1)
    search.fill("")
    page.get_by_role("heading", name="Failures").click()
    expect(rows).to_have_count(2)
    expect(page.get_by_role("button", name="Acknowledge", exact=True)).to_be_disabled()


def test_a_schedule_that_was_turned_off_elsewhere_is_shown_so(open_page: OpenPage) -> None:
    entry = PeriodicTask.objects.create(
        name="nightly", task="shop.clean", interval=IntervalSchedule.objects.create(every=1, period="hours")
    )
    ended("schedules", BEFORE)
    page, sockets = open_live(open_page, "schedule/")
    row = page.locator("tr[data-schedule=nightly]")
    expect(row).not_to_have_class("mon-schedule-off")
    entry.enabled = False
    entry.save()
    ended("schedules", AFTER)
    sockets[-1].send(frame(1, full=True, found={"at": AFTER.isoformat()}))
    expect(row).to_have_class("mon-schedule-off")
