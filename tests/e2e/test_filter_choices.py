"""What the filter of the live monitor offers means itself, whatever signs a name has."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.factories import make_task, make_worker

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = ["shop,tasks.pay", "shop*", '"shop" \\ tasks', "shop"]


@pytest.mark.parametrize("field", ["name", "worker", "queue"])
def test_a_name_with_signs_of_the_grammar_is_offered_as_itself(open_page: OpenPage, field: str) -> None:
    now = timezone.now()
    for number, name in enumerate(NAMES):
        fields: dict[str, Any] = {field: name}
        make_task(f"t{number}", state="STARTED", attempt_started_at=now, started_at=now, **fields)
        if field == "worker":
            make_worker(name)
    page = open_page("monitoring/monitor/")
    options = page.locator(f"#mon-choices-{field} option")
    offered = dict(
        options.evaluate_all("options => options.map(({ text, value }) => [text || value, value])")
    )
    assert set(NAMES) <= offered.keys()
    page.wait_for_load_state()
    page.locator("#mon-filter-menu summary").click()
    for number, name in enumerate(NAMES):
        page.locator(f"#mon-facet-{field}").fill(offered[name])
        page.keyboard.press("Enter")
        expect(page.locator(f'#mon-running tr[data-task="t{number}"]')).to_be_visible()
        expect(page.locator("#mon-running tr[data-task]")).to_have_count(1)
