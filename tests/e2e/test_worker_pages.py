"""The pages of workers and the questions of verbs: accessible in both themes, at every width, by keyboard."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from playwright.sync_api import Page, expect

from monitoring.admin.worker_parts.tabs import TABS
from monitoring.control import audit
from monitoring.control.actor import Actor
from monitoring.control.contract import Outcome, Result
from monitoring.ingest.redaction_settings import configured_redactor
from monitoring.inspection.intake import take
from monitoring.models import WorkerSample, WorkerSnapshot
from tests.e2e.conftest import OpenPage
from tests.e2e.test_every_page import LONG, WIDER, serious
from tests.factories import make_task, make_worker
from tests.queries.worker_parts.answers import answers

pytestmark = pytest.mark.django_db(transaction=True)

HOST = f"celery@{LONG}"


def open_as_operator(open_page: OpenPage, path: str = "", **options: Any) -> Page:
    """The user that `open_page` signs in, with every permission of the app."""
    page = open_page("", **options)
    user = User.objects.get(username="viewer")
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="monitoring"))
    page.goto(f"/admin/{path}")
    return page


@pytest.fixture
def paths(db: None) -> list[str]:
    """Every page, with a worker that has said everything, in long words."""
    now = timezone.now()
    make_worker(HOST, queues=[LONG, "q-prefork"], duplicate_pids=[1, 2], clock_skew=99.0, restarts=4)
    for kind, content in answers("prefork").items():
        taken = take(kind, content, configured_redactor())
        WorkerSnapshot.objects.create(
            hostname=HOST, kind=kind, content=taken.content, items=taken.items, asked_at=now, answered_at=now
        )
    for request in answers("prefork")["active"]:
        make_task(request["id"], name=f"shop.{LONG}", state="STARTED", worker=HOST)
    minute = now.replace(second=0, microsecond=0)
    for ago in range(50):
        WorkerSample.objects.create(
            hostname=HOST,
            minute=minute - timedelta(minutes=ago),
            active=ago % 5,
            most_active=6,
            load_1=ago / 9,
        )
    user = User.objects.create(username="somebody")
    entry = audit.begin(Actor(user), "pool_grow", "worker", [HOST, "celery@b"], reason=LONG)
    results = (Result(HOST, Outcome.UNCONFIRMED, LONG), Result("celery@b", Outcome.DONE, "", 0.04))
    audit.add_results(entry, results, 2.0)
    audit.finish(entry)
    worker = "monitoring/worker/celery_40" + LONG.replace("_", "_5F")
    return [
        "monitoring/worker/?queue=q-prefork&q=celery",
        *(f"{worker}/change/?tab={tab.name}" for tab in TABS),
        f"monitoring/worker/_control/shutdown/?target={HOST}&target=none",
        f"monitoring/worker/_control/rate_limit/?target={HOST}&task_name={LONG}",
        f"monitoring/worker/_control/result/{entry.pk}/",
        "monitoring/task/_start/",
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_violation(open_page: OpenPage, paths: list[str], theme: str) -> None:
    page = open_as_operator(open_page, theme=theme)
    for path in paths:
        page.goto(f"/admin/{path}")
        assert serious(page) == [], path


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_no_page_scrolls_sideways(open_page: OpenPage, paths: list[str], width: int) -> None:
    page = open_as_operator(open_page, width=width)
    for path in paths:
        page.goto(f"/admin/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize("width", [360, 1440])
def test_no_word_of_the_options_of_a_task_is_broken(
    open_page: OpenPage, paths: list[str], width: int
) -> None:
    snapshot = WorkerSnapshot.objects.get(hostname=HOST, kind="registered")
    snapshot.content = ["shop.pay [max_retries=2 acks_late=True ignore_result=True rate_limit=None]"]
    snapshot.save()
    page = open_as_operator(
        open_page, next(path for path in paths if path.endswith("=registered")), width=width
    )
    options = page.get_by_text("2 retries at most, acknowledged late, result ignored")
    expect(options).to_be_visible()
    lines = options.evaluate(
        "cell => Math.round(cell.clientHeight / parseFloat(getComputedStyle(cell).lineHeight))"
    )
    assert lines <= 3


def test_a_chart_shows_its_numbers_as_a_table_and_zooms_by_dragging(
    open_page: OpenPage, paths: list[str]
) -> None:
    page = open_as_operator(open_page, paths[1])
    chart = page.locator("#mon-chart-busy")
    expect(chart.locator("canvas")).to_be_visible()
    expect(chart.locator("table")).to_be_hidden()
    chart.get_by_role("button", name="show as table").press("Enter")
    expect(chart.locator("tbody tr").first).to_be_visible()
    expect(chart.locator("canvas")).to_be_hidden()
    chart.get_by_role("button", name="show as table").click()
    box = chart.locator(".u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    expect(chart.locator("[data-time]")).to_be_visible()
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 40, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile("tab=overview.*from=.*to="))
    expect(page.locator("#mon-chart-busy")).to_be_visible()


def test_a_question_is_answered_by_keyboard_alone(open_page: OpenPage, paths: list[str]) -> None:
    page = open_as_operator(open_page, paths[1])
    link = page.get_by_role("link", name="Shut down").first
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open] [data-safe]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(link).to_be_focused()


def test_workers_are_chosen_by_keys_and_asked_about_together(open_page: OpenPage, paths: list[str]) -> None:
    for name in ("celery@0", "celery@1"):
        make_worker(name)
    page = open_as_operator(open_page, "monitoring/worker/")
    grow = page.get_by_role("button", name="Grow pool…")
    expect(grow).to_be_disabled()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#mon-worker-bulk")).to_contain_text("2 selected")
    grow.press("Enter")
    question = page.locator("dialog[open]")
    expect(question.locator("h1")).to_contain_text("2 workers")
    expect(question.locator("table")).to_contain_text("celery@0")


def test_two_quick_clicks_ask_one_question(open_page: OpenPage, paths: list[str]) -> None:
    page = open_as_operator(open_page, paths[1])
    link = page.locator("a[data-ask]").first
    link.evaluate("link => { link.click(); link.click(); }")
    page.wait_for_load_state("networkidle")
    expect(page.locator("dialog[open]")).to_have_count(1)


def test_a_question_that_was_called_off_can_be_asked_again(open_page: OpenPage, paths: list[str]) -> None:
    page = open_as_operator(open_page, paths[1])
    button = page.locator("form[data-ask] button[type=submit]").first
    words = button.text_content() or ""
    button.click()
    question = page.locator("dialog[open]")
    question.locator("[data-safe]").click()
    expect(question).to_have_count(0)
    expect(button).to_have_text(words)
    expect(button).to_be_enabled()
    expect(button).to_be_focused()


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_every_verb_of_the_menu_can_be_pressed_with_one_worker(open_page: OpenPage, width: int) -> None:
    """The menu is longer than the panel that it opens in."""
    make_worker("celery@web-1")
    page = open_as_operator(open_page, "monitoring/worker/", width=width)
    page.locator("[name=target]").check()
    page.locator(".mon-bulk-actions summary").click()
    verbs = page.locator(".mon-menu[open] .mon-menu-row").all()
    assert len(verbs) > 5
    for verb in verbs:
        verb.click(trial=True)
    assert page.evaluate(WIDER) == []
