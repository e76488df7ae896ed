"""Reading what happened to a task, and why, and walking on from there, as a person does."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import override_settings
from django.utils import timezone
from django_celery_results.models import TaskResult
from playwright.sync_api import Error, Route, expect

from monitoring.control import audit
from monitoring.control.actor import Actor
from tests import task_examples
from tests.e2e.conftest import OpenPage
from tests.e2e.test_every_page import place, serious
from tests.e2e.test_tasks import HEARD_COPIED, LISTEN, pasted
from tests.factories import make_task

pytestmark = pytest.mark.django_db(transaction=True)

WIDTHS = pytest.mark.parametrize("width", [1440, 390])
ADDRESS = f"monitoring/task/{task_examples.FAILED}/change/"


@WIDTHS
def test_bars_fill_the_column_whose_head_has_their_clock(open_page: OpenPage, width: int) -> None:
    task_examples.failed_in_a_family()
    page = open_page(ADDRESS, width=width)
    for part in ("#mon-part-attempts", *(["#mon-part-family"] if width == 1440 else [])):
        clock, bars = (
            place(page.locator(f"{part} .mon-bars-head")),
            place(page.locator(f"{part} .mon-bars").first),
        )
        assert bars["width"] == pytest.approx(clock["width"], abs=2)


@WIDTHS
def test_a_failed_task_is_opened_from_the_list_and_its_frames_unfold(open_page: OpenPage, width: int) -> None:
    task_examples.failed_in_a_family()
    page = open_page("monitoring/task/?state=FAILURE&worker=celery@pay-1", width=width)
    page.locator("tr[data-task]").get_by_role("link", name="capture_payment").first.click()
    expect(page.get_by_role("heading", name="payments.tasks.capture_payment")).to_be_visible()
    page.wait_for_load_state()
    raising = page.get_by_text('raise GatewayTimeout(f"no answer').first
    expect(raising).to_be_visible()
    library = page.get_by_text("celery/app/trace.py:736 in __protected_call__")
    expect(library).to_be_hidden()
    page.get_by_text("2 frames in celery").click()
    expect(library).to_be_visible()
    cause = page.get_by_text("urllib3/connectionpool.py:536 in _make_request")
    expect(cause).to_be_hidden()
    page.get_by_role("button", name="Show all 6 frames").click()
    expect(cause).to_be_visible()
    page.get_by_role("button", name="Fold frames").click()
    expect(cause).to_be_hidden()
    expect(raising).to_be_hidden()


def test_the_exception_of_an_earlier_attempt_takes_its_place(open_page: OpenPage) -> None:
    task_examples.failed_in_a_family()
    page = open_page(ADDRESS)
    attempts = page.get_by_role("navigation", name="Attempts that raised")
    expect(attempts.get_by_role("link", name="3, last")).to_have_attribute("aria-current", "true")
    attempts.get_by_role("link", name="2", exact=True).click()
    expect(attempts.get_by_role("link", name="2", exact=True)).to_have_attribute("aria-current", "true")
    expect(page).to_have_url(re.compile(r"\?attempt=2$"))
    expect(page.get_by_role("heading", name="Exception", exact=True)).to_be_focused()


def test_of_two_quick_clicks_the_last_one_is_shown(open_page: OpenPage) -> None:
    task_examples.monstrous(attempts=4, frames=5)
    page = open_page("monitoring/task/monster/change/")
    links = page.get_by_role("navigation", name="Attempts that raised").get_by_role("link")
    slow, quick = links.nth(0), links.nth(1)
    addresses = [link.evaluate("link => link.href") for link in (slow, quick)]
    late: list[Route] = []

    def hold(route: Route) -> None:
        late.append(route)

    page.route(addresses[0], hold)
    page.wait_for_load_state()
    slow.click()
    quick.click()
    expect(quick).to_have_attribute("aria-current", "true")
    expect(page).to_have_url(addresses[1])
    [route] = late
    with suppress(Error):  # nobody may wait for it any more
        route.fulfill(response=route.fetch())
    page.evaluate("address => fetch(address).then((answer) => answer.text())", addresses[1])
    expect(quick).to_have_attribute("aria-current", "true")
    expect(page).to_have_url(addresses[1])


@WIDTHS
def test_arguments_are_copied_and_shown_raw(open_page: OpenPage, width: int) -> None:
    task = task_examples.failed_in_a_family()
    page = open_page(ADDRESS, width=width, clipboard=True)
    page.evaluate(LISTEN)
    page.get_by_role("button", name="Copy By name").click()
    page.wait_for_function(HEARD_COPIED)
    expect(pasted(page)).to_have_value(str(task.kwargs))
    raw = page.get_by_role("region", name="By name")
    expect(raw).to_be_hidden()
    button = page.locator("button[data-raw=mon-kwargs]")
    button.click()
    expect(raw).to_have_text(str(task.kwargs))
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(raw).to_be_hidden()


@WIDTHS
def test_next_and_previous_stay_within_the_filter(open_page: OpenPage, width: int) -> None:
    begin = timezone.now()
    for number in range(6):
        state = "FAILURE" if number % 2 else "SUCCESS"
        make_task(
            f"task-{number}",
            state=state,
            first_seen=begin - timedelta(seconds=number),
            name=f"shop.t{number}",
        )
    page = open_page("monitoring/task/?state=FAILURE", width=width)
    page.locator("tr[data-task]").get_by_role("link", name="t3").click()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("heading", name="shop.t5")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("This is the last task of the list.")).to_be_visible()
    expect(page.get_by_role("heading", name="shop.t5")).to_be_visible()
    page.get_by_role("link", name="Previous").click()
    expect(page.get_by_role("heading", name="shop.t3")).to_be_visible()
    page.get_by_role("link", name="Previous").click()
    expect(page.get_by_role("heading", name="shop.t1")).to_be_visible()
    page.locator(".breadcrumbs").get_by_role("link", name="Tasks").click()
    expect(page).to_have_url(re.compile(r"/task/\?state=FAILURE$"))


@WIDTHS
def test_the_family_of_a_chord_is_walked(open_page: OpenPage, width: int) -> None:
    task_examples.monstrous(attempts=2, frames=5)
    page = open_page("monitoring/task/monster/change/", width=width)
    family = page.get_by_role("region", name="Family").or_(page.locator("#mon-part-family"))
    expect(family.get_by_text(re.compile(r"Showing \d+ of 502 tasks"))).to_be_visible()
    family.get_by_role("link", name="Show all").click()
    expect(family.get_by_text("502 tasks of root")).to_be_visible()
    expect(family.locator("tbody tr")).to_have_count(502)
    expect(page).to_have_url(re.compile(r"\?all=family$"))
    family.get_by_role("link", name="import_all").click()
    expect(page.get_by_role("heading", name="catalogue.tasks.import_all")).to_be_visible()
    page.locator("#mon-part-family").get_by_role("link", name="import_row").first.click()
    expect(page.get_by_role("heading", name="catalogue.tasks.import_row")).to_be_visible()


@WIDTHS
def test_the_full_result_is_fetched(open_page: OpenPage, width: int) -> None:
    make_task("t", result="{'rows': '" + "x" * 1_000 + "...'}")
    TaskResult.objects.create(
        task_id="t", content_type="application/json", content_encoding="utf-8", status="SUCCESS",
        result=json.dumps({"rows": "y" * 2_000}),
    )  # fmt: skip
    with override_settings(MONITORING={"CELERY_APP": "tests.admin.watched_results.app"}):
        page = open_page("monitoring/task/t/change/", width=width)
        expect(page.get_by_text("Celery cut this")).to_be_visible()
        page.get_by_role("link", name="Fetch the full result").click()
        expect(page.get_by_text("In the result backend")).to_be_visible()
    page.locator("button[data-raw=mon-stored-result]").click()
    expect(page.locator("#mon-stored-result")).to_contain_text("y" * 2_000)
    expect(page).to_have_url(re.compile(r"/change/$"))


def test_runs_are_a_table_too(open_page: OpenPage) -> None:
    task_examples.failed_in_a_family()
    page = open_page(ADDRESS)
    table = page.get_by_role("group", name="Runs")
    expect(table).to_be_hidden()
    page.get_by_text("Show as table").click()
    expect(table.locator("tbody tr")).to_have_count(60)
    expect(table.locator("tr[aria-current]")).to_have_count(1)


@pytest.mark.parametrize("theme", ["light", "dark"])
@WIDTHS
def test_from_the_shortest_to_the_most_monstrous_the_page_is_accessible_and_stays_within_the_window(
    open_page: OpenPage, theme: str, width: int
) -> None:
    task_examples.failed_in_a_family()
    task_examples.shortest()
    task_examples.monstrous()
    for task_id in (task_examples.FAILED, "s", "monster"):
        page = open_page(f"monitoring/task/{task_id}/change/?in=", width=width, theme=theme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, task_id
        page.evaluate(
            "document.querySelectorAll('#mon-content details').forEach((each) => { each.open = true })"
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width, task_id
        assert serious(page) == [], task_id


@WIDTHS
def test_who_did_what_leads_to_the_entry_of_the_audit_log(open_page: OpenPage, width: int) -> None:
    task_examples.failed_in_a_family()
    page = open_page("", width=width)
    viewer = User.objects.get(username="viewer")
    viewer.user_permissions.add(Permission.objects.get(codename="view_auditentry"))
    entry = audit.begin(
        Actor(viewer), "delete", "task", [task_examples.FAILED], reason="asked for by finance"
    )
    page.goto(f"/admin/{ADDRESS}")
    part = page.get_by_role("region", name="Who did what")
    expect(part.get_by_text("viewer", exact=True)).to_be_visible()
    expect(part.get_by_text("asked for by finance")).to_be_visible()
    part.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(rf"/auditentry/{entry.pk}/"))
    expect(page.get_by_text("asked for by finance").first).to_be_visible()


@WIDTHS
def test_others_like_it_are_one_click_away(open_page: OpenPage, width: int) -> None:
    task_examples.failed_in_a_family()
    page = open_page(ADDRESS, width=width)
    page.get_by_role("navigation", name="Tasks like this one").get_by_role(
        "link", name="same task and"
    ).click()
    expect(page).to_have_url(
        re.compile(r"name=payments\.tasks\.capture_payment&exception_type=GatewayTimeout")
    )
    expect(page.locator("tr[data-task]").first).to_be_visible()
