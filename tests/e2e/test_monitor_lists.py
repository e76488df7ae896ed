"""The task list, the worker list and the page of a task follow the same feed as the monitor."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Reader
from tests.e2e.stack import Stack
from tests.e2e.test_monitor import STAYED, mark
from tests.e2e.test_monitor_reading import finish
from tests.tasksdemo.shop import wait_for

BAR = re.compile(r"[1-9]\d* new, shown when you press here")


def rows(page: Page, task_id: str):  # type: ignore[no-untyped-def]
    return page.locator(f'.mon-tasks tr[data-task="{task_id}"]')


def test_the_task_list_takes_new_tasks_on_top_and_changes_rows_in_place(stack: Stack, reader: Reader) -> None:
    shop = stack.redis.shop
    finish(shop)
    page = reader.open(stack.redis, "task/")
    mark(page)
    task_id = shop.start("/tasks/slow", duration=12)["task_id"]
    expect(rows(page, task_id).locator(".mon-state-started")).to_be_visible()
    expect(rows(page, task_id).locator(".mon-state-success")).to_be_visible()
    assert page.evaluate(STAYED)


def test_in_the_task_list_new_tasks_wait_while_the_reader_is_at_the_rows(
    stack: Stack, reader: Reader
) -> None:
    shop = stack.redis.shop
    first = finish(shop)
    page = reader.open(stack.redis, "task/")
    rows(page, first).hover()
    fresh = finish(shop)
    bar = page.get_by_role("button", name=BAR)
    expect(bar).to_be_visible()
    assert rows(page, fresh).count() == 0
    bar.click()
    expect(rows(page, fresh)).to_be_visible()


def test_an_older_page_of_the_task_list_keeps_its_rows_and_says_what_is_new(
    stack: Stack, reader: Reader
) -> None:
    shop = stack.redis.shop
    size = 100
    shop.outcome(shop.start("/tasks/chord", size=20)["task_id"], "SUCCESS")
    for _ in range(size // 20):
        shop.outcome(shop.start("/tasks/chord", size=20)["task_id"], "SUCCESS")
    page = reader.open(stack.redis, "task/")
    older = page.get_by_role("link", name="Older")
    wait_for(lambda: page.reload() and older.count(), "more tasks than a page has")
    older.click()
    expect(page).to_have_url(re.compile("place="))
    page.wait_for_function("document.documentElement.classList.contains('mon-scripted')")
    seen = page.locator(".mon-tasks tr[data-task]").count()
    bar = page.get_by_role("button", name=BAR)
    fresh = ""
    while not bar.is_visible():
        fresh = finish(shop)
        page.wait_for_timeout(500)
    assert page.locator(".mon-tasks tr[data-task]").count() == seen
    bar.click()
    expect(rows(page, fresh)).to_be_visible()
    assert "place=" not in page.url


def test_the_switch_stops_a_list_and_is_remembered_for_this_kind_of_page(
    stack: Stack, reader: Reader
) -> None:
    shop = stack.redis.shop
    finish(shop)
    page = reader.open(stack.redis, "task/")
    switch = page.get_by_role("switch", name="Live")
    expect(switch).to_be_checked()
    page.keyboard.press("p")
    expect(switch).not_to_be_checked()
    page.reload()
    expect(switch).not_to_be_checked()
    other = reader.open(stack.redis, "task/")
    expect(other.get_by_role("switch", name="Live")).not_to_be_checked()
    workers = reader.open(stack.redis, "worker/")
    expect(workers.get_by_role("switch", name="Live")).to_be_checked()

    before = page.locator(".mon-tasks tr[data-task]").count()
    fresh = finish(shop)
    # Its result is there before its events are stored.
    wait_for(lambda: other.reload() and rows(other, fresh).count(), "a list that was loaded anew")
    assert page.locator(".mon-tasks tr[data-task]").count() == before
    expect(page.locator(".mon-strip")).to_be_visible()
    switch.click(force=True)
    expect(switch).to_be_checked()
    expect(rows(page, fresh)).to_be_visible()


def test_the_page_of_a_task_follows_it_and_keeps_what_is_open(stack: Stack, reader: Reader) -> None:
    task_id = stack.redis.shop.start("/tasks/slow", duration=30)["task_id"]
    listed = reader.open(stack.redis)
    expect(listed.locator(f'#mon-running tr[data-task="{task_id}"]')).to_be_visible()
    page = reader.open(stack.redis, f"task/{task_id}/change/")
    mark(page)
    expect(page.locator(".mon-subject .mon-state-started")).to_be_visible()
    page.locator(".mon-timeline details summary").first.click()
    expect(page.locator(".mon-timeline details[open]")).to_have_count(1)
    expect(page.locator(".mon-subject .mon-state-success")).to_be_visible()
    expect(page.locator(".mon-timeline")).to_contain_text("Succeeded")
    expect(page.locator(".mon-timeline details[open]")).to_have_count(1)
    assert page.evaluate(STAYED)


def test_the_worker_list_changes_in_place(stack: Stack, reader: Reader) -> None:
    page = reader.open(stack.redis, "worker/")
    mark(page)
    worker = page.locator('tr[data-worker="celery@shop-1"]')
    stack.redis.shop.start("/tasks/slow", duration=20)
    expect(worker).to_contain_text(re.compile(r"[1-4] of 4"))
    assert page.evaluate(STAYED)
