"""A page of statistics shows what was counted between its rendering and its first frame, and asks for nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Request, WebSocketRoute, expect

from monitoring.models import UpkeepJob
from tests.e2e.conftest import OpenPage
from tests.e2e.test_live_frames import FASTER, SOCKET, frame
from tests.factories import count_statistics, make_task

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = datetime(2026, 11, 22, 21, 10, 0, 123_456, tzinfo=UTC)
RUNS = "[data-tile=runs] .mon-tile-figure span"


def counted(at: datetime) -> None:
    count_statistics()
    UpkeepJob.objects.update_or_create(name="statistics", defaults={"finished_at": at, "succeeded": True})


@pytest.mark.parametrize("ever", [True, False])
def test_a_count_that_ended_before_the_first_frame_is_shown(open_page: OpenPage, ever: bool) -> None:
    now = timezone.now()
    make_task(finished_at=now - timedelta(minutes=5), name="shop.pay")
    if ever:
        counted(BEFORE)
    page = open_page("")
    page.add_init_script(FASTER)
    after = BEFORE + timedelta(seconds=5)
    told = frame(1, full=True, statistics={"counted_at": after.isoformat()})
    page.route_web_socket(SOCKET, lambda socket: socket.send(told))
    page.goto("/admin/monitoring/statistic/?name=shop.pay")
    make_task(finished_at=now - timedelta(minutes=6), name="shop.pay")
    counted(after)
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
                socket.send(frame(len(acknowledged) + 1, statistics=statistics))

        socket.on_message(hear)
        socket.send(frame(1, full=True, statistics=statistics))

    statistics = {"counted_at": BEFORE.isoformat()}
    page.route_web_socket(SOCKET, serve)
    page.goto("/admin/monitoring/statistic/?name=shop.pay")
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/admin/monitoring/" in request.url:
            asked.append(request.url)

    page.on("request", note)
    # Its clock has gone on by more than ten seconds, and its parts have been looked at.
    page.wait_for_function(
        "from => performance.now() > from + 1_000_000", arg=page.evaluate("performance.now()")
    )
    assert acknowledged
    assert asked == []
