"""What people do to workers and tasks in a browser, and what really comes of it: real workers, real commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Reader
from tests.e2e.stack import Stack
from tests.tasksdemo.shop import Shop, manage, wait_for, worker

#: A duration that no test waits for: such a task ends by a signal only.
FOR_EVER = 300
CONTROL_MS = 120_000
TWO_MORE = """
from tasksdemo.tasks.slow import slow_task
for _ in range(2):
    slow_task.apply_async(kwargs={"duration": 0.01}, queue="nobody-consumes-this")
"""


@contextmanager
def another_worker(stack: Stack, folder: Path, name: str, *options: str) -> Iterator[None]:
    """A worker of its own queue, so that no other takes its tasks; it may be gone at the end."""
    with worker(stack.environment, folder / f"{name}.log", "-n", f"celery@{name}", "-Q", name, *options):
        yield


@pytest.fixture
def _grown(stack: Stack, tmp_path: Path) -> Iterator[None]:
    with another_worker(stack, tmp_path, "grows", "-c", "2"):
        yield


def open_worker(reader: Reader, stack: Stack, name: str, tab: str) -> Page:
    """The page of a worker that has been heard of and asked."""
    page = reader.open(stack.redis, "worker/", user="operator")
    expect(page.locator(f'tr[data-worker="celery@{name}"]')).to_contain_text("prefork")
    page.goto(f"{stack.redis.address}/admin/monitoring/worker/celery_40{name}/change/?tab={tab}")
    return page


@pytest.mark.usefixtures("_grown")
def test_a_pool_is_grown_from_the_page_of_its_worker(stack: Stack, reader: Reader) -> None:
    page = open_worker(reader, stack, "grows", "pool")
    expect(page.locator("#mon-processes ~ span")).to_have_text("2")
    page.get_by_label("How many").first.fill("2")
    page.get_by_role("button", name="Grow pool").click()
    expect(page.locator(".mon-told")).to_contain_text("Grow pool: celery@grows acknowledged")
    # A busy machine grows it later than the answer comes: the page asks the worker again.
    expect(page.locator("#mon-processes ~ span")).to_have_text("4")


def test_a_running_task_is_ended_by_sigkill_from_its_page(stack: Stack, reader: Reader) -> None:
    shop: Shop = stack.redis.shop
    task_id = shop.start("/tasks/slow", duration=FOR_EVER)["task_id"]
    page = reader.open(stack.redis, "task/", user="operator")
    expect(page.locator(f'tr[data-task="{task_id}"] .mon-state-started')).to_be_visible()
    page.goto(f"{stack.redis.address}/admin/monitoring/task/{task_id}/change/")
    page.get_by_role("link", name="Revoke and terminate").click()
    question = page.locator("dialog[open]")
    expect(question.locator("[data-safe]")).to_be_focused()
    question.get_by_label("Signal").select_option("SIGKILL")
    question.get_by_label(re.compile("^Reason")).fill("it hangs")
    question.locator("button[type=submit]").click()
    expect(page.locator(".mon-told")).to_contain_text("Revoke and terminate")
    expect(page.locator(".mon-page-head .mon-state-revoked")).to_be_visible()
    shop.outcome(task_id, "REVOKED")
    page.goto(f"{stack.redis.address}/admin/monitoring/auditentry/?target={task_id}")
    expect(page.locator("td", has_text="it hangs")).to_be_visible()


@pytest.fixture
def _leaving(stack: Stack, tmp_path: Path) -> Iterator[None]:
    with another_worker(stack, tmp_path, "leaves", "-c", "1"):
        yield


@pytest.mark.usefixtures("_leaving")
def test_a_worker_is_shut_down_through_its_confirmation(stack: Stack, reader: Reader) -> None:
    page = open_worker(reader, stack, "leaves", "overview")
    page.get_by_role("link", name="Shut down").first.click()
    question = page.locator("dialog[open]")
    expect(question.locator("h1")).to_have_text("Shut down celery@leaves?")
    expect(question.locator("[data-safe]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(question).to_have_count(0)

    page.get_by_role("link", name="Shut down").first.click()
    expect(question).to_contain_text("Only consumer")
    question.get_by_label("I know that nothing else consumes leaves").check()
    question.get_by_role("button", name="Shut down celery@leaves").click()
    expect(page.locator(".mon-told")).to_contain_text(
        "Shut down: celery@leaves acknowledged", timeout=CONTROL_MS
    )
    expect(page.locator(".mon-worker-head")).to_contain_text("Offline", timeout=CONTROL_MS)
    page.goto(f"{stack.redis.address}/admin/monitoring/worker/?status=offline")
    expect(page.locator('tr[data-worker="celery@leaves"]')).to_be_visible()


def test_all_tasks_that_match_are_revoked_before_they_run(stack: Stack, reader: Reader) -> None:
    page = reader.open(stack.redis, "task/_start/", user="operator")
    page.locator("#mon-start-target").fill("tasksdemo.tasks.slow.slow_task")
    page.get_by_label(re.compile("^Keyword arguments")).fill('{"duration": 0.01}')
    page.get_by_label(re.compile("^Queue")).fill("nobody-consumes-this")
    page.get_by_role("button", name="Start it").click()
    expect(page.locator("[role=status]").first).to_contain_text("Start a task")
    # Not from the page too: it looks for a worker that takes the task as long as its patience lasts.
    manage(stack.environment, "shell", "-v0", "-c", TWO_MORE)
    page.goto(f"{stack.redis.address}/admin/monitoring/task/?queue=nobody-consumes-this")
    wait_for_rows(page, 3)
    page.locator("#mon-select-all").check()
    page.get_by_role("button", name=re.compile("^Revoke…")).click()
    expect(page.locator(".mon-question")).to_contain_text("3 eligible")
    page.locator(".mon-question-foot button[type=submit]").last.click()
    expect(page.locator("h2", has_text="Done")).to_be_visible(timeout=CONTROL_MS)
    expect(page.locator("[data-bulk-words]")).to_contain_text("3 acknowledged")


def wait_for_rows(page: Page, count: int) -> None:
    """The list of a filter that has matched nothing yet has to be asked again."""

    def are_there() -> bool:
        page.reload()
        return page.locator(".mon-tasks tr[data-task]").count() == count

    wait_for(are_there, f"{count} tasks in the list")
