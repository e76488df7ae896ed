"""Keys act on a page only where nobody writes, composes a letter, or answers a question above the page."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.test_bulk import grant
from tests.factories import make_task, make_worker

pytestmark = pytest.mark.django_db(transaction=True)

LISTS = ["monitoring/task/", "monitoring/worker/"]
#: An odd number of those that select, so that they cannot undo each other.
KEYS = "xXXjkp?/gt"
FIELDS = {
    "textarea": "<textarea id='field'></textarea>",
    "input": "<input id='field'>",
    "editable": "<div id='field' contenteditable><p>&nbsp;</p></div>",
}
#: A key as browsers tell of it while a letter is composed; the last one in Safari has only the code.
COMPOSE = """([key, how]) => document.activeElement.dispatchEvent(
    new KeyboardEvent("keydown", { key, ...how, bubbles: true, cancelable: true }))"""
COMPOSING = [{"isComposing": True}, {"keyCode": 229}]
MODIFIERS = [{"ctrlKey": True}, {"altKey": True}, {"metaKey": True}]


@pytest.fixture
def _rows(db: None) -> None:
    make_task("one", received_at=timezone.now())
    make_worker("celery@one")


def open_list(open_page: OpenPage, path: str) -> Page:
    page = open_page(path)
    grant("delete_task")
    grant("control_worker")
    page.reload()
    expect(page.locator("html")).to_have_class(re.compile("mon-scripted"))
    page.locator("#mon-select-page").wait_for()
    return page


def nothing_happened(page: Page, path: str) -> None:
    assert page.url.endswith(path)
    expect(page.locator("tbody input:checked")).to_have_count(0)
    expect(page.locator("#mon-live-switch")).to_be_checked()
    expect(page.locator("#mon-keys")).to_be_hidden()


@pytest.mark.usefixtures("_rows")
@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("kind", FIELDS)
def test_letters_are_written_into_what_is_written_in(open_page: OpenPage, path: str, kind: str) -> None:
    page = open_list(open_page, path)
    place = page.locator("tr:is([data-task], [data-worker]) td").nth(1)
    place.evaluate("(cell, html) => cell.insertAdjacentHTML('beforeend', html)", FIELDS[kind])
    field = page.locator("#field")
    field.focus()
    page.keyboard.type(KEYS)
    said = field.inner_text() if kind == "editable" else field.input_value()
    assert said.strip() == KEYS
    nothing_happened(page, path)


@pytest.mark.usefixtures("_rows")
@pytest.mark.parametrize("path", LISTS)
def test_keys_with_a_modifier_and_of_a_composed_letter_are_not_the_pages(
    open_page: OpenPage, path: str
) -> None:
    page = open_list(open_page, path)
    page.locator("tr:is([data-task], [data-worker]) a").first.focus()
    for how in [*COMPOSING, *MODIFIERS]:
        for key in KEYS:
            page.evaluate(COMPOSE, [key, how])
    nothing_happened(page, path)
    page.keyboard.press("x")
    expect(page.locator("tbody input:checked")).to_have_count(1)


@pytest.mark.usefixtures("_rows")
def test_keys_do_nothing_behind_a_question(open_page: OpenPage) -> None:
    page = open_list(open_page, "monitoring/worker/")
    page.keyboard.press("X")
    page.get_by_role("button", name="Grow pool…").click()
    question = page.locator("dialog[open]")
    expect(question.locator("[data-safe]")).to_be_focused()
    page.keyboard.type("Xpgl")
    expect(question).to_be_visible()
    question.locator("[data-safe]").press("Enter")
    expect(question).to_have_count(0)
    expect(page.locator("tbody input:checked")).to_have_count(1)
    expect(page.locator("#mon-live-switch")).to_be_checked()
    assert page.url.endswith("monitoring/worker/")


@pytest.mark.usefixtures("_rows")
def test_keys_of_a_composed_letter_leave_suggestions_alone(open_page: OpenPage) -> None:
    page = open_page("monitoring/task/")
    box = page.get_by_role("combobox", name="Search tasks")
    box.press_sequentially("queue:de")
    option = page.get_by_role("option", name="default")
    expect(option).to_be_visible()
    for how in COMPOSING:
        for key in ("ArrowDown", "Escape", "Tab"):
            page.evaluate(COMPOSE, [key, how])
    expect(option).to_have_attribute("aria-selected", "false")
    expect(box).to_have_value("queue:de")
