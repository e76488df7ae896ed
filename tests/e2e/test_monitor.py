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
    task_id = server.shop.start("/tasks/progress", steps=12, seconds=9)["task_id"]

    running = row(page, "running", task_id)
    expect(running).to_be_visible()
    clock = running.locator("time.mon-elapsed")
    seen = {clock.inner_text()}
    wait_for(lambda: seen.add(clock.inner_text()) or len(seen) > 3, "a ticking clock")
    bar = running.locator(".mon-progress-bar")
    expect(bar).to_have_attribute("width", re.compile(r"[1-9]\d?$"))
    first = int(bar.get_attribute("width") or 0)
    wait_for(lambda: int(bar.get_attribute("width") or 0) > first, "a bar that grows")
    expect(running.locator(".mon-progress-words")).to_have_text(re.compile(r"Step \d+ of 12"))

    expect(row(page, "finished", task_id).locator(".mon-state-success")).to_be_visible()
    expect(running).to_have_count(0)
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
    assert failed.locator("#mon-finished .mon-state-success").count() == 0
    assert everything.locator("#mon-finished .mon-state-success").count() > 0
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
    stack.redis.shop.start("/tasks/slow", duration=20)
    shop_1 = page.locator('#mon-workers [data-worker="celery@shop-1"]')
    expect(shop_1).to_contain_text(re.compile(r"[1-4]/4"))
    rows, running = page.locator("#mon-running tr"), page.locator('[data-counter="running"]')
    wait_for(
        lambda: rows.count() > 0 and running.inner_text() == str(rows.count()), "as many as there are rows"
    )
    stack.redis.shop.start("/tasks/slow", duration=5)
    wait_for(lambda: rows.count() > 1 and running.inner_text() == str(rows.count()), "one more of both")
    expect(page.locator('[data-counter="events_per_second"]')).to_have_text(re.compile(r"[1-9.]"))
    expect(page.locator(".mon-sparkline-line")).to_have_attribute("d", re.compile(r"^M[\d.]+ [\d.]+"))
    # Other tests may have left workers that are offline.
    expect(page.locator(".mon-strip")).to_contain_text(re.compile(r"1 of [1-9]"))
