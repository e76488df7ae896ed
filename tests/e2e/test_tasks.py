"""Finding a task and reading what happened to it, as a person does."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OpenPage
from tests.factories import make_event, make_task

pytestmark = pytest.mark.django_db(transaction=True)

UUID = "9f31c2d4-07be-4f0a-9d35-51c6f8a77e02"
#: What a page says to screen readers from now on: it takes "Copied" back after a moment.
LISTEN = """() => {
    window.said = [];
    const region = document.getElementById("mon-announcements");
    new MutationObserver(() => window.said.push(region.textContent)).observe(region, { childList: true });
}"""
HEARD_COPIED = "window.said.includes('Copied')"


def pasted(page: Page) -> Locator:
    """A field of the page, with what was copied."""
    page.evaluate(
        "document.querySelector('.mon').insertAdjacentHTML('beforeend', '<textarea id=paste></textarea>')"
    )
    field = page.locator("#paste")
    field.focus()
    page.keyboard.press("Control+V")
    return field


@pytest.fixture
def _failed(db: None) -> None:
    make_task("other")
    task = make_task(
        UUID,
        name="payments.tasks.capture",
        state="FAILURE",
        exception="GatewayTimeout('no answer')",
        exception_type="GatewayTimeout",
        traceback="Traceback\n  raise GatewayTimeout",
        kwargs="{'order_id': 48213}",
        first_seen=timezone.now() - timedelta(minutes=3),
    )
    make_event(task, "task-received", 0.9, retries=0)
    make_event(task, "task-started", 1.3, pid=4121)
    make_event(task, "task-failed", 4.31, exception="GatewayTimeout('no answer')", traceback="Traceback")


@pytest.mark.usefixtures("_failed")
def test_filter_by_clicks_open_a_task_and_go_back(open_page: OpenPage) -> None:
    page = open_page("monitoring/task/", width=2000)
    expect(page.locator("tr[data-task]")).to_have_count(2)
    page.get_by_role("checkbox", name="FAILURE").check()
    expect(page.locator("tr[data-task]")).to_have_count(1)
    assert page.url.endswith("?state=FAILURE"), "empty fields stay out of the address"
    page.get_by_role("combobox", name="Search tasks").fill("name:payments.*")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Remove task payments.*")).to_be_visible()
    page.locator("tr[data-task]").get_by_role("link", name="capture").click()
    expect(page.get_by_role("heading", name="payments.tasks.capture")).to_be_visible()
    expect(page.get_by_text("GatewayTimeout: no answer").first).to_be_visible()
    page.go_back()
    expect(page.get_by_role("checkbox", name="FAILURE")).to_be_checked()
    page.get_by_label("Remove state FAILURE").click()
    expect(page).to_have_url(re.compile(r"/task/\?name=payments\.(\*|%2A)$"))


@pytest.mark.usefixtures("_failed")
def test_slash_focuses_the_search(open_page: OpenPage) -> None:
    page = open_page("monitoring/task/")
    page.locator("body").press("/")
    search = page.get_by_role("combobox", name="Search tasks")
    expect(search).to_be_focused()
    search.press_sequentially("9f31c2d4/")
    expect(search).to_have_value("9f31c2d4/")


@pytest.mark.usefixtures("_failed")
def test_filters_open_from_a_button_on_a_phone(open_page: OpenPage) -> None:
    page = open_page("monitoring/task/", width=390)
    expect(page.get_by_role("checkbox", name="FAILURE")).to_be_hidden()
    button = page.get_by_role("button", name="Filters")
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    # Not check(): the page that comes with the click has its filters folded again.
    page.get_by_role("checkbox", name="FAILURE").click()
    expect(page.locator("tr[data-task]")).to_have_count(1)
    expect(page.get_by_role("button", name="Filters 1")).to_be_visible()


@pytest.mark.usefixtures("_failed")
@pytest.mark.parametrize("clipboard", [True, False])
def test_the_id_is_copied_with_and_without_the_clipboards_permission(
    open_page: OpenPage, clipboard: bool
) -> None:
    page = open_page(f"monitoring/task/{UUID}/change/", clipboard=clipboard)
    if not clipboard:
        page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('denied')); }")
    button = page.get_by_role("button", name="Copy task id")
    page.evaluate(LISTEN)
    button.click()
    page.wait_for_function(HEARD_COPIED)
    expect(button).to_be_focused()
    expect(pasted(page)).to_have_value(UUID)


@pytest.mark.usefixtures("_failed")
def test_the_raw_event_unfolds_from_its_line(open_page: OpenPage) -> None:
    page = open_page(f"monitoring/task/{UUID}/change/")
    raw = page.get_by_text('"type": "task-started"')
    expect(raw).to_be_hidden()
    page.get_by_text("Started on celery@web-1, attempt 1, pid 4121").click()
    expect(raw).to_be_visible()
