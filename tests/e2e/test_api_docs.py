"""The page that shows the API's document: whole, and without anything that the policy forbids."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PATIENCE_MS, OpenPage, with_policy
from tests.factories import make_task

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_docs_show_every_address_and_try_them_out(open_page: OpenPage) -> None:
    make_task("t1")
    page = open_page("monitoring/task/")
    page.context.route(re.compile("/api/docs/"), with_policy)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/api/docs/")
    tasks = page.locator("#operations-tasks-get_tasks_task_id")
    expect(tasks).to_be_visible(timeout=PATIENCE_MS)
    tasks.get_by_role("button").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_placeholder("task_id").fill("t1")
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table tbody .response-col_status").first).to_contain_text(
        "200", timeout=PATIENCE_MS
    )
    host = page.url.split("/api/")[0]
    assert [url for url in asked if not url.startswith((host, "data:"))] == []
