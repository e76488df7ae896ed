"""A chart as a table in a browser: copied, saved as a file, and as new as the page while it is open."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from monitoring.control.marks import mark
from tests.e2e.conftest import OpenPage
from tests.e2e.test_fetched_pages import AFTER, BEFORE, counted, open_live
from tests.e2e.test_live_frames import frame
from tests.factories import make_task

pytestmark = pytest.mark.django_db(transaction=True)

PAY = "shop.tasks.pay"
#: Of a button in its panel.
PLACE = """button => {
  const [inner, outer] = [button, button.closest("section")].map((one) => one.getBoundingClientRect());
  return [inner.left - outer.left, inner.top - outer.top];
}"""
FORMULA = '=HYPERLINK("http://evil","v1.2")'


def make_tasks(now: datetime) -> None:
    for number in range(6):
        make_task(name=PAY, state="SUCCESS", finished_at=now - timedelta(minutes=number + 2), runtime=1.5)
    counted(BEFORE)


def opened(page: Page, key: str = "mon-chart-throughput") -> Locator:
    """The chart `key`, shown as a table."""
    chart = page.locator(f"#{key}")
    chart.get_by_role("button", name="show as table").click()
    expect(chart.locator("table")).to_be_visible()
    return chart


def saved(page: Page, button: Locator) -> tuple[str, bytes]:
    with page.expect_download() as downloading:
        button.click()
    download = downloading.value
    return download.suggested_filename, Path(download.path()).read_bytes()


def test_a_table_is_saved_as_csv_that_no_spreadsheet_executes(open_page: OpenPage) -> None:
    now = timezone.now()
    make_tasks(now)
    mark(FORMULA, now - timedelta(minutes=4))
    page = open_page("monitoring/")
    chart = page.locator("#mon-chart-throughput")
    expect(chart.get_by_role("button", name="CSV")).to_be_hidden()
    opened(page)
    name, content = saved(page, chart.get_by_role("button", name="CSV"))
    first, last = page.evaluate(
        "(({ start, end }) => [start, end])(JSON.parse(document.getElementById('mon-chart-throughput').dataset.chart))"
    )
    start, end = (
        f"{timezone.localtime(datetime.fromtimestamp(at, now.tzinfo)):%Y-%m-%d-%H%M}" for at in (first, last)
    )
    assert name == f"throughput-{start}-to-{end}.csv"
    assert content.endswith(b"\r\n")
    assert (
        f'"\'{FORMULA}"'.replace('("http://evil","v1.2")', '(""http://evil"",""v1.2"")') in content.decode()
    )
    head, newest, *older = list(csv.reader(content.decode().split("\r\n")[:-1]))
    assert head == ["Time", "Succeeded", "Retried", "Failed", "Note"]
    assert newest[-1] == "filling"
    assert datetime.fromisoformat(newest[0]) == datetime.fromtimestamp(last - 60, now.tzinfo)
    assert newest[0].endswith("Z")
    assert len(older) == (last - first) / 60 - 1
    assert sum(int(row[1]) for row in older) == 6
    assert [row[-1] for row in older if row[-1]] == [f"'{FORMULA}"]
    shown = chart.locator("tbody tr").all_inner_texts()
    assert "filling" in shown[0]
    assert [index for index, text in enumerate(shown) if FORMULA in text] == [
        1 + index for index, row in enumerate(older) if row[-1]
    ]


def test_a_table_is_copied_with_tabs_and_says_so(open_page: OpenPage) -> None:
    now = timezone.now()
    make_tasks(now)
    page = open_page("monitoring/", clipboard=True)
    chart = opened(page, "mon-chart-runtime")
    copy = chart.get_by_role("button", name="copy the table")
    copy.click()
    expect(copy.locator(".mon-icon-tick")).to_be_visible()
    expect(page.locator("#mon-announcements")).to_have_text("Copied")
    head, *rows = [line.split("\t") for line in page.evaluate("navigator.clipboard.readText()").split("\n")]
    assert head == ["Time", "p50 (s)", "p95 (s)", "p99 (s)", "Note"]
    assert len(rows) == chart.locator("tbody tr").count() == 6
    assert [float(cell) for row in rows for cell in row[1:4]] == pytest.approx([1.5] * 18, rel=0.06)
    expect(copy.locator(".mon-icon-copy")).to_be_visible()


def test_the_spread_of_run_times_is_saved_as_well(open_page: OpenPage) -> None:
    make_tasks(timezone.now())
    page = open_page(f"monitoring/statistic/?name={PAY}")
    page.locator(".mon-spread summary").click()
    name, content = saved(page, page.locator(".mon-spread").get_by_role("button", name="CSV"))
    assert name.startswith("how-long-it-runs-")
    head, *bars = list(csv.reader(content.decode().split("\r\n")[:-1]))
    assert head == ["Run time from (s)", "Run time to (s)", "Tasks"]
    assert sum(int(bar[2]) for bar in bars) == 6
    assert float(bars[0][0]) <= 1.5 <= float(bars[-1][1])


def test_an_open_table_follows_the_page_and_is_copied_as_it_is_then(open_page: OpenPage) -> None:
    now = timezone.now()
    make_tasks(now)
    page, sockets = open_live(open_page, f"statistic/?name={PAY}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chart = opened(page)
    page.mouse.move(0, 0)
    make_task(name=PAY, state="FAILURE", finished_at=now - timedelta(minutes=3), exception_type="KeyError")
    counted(AFTER)
    sockets[-1].send(frame(1, full=True, found={"at": AFTER.isoformat()}))
    expect(chart.locator("tbody").get_by_role("cell", name="1", exact=True)).to_have_count(7)
    expect(chart.locator("canvas")).to_be_hidden()
    chart.get_by_role("button", name="copy the table").click()
    expect(page.locator("#mon-announcements")).to_have_text("Copied")
    _head, *rows = [line.split("\t") for line in page.evaluate("navigator.clipboard.readText()").split("\n")]
    assert sum(int(row[1]) for row in rows) == 6
    assert sum(int(row[3]) for row in rows) == 1
    chart.get_by_role("button", name="show as table").click()
    expect(chart.locator("canvas")).to_be_visible()


def test_the_switch_stays_under_the_pointer_that_pressed_it(open_page: OpenPage) -> None:
    make_tasks(timezone.now())
    for width in (1440, 390, 360):
        page = open_page("monitoring/", width=width)
        for switch in page.get_by_role("button", name="show as table").all():
            before = switch.evaluate(PLACE)
            switch.click()
            assert switch.evaluate(PLACE) == before
            switch.click()
