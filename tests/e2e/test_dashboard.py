"""The dashboard in a browser: its numbers agree, and what is chosen stands in the address."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from monitoring.control.marks import mark
from tests.e2e.conftest import OpenPage
from tests.factories import count_statistics, make_task

pytestmark = pytest.mark.django_db(transaction=True)

PAY, MAIL = "shop.tasks.pay", "shop.tasks.mail"


@pytest.fixture
def _tasks(db: None) -> None:
    now = timezone.now()
    for number in range(30):
        failed = number % 5 == 0
        make_task(
            name=PAY if number % 3 else MAIL,
            state="FAILURE" if failed else "SUCCESS",
            exception_type="KeyError" if failed else None,
            finished_at=now - timedelta(minutes=number + 2),
            runtime=1.5,
        )
    mark("v1.2", now - timedelta(minutes=12))
    count_statistics()


def chart_sums(page: Page, key: str) -> dict[str, int]:
    """What the columns of a chart's table add up to, by their heads; the chart is shown as a table then."""
    chart: Locator = page.locator(f"#{key}")
    chart.get_by_role("button", name="show as table").click()
    table = chart.locator("table")
    expect(table).to_be_visible()
    heads = [head.strip() for head in table.locator("thead th").all_text_contents()[1:]]
    rows = table.locator("tbody tr").all()
    cells = [[int(text) for text in row.locator("td").all_inner_texts()] for row in rows]
    return dict(zip(heads, map(sum, zip(*cells, strict=True)), strict=True))


def listed(page: Page) -> int:
    return int(page.locator(".mon-matches b").inner_text())


@pytest.mark.usefixtures("_tasks")
def test_tile_chart_table_and_list_have_the_same_numbers(open_page: OpenPage) -> None:
    page = open_page(f"monitoring/statistic/?name={PAY}")
    runs = int(page.locator("[data-tile=runs] .mon-tile-figure span").inner_text())
    sums = chart_sums(page, "mon-chart-throughput")
    assert runs == sums["Succeeded"] + sums["Failed"] == 20
    failed = sums["Failed"]
    page.get_by_role("link", name="Runs").click()
    assert listed(page) == runs
    page.goto("/admin/monitoring/")
    everything = chart_sums(page, "mon-chart-throughput")
    assert everything == {"Succeeded": 24, "Retried": 0, "Failed": 6}
    busiest = page.locator("[aria-labelledby=mon-busiest] tbody tr", has_text="pay")
    assert busiest.first.locator("td").first.inner_text() == str(runs)
    row = page.locator("section[aria-labelledby=mon-most-failing] tbody tr", has_text="pay")
    expect(row.locator("td a")).to_have_text(str(failed))
    row.locator("td a").click()
    assert listed(page) == failed
    page.goto("/admin/monitoring/")
    page.get_by_role("link", name="Failure rate").click()
    assert listed(page) == everything["Failed"]


@pytest.mark.usefixtures("_tasks")
def test_filters_ranges_and_a_dragged_time_stand_in_the_address(open_page: OpenPage) -> None:
    page = open_page("monitoring/?range=6h")
    page.locator("select[name=name]").select_option(PAY)
    expect(page).to_have_url(re.compile(r"\?range=6h&name=shop\.tasks\.pay$"))
    page.get_by_role("link", name="1 h", exact=True).click()
    expect(page).to_have_url(re.compile("name=shop.tasks.pay&range=1h"))
    chart = page.locator("#mon-chart-throughput")
    expect(chart.locator(".mon-chart-mark")).to_contain_text("v1.2")
    page.wait_for_load_state()
    box = chart.locator(".u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    expect(chart.locator("[data-time]")).to_be_visible()
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 40, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile("from=.*to="))
    query = parse_qs(urlsplit(page.url).query)
    assert query["name"] == [PAY]
    assert "range" not in query
    page.get_by_role("link", name="Clear").click()
    expect(page.locator("select[name=name]")).to_have_value("")
    assert parse_qs(urlsplit(page.url).query).keys() == {"from", "to"}
