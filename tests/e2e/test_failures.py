"""Failures in a browser: from a number to its tasks and back, and deciding about several groups at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from playwright.sync_api import expect

from monitoring.models import FailureTriage
from monitoring.queries.failures import end_of_counts
from tests.e2e.conftest import OpenPage
from tests.queries.counted_failures import count_all, make_failure

pytestmark = pytest.mark.django_db(transaction=True)


def test_numbers_lead_to_their_tasks_and_groups_are_decided_about(open_page: OpenPage) -> None:
    end = end_of_counts(timezone.now())
    for minutes in (3, 50, 100, 170, 700):
        make_failure(end - timedelta(minutes=minutes))
    for minutes in (5, 6):
        make_failure(end - timedelta(minutes=minutes), "refund", exception_type="KeyError")
    count_all()
    manage = Permission.objects.get(codename="manage_alerts")
    User.objects.get(username="viewer").user_permissions.add(manage)
    page = open_page("monitoring/failures/")

    # A number of the matrix is the number of the list that it opens.
    cells = page.locator(".mon-matrix tr", has_text="GatewayTimeout").locator("td")
    expect(cells).to_have_text(["2", "4", "5", "5"])
    cells.nth(1).get_by_role("link").click()
    expect(page.locator("tr[data-task]")).to_have_count(4)
    page.go_back()

    # Both groups are muted at once, in a question above the page.
    expect(page.locator("tr[data-failure]")).to_have_count(2)
    mute = page.get_by_role("button", name="Mute…")
    expect(mute).to_be_disabled()
    page.get_by_label("Select all").check()
    mute.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Mute 2 groups of failures?")
    dialog.get_by_role("button", name="Mute 2 groups of failures").click()
    expect(page.locator(".mon-told")).to_contain_text("Mute: done for 2 of 2")
    expect(page.locator("tr[data-failure] .mon-tag", has_text="Muted until")).to_have_count(2)
    assert FailureTriage.objects.filter(muted_until__gt=timezone.now()).count() == 2

    # The page of a group draws its history, and takes the muting back.
    page.get_by_role("link", name="KeyError").first.click()
    expect(page.locator("#mon-failures-chart canvas")).to_be_visible()
    page.get_by_role("button", name="Unmute").click()
    expect(page.locator(".mon-told")).to_contain_text("Unmute")
    expect(page.get_by_role("link", name="Mute…")).to_be_visible()
