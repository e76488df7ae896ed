"""A page that stays open does not grow."""

from __future__ import annotations

import itertools
import json
from typing import Any

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.e2e.conftest import PATIENCE_MS, Reader
from tests.e2e.stack import Stack

#: Of one list; the server sends no more.
ROWS = 25
WARM, LONG = 150, 900
#: What the heap may grow by between them: a row that is kept for ever would be many times as much.
GROWTH = 1.25


def frames() -> Any:
    """Frames of a busy hour: each with every row new, and a few that change while they stay."""
    for number in itertools.count(1):
        ids = [f"{number}-{index}" for index in range(ROWS)]
        rows = {task_id: html(task_id, number) for task_id in ids}
        figures = {
            "order": ids,
            "rows": rows,
            "total": 900,
            "total_is_exact": True,
            "left_out": 875,
            "pending": 0,
        }
        yield {
            "type": "frame",
            "seq": number,
            "full": number == 1,
            "cursor": number,
            "at": "2026-11-22T21:10:00+00:00",
            "strip": {"html": f'<div class="mon-strip"><p>Receiving {number}</p></div>', "form": "receiving"},
            "counters": {"events_per_second": number, "running": number, "failures_last_minute": number},
            "sparkline": {"step": 5, "until": "", "values": [number % 7] * 60},
            "lists": {"running": figures, "finished": figures},
        }


def html(task_id: str, number: int) -> str:
    return (
        f'<tr data-task="{task_id}" tabindex="-1"><td><a href="#">{"name " * 20}{number}</a></td>'
        f'<td><time class="mon-elapsed" datetime="2026-11-22T21:10:00+00:00"></time></td></tr>'
    )


def heap(page: Page) -> tuple[float, int, int]:
    """Bytes of JavaScript, DOM nodes and listeners, after a collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")
    session.send("HeapProfiler.collectGarbage")
    session.send("HeapProfiler.collectGarbage")
    used: float = session.send("Runtime.getHeapUsage")["usedSize"]
    counters = session.send("Memory.getDOMCounters")
    session.detach()
    return used, counters["nodes"], counters["jsEventListeners"]


def test_a_thousand_frames_leave_no_more_behind_than_the_first_hundreds(stack: Stack, reader: Reader) -> None:
    shop = stack.redis.shop
    shop.outcome(shop.start("/tasks/fail")["task_id"], "FAILURE")
    context = reader.sign_in(stack.redis)
    page = context.new_page()
    source = frames()
    sent = {"number": 0, "until": WARM}
    socket: list[WebSocketRoute] = []

    def send_next() -> None:
        if sent["number"] < sent["until"]:
            sent["number"] += 1
            socket[0].send(json.dumps(next(source)))

    def answer(message: str | bytes) -> None:
        if json.loads(message)["type"] == "ack":
            send_next()

    def connected(route: WebSocketRoute) -> None:
        socket.append(route)
        route.on_message(answer)
        send_next()

    page.route_web_socket(lambda url: "/ws/monitoring/" in url, connected)
    page.goto("/admin/monitoring/monitor/")

    def has_shown(number: int) -> None:
        # Each frame is sent when the one before has been answered.
        last = page.locator(f'#mon-running tr[data-task="{number}-0"]')
        expect(last).to_be_visible(timeout=5 * PATIENCE_MS)
        expect(page.locator("#mon-running tr")).to_have_count(ROWS)

    has_shown(WARM)
    used, nodes, listeners = heap(page)
    sent["until"] = LONG
    send_next()
    has_shown(LONG)
    later_used, later_nodes, later_listeners = heap(page)

    assert later_used < used * GROWTH
    assert later_nodes < nodes * GROWTH
    assert later_listeners <= listeners
