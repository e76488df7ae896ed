"""Bulk actions, saved views and the audit log in a real browser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from playwright.sync_api import Page, WebSocketRoute, expect

from monitoring.control import bulk
from monitoring.control.actor import Actor
from monitoring.control.verbs import DELETE
from monitoring.models import BulkRun, SavedView, Task
from monitoring.queries.selection import Selection
from tests.e2e.conftest import OpenPage
from tests.e2e.test_every_page import LONG, serious
from tests.e2e.test_live_frames import follow, frame
from tests.factories import make_task

pytestmark = pytest.mark.django_db(transaction=True)


def grant(*codenames: str) -> User:
    """The user that `open_page` signs in, with more permissions."""
    user = User.objects.get(username="viewer")
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return User.objects.get(pk=user.pk)


def make_tasks(number: int, **fields: Any) -> None:
    now = timezone.now()
    Task.objects.bulk_create(
        Task(
            task_id=f"{LONG}{n}",
            state="SUCCESS",
            first_seen=now - timedelta(seconds=n),
            updated_at=now,
            **fields,
        )
        for n in range(number)
    )


def asked(query: str = "") -> BulkRun:
    user = grant("delete_task", "view_auditentry", "share_savedview")
    return bulk.ask(DELETE, Selection(timezone.now(), query=query), Actor(user))


def test_a_confirmed_run_goes_on_by_itself_to_its_result(open_page: OpenPage) -> None:
    make_tasks(1_700, name="old")
    make_task("kept", name="old", state="STARTED")
    run = asked("name=old")
    page = open_page(f"monitoring/task/_bulk/{run.pk}/")
    page.fill("[name=reason]", "too old")
    page.click("text=Delete 1,700 records")
    expect(page.locator("h2", has_text="Done")).to_be_visible(timeout=120_000)
    expect(page.locator("[role=status] b")).to_have_text("1,700 deleted, 1 left out")
    assert list(Task.objects.values_list("pk", flat=True)) == ["kept"]
    page.goto("/admin/monitoring/auditentry/")
    expect(page.locator("td", has_text="too old")).to_be_visible()


def test_the_question_has_its_focus_on_the_safe_answer(open_page: OpenPage) -> None:
    make_tasks(3)
    run = asked()
    page = open_page(f"monitoring/task/_bulk/{run.pk}/")
    expect(page.locator(".mon-question-foot a")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/monitoring/task/")
    assert Task.objects.count() == 3


def test_an_action_that_fits_no_selected_row_is_disabled_with_the_reason(open_page: OpenPage) -> None:
    make_task("failed", state="FAILURE")
    make_task("waits", state="PENDING")
    grant("revoke_task", "delete_task")
    page = open_page("monitoring/task/")
    revoke = page.get_by_role("button", name="Revoke…")
    delete = page.get_by_role("button", name="Delete record…")
    page.locator('tr[data-task="failed"] input').check()
    expect(revoke).to_be_disabled()
    expect(revoke).to_have_attribute("title", "It has already ended: it failed")
    expect(delete).to_be_enabled()
    page.locator('tr[data-task="waits"] input').check()
    expect(revoke).to_be_enabled()
    expect(revoke).to_have_attribute("title", "")
    page.locator('tr[data-task="failed"] input').uncheck()
    expect(delete).to_be_disabled()
    page.get_by_label("Select all that match").check()
    expect(delete).to_be_enabled()


FETCHED_ROW = """async (id) => {
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  return page.querySelector(`tr[data-task="${id}"]`).outerHTML;
}"""


def test_actions_are_judged_anew_when_a_selected_row_changes(open_page: OpenPage) -> None:
    make_task("task", state="PENDING")
    grant("revoke_task", "delete_task")
    page = open_page("monitoring/task/")
    sockets: list[WebSocketRoute] = []

    def serve(socket: WebSocketRoute) -> None:
        sockets.append(socket)

    follow(page, serve)
    row = page.locator('tr[data-task="task"]')
    revoke = page.get_by_role("button", name="Revoke…")
    delete = page.get_by_role("button", name="Delete record…")
    row.get_by_role("checkbox").check()
    expect(revoke).to_be_enabled()
    expect(delete).to_be_disabled()
    Task.objects.filter(pk="task").update(state="FAILURE")
    rows = {"task": page.evaluate(FETCHED_ROW, "task")}
    listed = {"order": ["task"], "rows": rows, "total": 1, "total_is_exact": True, "left_out": 0}
    sockets[-1].send(frame(1, full=True, lists={"tasks": listed}))
    expect(row.locator(".mon-state-failure")).to_be_visible()
    expect(row.get_by_role("checkbox")).to_be_checked()
    expect(revoke).to_be_disabled()
    expect(revoke).to_have_attribute("title", "It has already ended: it failed")
    expect(delete).to_be_enabled()


def pages(open_page: OpenPage, **options: Any) -> tuple[Page, list[str]]:
    make_tasks(3)
    make_task(LONG, state="STARTED")
    page = open_page("", **options)
    question = asked()
    done = bulk.ask(DELETE, Selection(timezone.now(), (f"{LONG}0", "none", LONG)), Actor(grant()))
    bulk.confirm(done, Actor(grant()), LONG)
    bulk.try_one(done, Actor(grant()))
    SavedView.objects.create(owner=grant(), name=LONG[:100], query="state=LOST")
    entry = done.audit_id
    runs = [f"monitoring/task/_bulk/{run.pk}/" for run in (question, done)]
    return page, [
        *runs,
        "monitoring/task/_views/",
        "monitoring/auditentry/",
        f"monitoring/auditentry/{entry}/change/",
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_violation(open_page: OpenPage, theme: str) -> None:
    page, paths = pages(open_page, theme=theme)
    for path in paths:
        page.goto(f"/admin/{path}")
        assert serious(page) == [], path


@pytest.mark.parametrize("width", [360, 1440])
def test_no_page_scrolls_sideways(open_page: OpenPage, width: int) -> None:
    page, paths = pages(open_page, width=width)
    for path in paths:
        page.goto(f"/admin/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
