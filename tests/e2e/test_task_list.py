"""The task list in a real browser: filters by clicks, views, columns, brush, suggestions, selection, export."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from monitoring.models import SavedView, Task, TaskListChoice
from tests.e2e.conftest import OpenPage
from tests.e2e.test_bulk import grant
from tests.e2e.test_every_page import LONG, place, serious
from tests.factories import make_task

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_tasks")]


@pytest.fixture
def _tasks(db: None) -> None:
    now = timezone.now()
    for number in range(12):
        make_task(
            f"{number:02}",
            name=f"shop.tasks.t{number % 7}",
            state="FAILURE" if number % 3 == 0 else "SUCCESS",
            exception_type="KeyError" if number % 3 == 0 else None,
            queue="payments" if number % 2 else "default",
            runtime=number,
            received_at=now,
            first_seen=now - timedelta(minutes=5 * number),
        )


def rows(page: Page) -> list[str]:
    page.wait_for_load_state()
    found: list[str] = page.locator("tr[data-task]").evaluate_all("rows => rows.map(row => row.dataset.task)")
    return found


def test_a_filter_is_built_by_clicks_and_shared_by_its_address(open_page: OpenPage) -> None:
    page = open_page("monitoring/task/", width=1900)
    page.get_by_role("checkbox", name="FAILURE").check()
    page.wait_for_url("**/?state=FAILURE")
    page.get_by_role("checkbox", name="default").check()
    page.wait_for_url("**/?state=FAILURE&queue=default")
    assert rows(page) == ["00", "06"]
    page.get_by_label("Leave out shop.tasks.t6").click()
    page.wait_for_url("**-name=shop.tasks.t6*")
    assert rows(page) == ["00"]
    page.get_by_label("Remove queue default").click()
    page.wait_for_url("**/?state=FAILURE&-name=shop.tasks.t6")
    assert rows(page) == ["00", "03", "09"]
    page.reload()
    assert rows(page) == ["00", "03", "09"]
    shared = open_page(page.url.partition("/admin/")[2])
    assert rows(shared) == ["00", "03", "09"]
    page.go_back()
    expect(page.get_by_role("checkbox", name="default")).to_be_checked()
    assert rows(page) == ["00"]
    page.locator('[name="_runtime_from"]').fill("1s")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No task matches these filters")).to_be_visible()


def test_a_head_sorts_both_ways(open_page: OpenPage) -> None:
    page = open_page("monitoring/task/", width=1900)
    page.get_by_role("link", name="Run time").click()
    page.wait_for_url("**/?sort=-runtime")
    assert rows(page)[:2] == ["11", "10"]
    page.get_by_role("link", name="Run time").click()
    page.wait_for_url("**/?sort=runtime")
    assert rows(page)[:2] == ["00", "01"]
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Run time")


def test_values_that_exist_are_suggested(open_page: OpenPage) -> None:
    page = open_page("monitoring/task/")
    box = page.get_by_role("combobox", name="Search tasks")
    box.press_sequentially("-queue:pa")
    expect(page.get_by_role("option", name="payments")).to_contain_text("6")
    box.press("ArrowDown")
    box.press("Enter")
    expect(box).to_have_value("-queue:payments")
    box.press("Enter")
    expect(page.get_by_label("Remove queue not payments")).to_be_visible()
    expect(page.get_by_role("combobox", name="Search tasks")).to_have_value("")


def test_tab_takes_the_chosen_suggestion_and_moves_on(open_page: OpenPage) -> None:
    page = open_page("monitoring/task/")
    box = page.get_by_role("combobox", name="Search tasks")
    option = page.get_by_role("option", name="payments")
    for leave, chosen, written in [
        ("Tab", True, "queue:payments"),
        ("Shift+Tab", True, "queue:payments"),
        ("Tab", False, "queue:pa"),
    ]:
        box.fill("")
        box.press_sequentially("queue:pa")
        expect(option).to_be_visible()
        if chosen:
            box.press("ArrowDown")
        box.press(leave)
        expect(box).to_have_value(written)
        expect(box).not_to_be_focused()
        expect(option).to_be_hidden()


def test_the_brush_chooses_a_time_range_by_pointer_and_by_keys(open_page: OpenPage) -> None:
    page = open_page("monitoring/task/")
    shape = page.locator(".mon-histogram-shape")
    box = shape.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 10)
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 10)
    page.mouse.up()
    page.wait_for_url(re.compile(r"first_seen=\d"))
    chosen = rows(page)
    assert 1 <= len(chosen) <= 5
    assert set(chosen) < {f"{number:02}" for number in range(12)}
    before = page.url
    page.locator('[data-end="low"]').focus()
    for _ in range(30):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != before)
    assert len(rows(page)) > len(chosen)


def test_a_view_is_saved_changed_and_put_back(open_page: OpenPage) -> None:
    page = open_page("monitoring/task/?state=FAILURE")
    page.locator("summary", has_text="Views").click()
    page.get_by_text("Save as a new view…").click()
    page.get_by_label("Name", exact=True).fill("Broken")
    page.get_by_role("button", name="Save view").click()
    page.wait_for_url("**view=*")
    assert SavedView.objects.get().query == "state=FAILURE"
    page.goto(f"{page.url}&queue=default")
    page.locator("summary", has_text="changed").click()
    page.get_by_role("link", name="Put it back as it was saved").click()
    expect(page.locator(".mon-list-menus summary").first).to_have_text("Broken")
    assert rows(page) == ["00", "03", "06", "09"]
    page.locator("summary", has_text="Broken").click()
    page.get_by_role("button", name="Open the list with this view").click()
    page.wait_for_url("**/_views/")
    page.goto("/admin/monitoring/task/")
    page.wait_for_url("**state=FAILURE*")


def test_columns_are_chosen_ordered_and_kept(open_page: OpenPage) -> None:
    page = open_page("monitoring/task/?state=FAILURE", width=1900)
    page.locator("summary", has_text="Columns").click()
    menu = page.locator(".mon-columns")
    menu.get_by_role("checkbox", name="Arguments").uncheck()
    menu.get_by_role("checkbox", name="Exception", exact=True).focus()
    for _ in range(4):
        page.keyboard.press("Alt+ArrowUp")
    page.get_by_role("button", name="Show these").click()
    expect(page.locator(".mon-tasks thead th").nth(1)).to_have_text("Exception")
    page.wait_for_load_state()
    heads = [head.strip() for head in page.locator(".mon-tasks thead th").all_text_contents()]
    assert heads[1:4] == ["Exception", "State", "Task"]
    assert "Arguments" not in heads
    assert TaskListChoice.objects.get().columns[:2] == ["exception_type", "state"]


def test_selected_rows_and_all_that_match_are_exported_and_asked_about(open_page: OpenPage) -> None:
    page = open_page("monitoring/task/?state=FAILURE")
    grant("delete_task")
    page.reload()
    delete = page.get_by_role("button", name="Delete record…")
    expect(delete).to_be_disabled()
    page.locator("tr[data-task] input").nth(1).check()
    expect(page.get_by_text("1 selected")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export selected").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 2
    assert "03" in lines[1]
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.locator("a", has_text="every field, one task a line").click()
    assert len(download.value.path().read_text().splitlines()) == 4
    page.keyboard.press("Escape")
    page.get_by_label("Select all that match").check()
    delete.click()
    expect(page.get_by_role("heading", name="Delete the records of 4 tasks?")).to_be_visible()
    assert Task.objects.count() == 12


STATES = ["", "?state=FAILURE&-queue=x&runtime=1s..9s&q=a+OR+b", "?q=runtime:abc", f"?name={LONG}"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_with_menus_open(open_page: OpenPage, theme: str) -> None:
    page = open_page("", theme=theme)
    for query in STATES:
        page.goto(f"/admin/monitoring/task/{query}")
        assert serious(page) == [], query
    page.goto("/admin/monitoring/task/?state=FAILURE")
    for summary in page.locator(".mon-list-menus > details > summary, .mon-time-menu > summary").all():
        summary.click()
        assert serious(page) == []
        page.keyboard.press("Escape")


@pytest.mark.parametrize("width", [360, 390, 768, 1024, 1440])
def test_nothing_scrolls_sideways(open_page: OpenPage, width: int) -> None:
    page = open_page("", width=width)
    for query in STATES:
        page.goto(f"/admin/monitoring/task/{query}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, query
    for summary in page.locator(".mon-list-menus > details > summary, .mon-time-menu > summary").all():
        summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.keyboard.press("Escape")


def test_the_filters_stand_beside_the_list_while_the_admins_sidebar_is_open(open_page: OpenPage) -> None:
    page = open_page("monitoring/task/", width=1440)
    expect(page.locator("#nav-sidebar")).to_be_visible()
    expect(page.get_by_role("complementary", name="Filters")).to_be_visible()
    facets, table = (page.locator(name).bounding_box() for name in ("#mon-facets", ".mon-tasks"))
    assert facets
    assert table
    assert facets["x"] + facets["width"] <= table["x"], "beside, not above"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_with_the_filters_unfolded_on_a_phone(open_page: OpenPage, theme: str) -> None:
    page = open_page("monitoring/task/?state=FAILURE", theme=theme, width=390)
    page.get_by_role("button", name="Filters").click()
    expect(page.locator("#mon-facets")).to_be_visible()
    assert serious(page) == []
    page.get_by_role("link", name="show as table").click()
    expect(page.get_by_role("columnheader", name="FAILURE")).to_be_visible()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_column_is_moved_by_its_buttons(open_page: OpenPage) -> None:
    page = open_page("monitoring/task/?state=FAILURE", width=1900)
    page.locator("summary", has_text="Columns").click()
    page.get_by_role("button", name="Move Task up").press("Enter")
    page.get_by_role("button", name="Show these").click()
    expect(page.locator(".mon-tasks thead th").nth(1)).to_have_text("Task")
    assert TaskListChoice.objects.get().columns[:2] == ["name", "state"]


@pytest.mark.parametrize("width", [360, 1440])
def test_what_clears_a_facet_stands_beside_its_name(open_page: OpenPage, width: int) -> None:
    page = open_page("monitoring/task/?state=FAILURE", width=width)
    if width == 360:
        page.get_by_role("button", name="Filters").click()
    above, below = (
        place(page.get_by_role("link", name="Clear State")),
        place(page.locator("#mon-facets .mon-facet").first),
    )
    assert above["y"] + above["height"] <= below["y"] + 1


def test_the_list_of_keys_has_room_around_it(open_page: OpenPage) -> None:
    page = open_page("monitoring/task/")
    page.get_by_role("button", name="Keyboard keys").click()
    outside, inside = place(page.locator("#mon-keys")), place(page.locator("#mon-keys-title"))
    assert inside["x"] - outside["x"] >= 12
    assert inside["y"] - outside["y"] >= 12


def test_names_begin_at_the_left_and_failures_have_room_for_what_failed(open_page: OpenPage) -> None:
    """In a window of 1,440 px with the admin's sidebar; the state of all is the one that the filter has."""
    for number in range(3):
        make_task(
            f"long-{number}",
            name=f"shop.tasks.orders.{'capture_payment_again'[: 9 + 6 * number]}",
            state="FAILURE",
            exception_type="SupplierUnavailable",
            args=f"('order-{number}', 'a-reason-of-some-length')",
        )
    page = open_page("monitoring/task/?state=FAILURE")
    begins = page.locator(".mon-tasks .mon-task-name").evaluate_all(
        """names => names.map(name => {
            const box = name.getBoundingClientRect();
            const parts = [...name.children].map((part) => part.getBoundingClientRect());
            const seen = parts.filter(({top}) => top < box.bottom - 1);
            return [Math.min(...seen.map(({left}) => left)) - box.left, seen.length];
        })"""
    )
    assert {left for left, _parts in begins} == {0}
    # No name is a piece of a module and, far from it, a function.
    gaps = page.locator(".mon-tasks .mon-module").evaluate_all(
        "modules => modules.filter(module => module.scrollWidth > module.clientWidth + 1).length"
    )
    assert gaps == 0
    assert place(page.locator(".mon-cell-exception").first)["width"] > 130
    assert place(page.locator(".mon-cell-args").first)["width"] > 140
    expect(page.locator(".mon-tasks .mon-cell-state").first).to_be_hidden()
    page.goto("/admin/monitoring/task/?state=FAILURE&state=SUCCESS")
    expect(page.locator(".mon-tasks .mon-cell-state").first).to_be_visible()
