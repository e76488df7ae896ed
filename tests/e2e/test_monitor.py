"""The live monitor with a real worker: what happens shows by itself, and what the reader does works."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Reader
from tests.e2e.stack import Stack
from tests.tasksdemo.shop import wait_for

STAYED = "window.stayed === true"
CLOSE_CODE = """() => new Promise((resolve) => {
    let frames = 0;
    const socket = new WebSocket(`ws://${location.host}/ws/monitoring/?page=monitor`);
    socket.onmessage = () => { frames += 1; };
    socket.onclose = (event) => resolve([event.code, frames]);
})"""
#: A connection that is made when `socket.open()` is called.
SLOW_SOCKET = """
window.sent = [];
window.WebSocket = class {
    static OPEN = 1;
    readyState = 0;
    constructor() { window.socket = this; }
    open() { this.readyState = 1; this.onopen(); }
    send(text) { window.sent.push(JSON.parse(text)); }
    close() {}
};
"""
#: What the row of a running task shows from now on.
WATCH_RUNNING = """() => {
    window.shown = [];
    const look = () => {
        for (const row of document.querySelectorAll("#mon-running tr[data-task]")) {
            const text = (part) => row.querySelector(part)?.textContent.trim() ?? "";
            const width = Number(row.querySelector(".mon-progress-bar")?.getAttribute("width") ?? 0);
            window.shown.push([row.dataset.task, text("time.mon-elapsed"), width, text(".mon-progress-words")]);
        }
    };
    new MutationObserver(look).observe(document.getElementById("mon-running"), {
        subtree: true, childList: true, characterData: true, attributes: true,
    });
}"""


def row(page: Page, table: str, task_id: str) -> Locator:
    return page.locator(f'#mon-{table} tr[data-task="{task_id}"]')


def mark(page: Page) -> None:
    """A reload would wipe this."""
    page.evaluate("window.stayed = true")


@pytest.mark.parametrize("layer", ["redis", "memory"])
def test_a_started_task_appears_ticks_shows_its_progress_and_turns_green(
    stack: Stack, reader: Reader, layer: str
) -> None:
    server = getattr(stack, layer)
    page = reader.open(server)
    server.shop.outcome(server.shop.start("/tasks/fail")["task_id"], "FAILURE")
    expect(page.locator("#mon-finished tr").first).to_be_visible()
    mark(page)
    page.evaluate(WATCH_RUNNING)
    task_id = server.shop.start("/tasks/progress", steps=12, seconds=15)["task_id"]

    expect(row(page, "finished", task_id).locator(".mon-state-success")).to_be_visible()
    expect(row(page, "running", task_id)).to_have_count(0)
    shown = [what for key, *what in page.evaluate("window.shown") if key == task_id]
    clocks, widths, words = (list(dict.fromkeys(part)) for part in zip(*shown, strict=True))
    assert len(clocks) > 3, "a ticking clock"
    widths = [width for width in widths if 0 < width < 100]
    assert len(widths) > 1
    assert widths == sorted(widths), "a bar that grows"
    assert any(re.search(r"Step \d+ of 12", text) for text in words)
    assert page.evaluate(STAYED)


def test_pause_stops_every_change_and_resume_catches_up(stack: Stack, reader: Reader) -> None:
    shop = stack.redis.shop
    page = reader.open(stack.redis)
    shop.outcome(shop.start("/tasks/fail")["task_id"], "FAILURE")
    running = shop.start("/tasks/slow", duration=60)["task_id"]
    expect(row(page, "running", running)).to_be_visible()

    page.keyboard.press("p")
    notice = page.locator("#mon-paused")
    expect(notice).to_contain_text(re.compile(r"Paused at \d\d:\d\d:\d\d\."))
    expect(page.get_by_role("status")).to_contain_text("Paused")
    page.evaluate("""() => {
        window.changes = [];
        const watched = new MutationObserver((records) => {
            for (const { target } of records) {
                const element = target.nodeType === 1 ? target : target.parentElement;
                if (!element?.closest("#mon-paused, #mon-announcements")) window.changes.push(element?.outerHTML);
            }
        });
        watched.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    }""")
    task_id = shop.start("/tasks/fail")["task_id"]
    expect(notice).to_contain_text(re.compile(r"[1-9]\d* changes since then\."))
    shop.outcome(task_id, "FAILURE")
    counted = int(re.search(r"(\d+) changes", notice.inner_text())[1])  # type: ignore[index]
    shop.start("/tasks/fail")
    wait_for(lambda: int(re.search(r"(\d+) changes", notice.inner_text())[1]) > counted, "more changes")  # type: ignore[index]
    assert page.evaluate("window.changes") == []

    page.get_by_role("button", name="Resume").first.click()
    expect(notice).to_be_hidden()
    expect(row(page, "finished", task_id)).to_be_visible()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_pages_with_different_filters_get_different_rows(stack: Stack, reader: Reader) -> None:
    shop = stack.redis.shop
    failed = reader.open(stack.redis, "monitor/?state=FAILURE")
    other = reader.open(stack.redis, "monitor/?name=*.fail_task&worker=celery@nowhere")
    everything = reader.open(stack.memory)
    bad, good = shop.start("/tasks/fail")["task_id"], shop.start("/tasks/group", size=2)["task_id"]
    shop.outcome(good, "SUCCESS")
    mark(failed)

    expect(row(everything, "finished", bad)).to_be_visible()
    expect(row(failed, "finished", bad)).to_be_visible()
    expect(row(everything, "finished", good).locator(".mon-state-success")).to_be_visible()
    assert failed.locator("#mon-finished .mon-state-success").count() == 0
    assert other.locator("#mon-finished tr").count() == 0
    assert failed.evaluate(STAYED)


def test_a_filter_works_without_a_reload_and_is_in_the_address(stack: Stack, reader: Reader) -> None:
    shop = stack.redis.shop
    shop.outcome(shop.start("/tasks/fail")["task_id"], "FAILURE")
    done = shop.start("/tasks/slow", duration=0)["task_id"]
    shop.outcome(done, "SUCCESS")
    page = reader.open(stack.redis, "worker/")
    page.get_by_role("link", name="Live", exact=True).click()
    expect(row(page, "finished", done)).to_be_visible()
    page.wait_for_load_state()
    mark(page)

    page.keyboard.press("/")
    page.get_by_role("checkbox", name="FAILURE").check()
    expect(page).to_have_url(re.compile(r"/monitor/\?state=FAILURE$"))
    expect(page.get_by_label("Remove state FAILURE")).to_be_visible()
    expect(row(page, "finished", done)).to_have_count(0)
    later, bad = shop.start("/tasks/slow", duration=0)["task_id"], shop.start("/tasks/fail")["task_id"]
    shop.outcome(later, "SUCCESS")
    page.keyboard.press("Escape")
    page.locator("h1").click()
    expect(row(page, "finished", bad)).to_be_visible()
    expect(row(page, "finished", later)).to_have_count(0)

    page.get_by_label("Remove state FAILURE").click()
    expect(page).to_have_url(re.compile(r"/monitor/$"))
    expect(row(page, "finished", later)).to_be_visible()
    assert page.evaluate(STAYED)
    page.go_back()
    expect(page).to_have_url(re.compile(r"/worker/$"))


def test_a_filter_that_is_chosen_while_the_connection_is_made_is_said_on_it(
    stack: Stack, reader: Reader
) -> None:
    shop = stack.redis.shop
    failed = shop.start("/tasks/fail")["task_id"]
    expect(row(reader.open(stack.redis), "finished", failed)).to_be_visible()
    page = reader.sign_in(stack.redis).new_page()
    page.add_init_script(SLOW_SOCKET)
    page.goto("/admin/monitoring/monitor/")
    page.keyboard.press("/")
    page.get_by_role("checkbox", name="FAILURE").check()
    expect(page).to_have_url(re.compile(r"/monitor/\?state=FAILURE$"))
    page.evaluate("window.socket.open()")
    # The page asks for all rows as well, once it has fetched those of the filter.
    assert page.evaluate("window.sent[0]") == {"type": "filter", "query": "state=FAILURE"}


def test_a_user_without_the_permission_gets_403_and_no_frame(stack: Stack, reader: Reader) -> None:
    context = reader.sign_in(stack.redis, "bystander")
    page = context.new_page()
    answer = page.goto("/admin/monitoring/monitor/")
    assert answer is not None
    assert answer.status == 403
    page.goto("/admin/")
    assert page.evaluate(CLOSE_CODE) == [4403, 0]


def test_workers_and_counters_are_live(stack: Stack, reader: Reader) -> None:
    page = reader.open(stack.redis)
    stack.redis.shop.start("/tasks/slow", duration=40)
    shop_1 = page.locator('#mon-workers [data-worker="celery@shop-1"]')
    expect(shop_1).to_contain_text(re.compile(r"[1-4]/4"))
    rows, running = page.locator("#mon-running tr"), page.locator('[data-counter="running"]')
    wait_for(
        lambda: rows.count() > 0 and running.inner_text() == str(rows.count()), "as many as there are rows"
    )
    stack.redis.shop.start("/tasks/slow", duration=20)
    wait_for(lambda: rows.count() > 1 and running.inner_text() == str(rows.count()), "one more of both")
    expect(page.locator('[data-counter="events_per_second"]')).to_have_text(re.compile(r"[1-9.]"))
    expect(page.locator(".mon-sparkline-line")).to_have_attribute("d", re.compile(r"^M[\d.]+ [\d.]+"))
    # Other tests may have left workers that are offline.
    expect(page.locator(".mon-strip")).to_contain_text(re.compile(r"1 of [1-9]"))
