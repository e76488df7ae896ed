"""What a live page says and does while it cannot hear the server."""

from __future__ import annotations

import re

from playwright.sync_api import Page, WebSocket, expect

from tests.e2e.conftest import Reader
from tests.e2e.stack import Stack
from tests.e2e.test_monitor import STAYED, mark, row

HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""
WATCH_ZEROS = """() => {
    window.zeros = [];
    const counters = [...document.querySelectorAll("[data-counter]")].filter((node) => node.textContent !== "0");
    new MutationObserver(() => window.zeros.push(...counters.filter((node) => !node.textContent.trim())))
        .observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def ready(page: Page, stack: Stack) -> str:
    """The page shows a task, so it has had frames; its id."""
    shop = stack.memory.shop
    task_id: str = shop.start("/tasks/fail")["task_id"]
    expect(row(page, "finished", task_id)).to_be_visible()
    return task_id


def test_a_killed_server_is_said_and_what_happened_meanwhile_is_shown(stack: Stack, reader: Reader) -> None:
    shop = stack.memory.shop
    shop.outcome(shop.start("/tasks/fail")["task_id"], "FAILURE")
    page = reader.open(stack.redis)
    last = ready(page, stack)
    clock = row(page, "running", shop.start("/tasks/slow?duration=60")["task_id"]).locator(".mon-elapsed")
    expect(clock).to_be_visible()
    mark(page)
    reader.may_lose_the_server = True
    rows = page.locator("#mon-finished tr").count()
    page.evaluate(WATCH_ZEROS)

    stack.redis.kill()
    try:
        notice = page.locator("#mon-connection")
        expect(notice).to_contain_text(
            re.compile(r"Disconnected, retrying in \d+\ss\. Figures are from \d\d:\d\d:\d\d\.")
        )
        expect(row(page, "finished", last)).to_be_visible()
        # One more may have ended just before.
        assert page.locator("#mon-finished tr").count() >= rows, "the last figures stay"
        expect(page.get_by_role("button", name="Retry now")).to_be_visible()
        clocks = page.locator("time.mon-elapsed, time.mon-since").all_text_contents()
        missed = shop.start("/tasks/fail")["task_id"]
        shop.outcome(missed, "FAILURE")
        page.wait_for_timeout(1500)
        assert page.locator("time.mon-elapsed, time.mon-since").all_text_contents() == clocks, "as of then"
        stopped_at = clock.text_content() or ""
    finally:
        stack.redis.start()
    # The page may have come back by itself a moment ago, and have hidden the button.
    notice.locator("[data-part=act]").dispatch_event("click")

    expect(notice).to_be_hidden()
    expect(row(page, "finished", missed)).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text(
        re.compile(r"Connected again\. \d+ changes meanwhile\.")
    )
    expect(clock).not_to_have_text(stopped_at)
    assert page.evaluate("window.zeros") == []
    assert page.evaluate(STAYED)


def test_a_page_that_was_paused_while_the_server_was_away_stays_paused(stack: Stack, reader: Reader) -> None:
    page = reader.open(stack.redis)
    ready(page, stack)
    reader.may_lose_the_server = True
    page.get_by_role("button", name="Pause").click()
    stack.redis.kill()
    try:
        expect(page.locator("#mon-connection")).to_be_visible()
        missed = stack.memory.shop.start("/tasks/fail")["task_id"]
        stack.memory.shop.outcome(missed, "FAILURE")
    finally:
        stack.redis.start()
    expect(page.locator("#mon-connection")).to_be_hidden()
    expect(page.locator("#mon-paused")).to_contain_text(re.compile(r"[1-9]\d* changes since then"))
    expect(row(page, "finished", missed)).to_have_count(0)
    page.locator("#mon-paused").get_by_role("button", name="Resume").click()
    expect(row(page, "finished", missed)).to_be_visible()


def test_rows_that_come_under_the_pointer_by_a_press_on_resume_are_no_reason_to_wait(
    stack: Stack, reader: Reader
) -> None:
    shop = stack.memory.shop
    page = reader.open(stack.redis)
    page.set_viewport_size({"width": 1440, "height": 560})
    for task_id in [shop.start("/tasks/fail")["task_id"] for _ in range(10)]:
        expect(row(page, "finished", task_id)).to_be_attached()
    page.get_by_role("button", name="Pause").click()
    resume = page.locator("#mon-paused").get_by_role("button", name="Resume")
    missed = shop.start("/tasks/fail")["task_id"]
    shop.outcome(missed, "FAILURE")
    expect(page.locator("#mon-paused")).to_contain_text(re.compile(r"[1-9]\d* changes since then"))
    box = resume.bounding_box()
    assert box is not None
    resume.click()
    point = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    assert page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).closest('#mon-finished') !== null", point
    )
    expect(row(page, "finished", missed)).to_be_visible()


def test_a_hidden_tab_has_no_connection_and_catches_up_on_return(stack: Stack, reader: Reader) -> None:
    page = reader.open(stack.redis)
    ready(page, stack)
    sockets = []

    def connected(socket: WebSocket) -> None:
        sockets.append(socket)

    page.on("websocket", connected)
    page.evaluate(HIDE, True)
    missed = stack.memory.shop.start("/tasks/fail")["task_id"]
    stack.memory.shop.outcome(missed, "FAILURE")
    other = reader.open(stack.memory)
    expect(row(other, "finished", missed)).to_be_visible()
    assert row(page, "finished", missed).count() == 0
    assert sockets == []
    page.evaluate(HIDE, False)
    expect(row(page, "finished", missed)).to_be_visible()
    expect(page.locator("#mon-connection")).to_be_hidden()


def test_a_signed_out_reader_is_led_to_the_login_and_back(stack: Stack, reader: Reader) -> None:
    page = reader.open(stack.redis, "monitor/?state=FAILURE")
    page.context.clear_cookies()
    page.evaluate(HIDE, True)
    page.evaluate(HIDE, False)
    notice = page.locator("#mon-connection")
    expect(notice).to_contain_text("You are signed out.")
    notice.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/admin/login/\?next=%2Fadmin%2Fmonitoring%2Fmonitor%2F%3Fstate"))
