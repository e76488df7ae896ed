"""Frames that come at the worst moment. The socket is the test's own, so that each comes exactly then."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests import task_examples
from tests.e2e.conftest import OpenPage
from tests.e2e.test_monitor_connection import HIDE
from tests.factories import make_task, make_worker

pytestmark = pytest.mark.django_db(transaction=True)

SOCKET = re.compile("/ws/monitoring/")
#: The page's clock goes so much faster, so that it does not wait seconds until it may ask again.
FASTER = "{ const now = performance.now.bind(performance); performance.now = () => 1000 * now(); }"
NOW = datetime(2026, 11, 22, 21, 10, tzinfo=UTC)


def frame(seq: int, *, full: bool = False, **parts: Any) -> str:
    head = {"type": "frame", "seq": seq, "full": full, "cursor": 1_000 + seq, "at": NOW.isoformat()}
    return json.dumps({**head, **parts})


def running(*order: str, **rows: str) -> dict[str, Any]:
    """The lists of a frame in which these tasks run."""
    told = {
        "order": order,
        "rows": rows,
        "total": len(order),
        "total_is_exact": True,
        "left_out": 0,
        "pending": 0,
    }
    return {"running": told}


def row(task_id: str) -> str:
    return f'<tr data-task="{task_id}"><td>{task_id}</td></tr>'


def follow(page: Page, serve: Callable[[WebSocketRoute], None]) -> None:
    """Load the page again, with `serve` at the other end of its sockets."""
    page.route_web_socket(SOCKET, serve)
    page.reload()


def test_a_row_that_comes_while_the_filtered_page_is_fetched_is_not_lost(open_page: OpenPage) -> None:
    before = make_task(name="shop.tasks.pay", state="STARTED", started_at=NOW, attempt_started_at=NOW)
    page = open_page("monitoring/monitor/")
    filtered: list[WebSocketRoute] = []

    def serve(socket: WebSocketRoute) -> None:
        def hear(text: str | bytes) -> None:
            said = json.loads(text)
            if said["type"] == "filter":
                filtered.append(socket)
                rows = {before.task_id: row(before.task_id), "fresh": row("fresh")}
                socket.send(frame(2, full=True, lists=running(*rows, **rows)))
            elif said["type"] == "refresh":
                rows = {before.task_id: row(before.task_id), "fresh": row("fresh")}
                socket.send(frame(4, full=True, lists=running(*rows, **rows)))

        socket.on_message(hear)
        socket.send(frame(1, full=True, lists=running(before.task_id)))

    def late(route: Route) -> None:
        """The page as it was before the task came, behind the frame that has it."""
        response = route.fetch()
        expect(page.locator('tr[data-task="fresh"]')).to_be_visible()
        route.fulfill(response=response)

    follow(page, serve)
    page.route(re.compile(r"/monitor/\?state=STARTED"), late)
    page.locator("#mon-filter-menu summary").click()
    with page.expect_response(re.compile(r"/monitor/\?state=STARTED")):
        page.locator("#mon-filter").get_by_label("STARTED").check()
    expect(page.locator("#mon-chips")).to_contain_text("STARTED")
    filtered[0].send(frame(3, lists=running(before.task_id, "fresh")))
    expect(page.locator('tr[data-task="fresh"]')).to_be_visible(timeout=5_000)


def test_a_task_page_that_was_not_live_catches_up_when_it_is_made_so(open_page: OpenPage) -> None:
    task = make_task(state="STARTED", started_at=NOW, attempt_started_at=NOW)
    page = open_page(f"monitoring/task/{task.task_id}/change/")
    page.evaluate("localStorage.setItem('monitoring.live.task', 'off')")
    shown = int(page.locator("#mon-live").get_attribute("data-cursor") or 0)

    def serve(socket: WebSocketRoute) -> None:
        query = parse_qs(urlsplit(socket.url).query)
        missed = {"changes": 1 if int(query["cursor"][0]) <= shown else 0, "complete": True}
        if query["page"] == ["task"]:
            socket.send(
                frame(1, full=True, missed=missed, task={"state": "SUCCESS", "version": "1", "html": ""})
            )
        else:
            strip = {"html": "<p id='heard'>Receiving</p>", "form": "receiving"}
            socket.send(frame(1, full=True, missed=missed, strip=strip))

    follow(page, serve)
    expect(page.locator("#heard")).to_be_visible()
    task.state = "SUCCESS"
    task.finished_at = NOW
    task.save()
    page.locator("label.mon-switch").click()
    expect(page.locator(".mon-page-head .mon-state-success")).to_be_visible(timeout=5_000)


def test_the_page_of_a_worker_is_not_fetched_any_more_when_it_is_not_live(open_page: OpenPage) -> None:
    make_worker("celery@one")
    page = open_page("monitoring/worker/celery@one/change/")
    page.add_init_script(FASTER)
    part = {"mon-worker-words": "<p id='heard'>Online</p>", "mon-worker-facts": "<p>Facts</p>"}

    def serve(socket: WebSocketRoute) -> None:
        if parse_qs(urlsplit(socket.url).query)["page"] == ["worker"]:
            socket.send(frame(1, full=True, worker=part))
        else:
            socket.send(
                frame(1, full=True, strip={"html": "<p id='only'>Receiving</p>", "form": "receiving"})
            )

    page.route_web_socket(SOCKET, serve)
    with page.expect_response(page.url):
        page.reload()
    with page.expect_response(page.url):
        expect(page.locator("label.mon-switch")).to_be_visible()
    page.locator("label.mon-switch").click()
    expect(page.locator("#only")).to_be_visible()
    page.wait_for_load_state("networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_function("from => performance.now() > from + 1e6", arg=page.evaluate("performance.now()"))
    assert asked == []


def test_a_page_that_comes_late_does_not_undo_what_was_swapped_meanwhile(open_page: OpenPage) -> None:
    task_examples.monstrous(attempts=4, frames=5)
    page = open_page("monitoring/task/monster/change/")
    here = page.url
    late: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.is_navigation_request():
            route.fallback()
        else:
            late.append(route)

    def serve(socket: WebSocketRoute) -> None:
        socket.send(frame(1, full=True, task={"state": "FAILURE", "version": "1", "html": ""}))

    page.route(here, hold)
    with page.expect_request(lambda request: request.url == here and not request.is_navigation_request()):
        follow(page, serve)
    links = page.get_by_role("navigation", name="Attempts that raised").get_by_role("link")
    links.nth(0).click()
    expect(links.nth(0)).to_have_attribute("aria-current", "true")
    late[0].fulfill(response=late[0].fetch())
    page.evaluate("fetch(location.href).then((answer) => answer.text())")
    expect(links.nth(0)).to_have_attribute("aria-current", "true")


def test_a_hidden_page_does_not_connect_when_the_network_is_back(open_page: OpenPage) -> None:
    page = open_page("monitoring/worker/")
    expect(page.locator("html")).to_have_class(re.compile("mon-scripted"))
    page.evaluate(HIDE, True)
    page.evaluate("""() => {
        window.made = 0;
        window.WebSocket = class extends WebSocket {
            constructor(...all) { super(...all); window.made += 1; }
        };
    }""")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    assert page.evaluate("window.made") == 0
    page.evaluate(HIDE, False)
    assert page.evaluate("window.made") == 1


def test_a_task_that_the_bar_of_new_rows_closes_is_said_to_be_closed(open_page: OpenPage) -> None:
    task = make_task(name="shop.tasks.pay", state="STARTED", started_at=NOW, attempt_started_at=NOW)
    page = open_page("monitoring/monitor/")

    def serve(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.send(frame(1, full=True, lists=running(task.task_id)))

    sockets: list[WebSocketRoute] = []
    follow(page, serve)
    opened = page.locator(f'#mon-running tr[data-task="{task.task_id}"]')
    opened.locator(".mon-cell-state").click()
    expect(page.locator(".mon-peek")).to_contain_text(task.task_id)
    sockets[0].send(frame(2, lists=running("fresh", task.task_id, fresh=row("fresh"))))
    page.locator('[data-new-of="running"]').click()
    expect(page.locator('tr[data-task="fresh"]')).to_be_visible()
    expect(page.locator(".mon-peek")).to_have_count(0)
    expect(opened.get_by_role("button", name="Details")).to_have_attribute("aria-expanded", "false")
