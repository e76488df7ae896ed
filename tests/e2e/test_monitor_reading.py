"""Reading a page that changes: nothing moves under the reader, and everything works with keys, eyes and ears."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from monitoring import formatting
from tests.e2e.conftest import Reader
from tests.e2e.stack import Stack
from tests.e2e.test_every_page import serious
from tests.e2e.test_monitor import mark, row
from tests.tasksdemo.shop import Shop, manage, wait_for

#: A duration that no test waits for, and how such a task is ended.
FOR_EVER = 600
END = "from project.celery import app; app.control.revoke({!r}, terminate=True)"
WIDTHS = [360, 390, 768, 1024, 1440, 2560]
KEYS_OF_ROWS = "[...document.querySelectorAll('#mon-finished tr[data-task]')].map((row) => row.dataset.task)"
FORMATTED = """async ([address, durations, numbers]) => {
    const formatting = await import(address);
    return [durations.map(formatting.duration), durations.map(formatting.span), numbers.map(formatting.number)];
}"""


def finish(shop: Shop, *, failing: bool = True) -> str:
    """The id of a task that has ended."""
    task_id: str = shop.start("/tasks/fail" if failing else "/tasks/slow?duration=0")["task_id"]
    shop.outcome(task_id, "FAILURE" if failing else "SUCCESS")
    return task_id


def test_no_row_moves_under_the_pointer(stack: Stack, reader: Reader) -> None:
    shop = stack.redis.shop
    before = finish(shop)
    page = reader.open(stack.redis)
    expect(row(page, "finished", before)).to_be_visible()
    row(page, "finished", before).hover()
    seen = page.evaluate(KEYS_OF_ROWS)

    fresh = finish(shop)
    bar = page.locator(
        '[data-new-of="finished"]', has_text=re.compile(r"[1-9] new, shown when you press here")
    )
    expect(bar).to_be_visible()
    assert page.evaluate(KEYS_OF_ROWS) == seen
    bar.click()
    expect(row(page, "finished", fresh)).to_be_visible()
    expect(bar).to_be_hidden()

    row(page, "finished", fresh).hover()
    later = finish(shop)
    expect(bar).to_be_visible()
    page.mouse.move(5, 5)
    expect(row(page, "finished", later)).to_be_visible()


def test_a_row_opens_in_place_by_keys_follows_its_task_and_closes(stack: Stack, reader: Reader) -> None:
    shop = stack.redis.shop
    page = reader.open(stack.redis, "monitor/?name=*.progress_task")
    task_id = shop.start("/tasks/progress", steps=6, seconds=20)["task_id"]
    running = row(page, "running", task_id)
    expect(running).to_be_visible()

    def next_is_it() -> bool:
        page.keyboard.press("j")
        return bool(page.evaluate("document.activeElement.dataset.task") == task_id)

    wait_for(next_is_it, "the row, from one to the next")
    page.keyboard.press("Enter")
    peek = page.locator(".mon-peek")
    expect(peek).to_contain_text("'steps': 6")
    expect(peek).to_contain_text("celery@shop-1")
    expect(running.get_by_role("button", name="Details")).to_have_attribute("aria-expanded", "true")
    expect(peek.locator(".mon-state-success")).to_be_visible()
    expect(running).to_have_class(re.compile("mon-gone"))
    expect(running.locator(".mon-cell-state")).to_have_text("SUCCESS")
    expect(running.locator(".mon-cell-elapsed")).to_have_text(
        peek.locator(".mon-peek-state b").text_content() or "the run time"
    )
    expect(running.locator(".mon-elapsed, .mon-bad")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(peek).to_have_count(0)
    expect(running).to_be_focused()

    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    expect(running).to_have_count(0)


def test_a_click_beside_the_name_opens_and_on_the_name_leads_to_the_task(
    stack: Stack, reader: Reader
) -> None:
    task_id = finish(stack.redis.shop)
    page = reader.open(stack.redis, "monitor/?state=FAILURE")
    line = row(page, "finished", task_id)
    line.locator(".mon-cell-runtime").click()
    expect(page.locator(".mon-peek")).to_contain_text(task_id)
    page.locator(".mon-peek").get_by_role("link", name="Open task").click()
    expect(page.locator("#mon-task-id")).to_have_text(task_id)
    page.go_back()
    row(page, "finished", task_id).get_by_role("link").click()
    expect(page.locator("#mon-task-id")).to_have_text(task_id)


def test_keys_change_pages_and_list_themselves_and_are_ignored_while_typing(
    stack: Stack, reader: Reader
) -> None:
    finish(stack.redis.shop)
    page = reader.open(stack.redis)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    field = page.locator("#mon-facet-name")
    expect(field).to_be_focused()
    page.keyboard.type("gt?p")
    expect(field).to_have_value("gt?p")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#mon-paused")).to_be_hidden()
    field.fill("")
    page.locator("h1").click()
    go(page, "t")
    expect(page).to_have_url(re.compile(r"/monitoring/task/$"))
    page.wait_for_load_state()
    go(page, "l")
    expect(page).to_have_url(re.compile(r"/monitoring/monitor/$"))


def go(page: Page, letter: str) -> None:
    """Press `g` and a letter. The page's clock stands still: the letter counts for a moment only."""
    page.evaluate("performance.now = () => 0")
    page.keyboard.press("g")
    page.keyboard.press(letter)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_no_serious_violation_in_any_state_of_the_page(
    stack: Stack, reader: Reader, theme: str, width: int
) -> None:
    shop = stack.redis.shop
    ended = finish(shop)
    page = reader.open(stack.redis, theme=theme, width=width)
    task_id = shop.start("/tasks/progress", steps=1000, seconds=FOR_EVER)["task_id"]
    try:
        look_at_every_state(page, task_id)
    finally:
        manage(stack.environment, "shell", "-v0", "-c", END.format(task_id))
    assert ended


def look_at_every_state(page: Page, task_id: str) -> None:
    expect(row(page, "running", task_id).locator(".mon-progress-bar")).to_be_attached()
    assert serious(page) == []
    row(page, "running", task_id).locator(".mon-cell-state").click()
    expect(page.locator(".mon-peek")).to_contain_text(task_id)
    assert serious(page) == [], "with a task opened in place"
    page.locator("#mon-filter-menu summary").click()
    assert serious(page) == [], "with the filter open"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#mon-paused")).to_be_visible()
    assert serious(page) == [], "paused"
    page.evaluate("document.getElementById('mon-keys').showModal()")
    assert serious(page) == [], "with the list of keys"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_monitor_never_scrolls_sideways(stack: Stack, reader: Reader, width: int) -> None:
    shop = stack.redis.shop
    page = reader.open(stack.redis, width=width)
    task_id = shop.start("/tasks/slow", duration=15)["task_id"]
    expect(row(page, "running", task_id)).to_be_visible()
    row(page, "running", task_id).locator(".mon-cell-state").click()
    expect(page.locator(".mon-peek")).to_contain_text(task_id)
    page.keyboard.press("p")
    expect(page.locator("#mon-paused")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_ticking_figures_are_written_as_the_server_writes_them(stack: Stack, reader: Reader) -> None:
    page: Page = reader.open(stack.redis)
    durations = [
        0.0004,
        0.0224,
        0.231,
        0.9996,
        1.24,
        9.996,
        12.04,
        59.96,
        61,
        231,
        3599.6,
        3661,
        7500,
        86_399,
    ]
    durations += [90_061, 2_000_000, 9_000_000]
    numbers = [0, 7, 999, 1000, 1_234_567]
    written: Any = page.evaluate(FORMATTED, ["/static/monitoring/js/live/formatting.js", durations, numbers])
    assert written == [
        [formatting.duration(seconds) for seconds in durations],
        [formatting.span(seconds) for seconds in durations],
        [formatting.number(value) for value in numbers],
    ]


def test_live_regions_speak_only_of_what_matters(stack: Stack, reader: Reader) -> None:
    page = reader.open(stack.redis)
    mark(page)
    page.evaluate("""() => {
        window.said = [];
        const region = document.getElementById("mon-announcements");
        new MutationObserver(() => window.said.push(region.textContent)).observe(region, { childList: true });
    }""")
    for _ in range(5):
        task_id = finish(stack.redis.shop)
    expect(row(page, "finished", task_id)).to_be_visible()
    page.keyboard.press("p")
    expect(page.get_by_role("status")).to_contain_text("Paused")
    said = [text for text in page.evaluate("window.said") if "tasks running" not in text]
    assert len(said) == 1, "the tasks that came and went are for the eyes"
