"""What holds on every page: accessible in both themes, no sideways scroll, nothing that the policy forbids."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from playwright.sync_api import FloatRect, Locator, Page

from monitoring.control.marks import mark
from monitoring.models import FailureTriage, WorkerSnapshot
from monitoring.models.statistic import OUTCOMES
from monitoring.models.task import State
from monitoring.queries.failures import end_of_counts
from monitoring.tracebacks.fingerprint import Places, fingerprint_of
from tests.e2e.conftest import OpenPage
from tests.factories import (
    count_statistics,
    make_dead_letter,
    make_event,
    make_gap,
    make_queue,
    make_task,
    make_worker,
)
from tests.queries.counted_failures import count_all, make_failure

pytestmark = pytest.mark.django_db(transaction=True)

LONG = "a_very_long_name_without_any_place_to_break_" * 4
LONG_NAME = f"shop.{LONG}.{LONG}"
#: Where it failed, and the name of that exception, are as long.
TRACEBACK = (
    f'Traceback (most recent call last):\n  File "/srv/{LONG}.py", line 3, in {LONG}\n    x\n{LONG}: x\n'
)
PLACE = Places().digest(LONG, TRACEBACK)
PAGES = {
    "list": "monitoring/task/",
    "filtered list": "monitoring/task/?state=FAILURE&state=RETRY&name=shop.*&period=1h&q=shop",
    "empty list": "monitoring/task/?state=LOST&queue=nothing",
    "task": "monitoring/task/long/change/",
    "failures": "monitoring/failures/",
    "failures of one task": f"monitoring/failures/?name={LONG_NAME}",
    "no failures of one task": f"monitoring/failures/?name={LONG_NAME}x",
    "group of failures": f"monitoring/failures/{fingerprint_of(LONG_NAME, PLACE)}/change/",
    "workers": "monitoring/worker/",
    "worker": "monitoring/worker/celery_40web-1/change/",
    "queues": "monitoring/queue/",
    "queue": f"monitoring/queue/{LONG}/change/".replace("_", "_5F"),
    "dead letters": "monitoring/deadletter/",
    "gaps": "monitoring/gap/",
    "schedules": "monitoring/schedule/",
    "configuration": "monitoring/config/",
    "dashboard": "monitoring/",
    "filtered dashboard": f"monitoring/?range=7d&name=shop.{LONG}.{LONG}",
    "statistics of all tasks": "monitoring/statistic/?range=24h",
    "API tokens": "monitoring/apitoken/",
    "statistics of a task": f"monitoring/statistic/?name={LONG_NAME}",
    "definition of a task": f"monitoring/statistic/?name={LONG_NAME}&tab=definition",
    "index": "",
    "monitor": "monitoring/monitor/",
    "filtered monitor": "monitoring/monitor/?state=FAILURE&name=shop.*&worker=celery@web-1",
}


#: Nothing, or what reaches beyond the window where the page itself can be scrolled sideways.
WIDER = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .map((element) => `${element.tagName}.${element.className} ${element.getBoundingClientRect().right}`)"""


#: What ends in "…" for want of room, and has no title that says the whole of it.
CUT_SILENTLY = """() => [...document.querySelectorAll("#mon-content *, .mon *")]
    .filter((element) => getComputedStyle(element).textOverflow === "ellipsis")
    .filter((element) => element.scrollWidth > element.clientWidth + 1)
    .filter((element) => !element.closest("[title]") && !element.querySelector("[title]"))
    .map((element) => element.outerHTML.slice(0, 200))"""


@pytest.fixture
def _rows(db: None) -> None:
    now = timezone.now()
    for number, state in enumerate(State.values):
        make_task(
            state=state,
            first_seen=now - timedelta(seconds=number),
            exception_type="ValueError",
            finished_at=now - timedelta(minutes=number) if state in OUTCOMES and state != "RETRY" else None,
        )
    long = make_task(
        "long",
        name=LONG_NAME,
        state="FAILURE",
        worker=f"celery@{LONG}",
        queue=LONG,
        args=f"('{LONG * 5}',)",
        kwargs=f"{{'{LONG}': '{LONG}'}}",
        result=LONG * 5,
        exception=f"ValueError('{LONG * 3}')",
        exception_type="ValueError",
        traceback=f"Traceback\n  {LONG * 3}\n" * 30,
        finished_at=now - timedelta(minutes=3),
    )
    ended = end_of_counts(now) - timedelta(minutes=5)
    make_failure(
        ended,
        name=LONG_NAME,
        exception_type=LONG,
        exception=f"E('{LONG * 3}')",
        traceback=TRACEBACK,
        worker=f"celery@{LONG}",
    )
    for number in range(6):
        make_failure(
            ended, kwargs=f"{{'{LONG}': '{LONG}'}}", traceback=TRACEBACK, worker=f"celery@w-{number}"
        )
        make_task(name="shop.pay", finished_at=ended)
    count_all()
    decided = FailureTriage(fingerprint=fingerprint_of(LONG_NAME, PLACE), acknowledged_at=now, assignee=LONG)
    decided.note = f"{LONG}\n{LONG}"
    decided.save()
    make_event(long, "task-sent", 0, "gen1@web", retries=0, queue=LONG)
    make_event(long, "task-received", 1, f"celery@{LONG}", retries=0)
    make_event(long, "task-started", 2, f"celery@{LONG}", pid=12)
    make_event(long, "task-failed", 3, f"celery@{LONG}", exception=f"ValueError('{LONG}')", traceback=LONG)
    make_worker("celery@web-1", queues=[f"queue-{n}" for n in range(12)])
    make_worker("celery@web-2", online=False, active=None)
    make_worker(f"celery@{LONG}", active=16)
    make_queue(
        LONG,
        ready=12_345,
        unacked=3,
        growth=1.5,
        publish_rate=1_234.5,
        deliver_rate=0.1,
        ack_rate=0.1,
        oldest_sent_at=now - timedelta(hours=3),
        unconsumed_since=now - timedelta(minutes=9),
        last_worker=f"celery@{LONG}",
        last_worker_at=now,
        settings={LONG: LONG},
    )
    make_queue("quiet", workers=[f"celery@{LONG}", "celery@web-1"])
    make_dead_letter(reason=LONG)
    make_gap(reason=LONG)
    every = IntervalSchedule.objects.create(every=60, period="seconds")
    for name, task in (("nightly", "shop.tasks.send_email"), (LONG, f"shop.{LONG}")):
        PeriodicTask.objects.create(name=name, task=task, interval=every, queue=name[:200])
    PeriodicTask.objects.create(name="off", task="shop.off", interval=every, enabled=False)
    for hostname, accepted in (("celery@web-1", ["json"]), ("celery@web-2", ["json", "pickle"])):
        WorkerSnapshot.objects.create(
            hostname=hostname,
            kind="conf",
            content={
                "accept_content": accepted,
                "task_acks_late": True,
                "task_routes": {LONG: LONG},
                "broker_url": "amqp://a:b@c//",
            },
            asked_at=now,
            answered_at=now,
        )
    mark(LONG[:100], now - timedelta(minutes=20))
    count_statistics()


def settle(page: Page) -> None:
    """Let the page look as it will stay.

    What a test has seen of a page that it came to by a click may be there before the last style sheets, one of which is
    the admin's for narrow windows; and links and buttons take a moment to change their colour.
    """
    page.wait_for_load_state()
    # In a closed menu a change of colour is never reported as over, so it is not waited for.
    page.evaluate("() => document.getAnimations().forEach((change) => change.finish())")


def place(locator: Locator) -> FloatRect:
    """Where it stands on the page."""
    found = locator.bounding_box()
    assert found
    return found


def serious(page: Page) -> list[str]:
    """What axe finds of serious and critical violations, once the page has settled."""
    settle(page)
    found = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:200]} {node['failureSummary'][:200]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.usefixtures("_rows")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_violation(open_page: OpenPage, theme: str) -> None:
    found = {}
    for width in (1440, 390):
        page = open_page("", theme=theme, width=width)
        for path in PAGES.values():
            page.goto(f"/admin/{path}")
            found[f"{path} {width}"] = serious(page)
    assert {path: violations for path, violations in found.items() if violations} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_violation_before_anything_arrived(open_page: OpenPage, theme: str) -> None:
    for path in (
        "monitoring/task/",
        "monitoring/worker/",
        "monitoring/monitor/",
        "monitoring/",
        "monitoring/statistic/",
    ):
        assert serious(open_page(path, theme=theme)) == []


@pytest.mark.usefixtures("_rows")
@pytest.mark.parametrize("width", [360, 390, 768, 1024, 1440, 2560])
def test_no_page_scrolls_sideways(open_page: OpenPage, width: int) -> None:
    page = open_page("", width=width)
    found = {}
    for path in PAGES.values():
        page.goto(f"/admin/{path}")
        found[path] = page.evaluate(WIDER)
    assert {path: wider for path, wider in found.items() if wider} == {}


@pytest.mark.usefixtures("_rows")
@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_the_pages_follow_the_admins_theme(open_page: OpenPage, theme: str) -> None:
    page = open_page("monitoring/task/", theme=theme)
    colour: Any = page.evaluate(
        "getComputedStyle(document.querySelector('.mon-badge.mon-state-failure')).color"
    )
    assert colour == ("rgb(255, 157, 150)" if theme == "dark" else "rgb(179, 38, 30)")


@pytest.mark.usefixtures("_rows")
def test_the_tab_of_a_page_is_in_sight_on_a_phone(open_page: OpenPage) -> None:
    page = open_page("", width=360)
    for path in ("task/", "queue/", "config/", "apitoken/", "worker/celery_40web-1/change/?tab=system"):
        page.goto(f"/admin/monitoring/{path}")
        settle(page)
        for tabs in page.locator(".mon-tabs").all():
            box, tab = place(tabs), place(tabs.locator("[aria-current]"))
            assert box["x"] <= tab["x"], path
            assert tab["x"] + tab["width"] <= box["x"] + box["width"] + 1, path


@pytest.mark.usefixtures("_rows")
def test_a_long_name_gives_way_and_a_short_one_is_seen(open_page: OpenPage) -> None:
    """Where the module does not fit, the function is what stays; on a phone too."""
    for width in (360, 1440):
        page = open_page("monitoring/statistic/?range=24h", width=width)
        function = page.locator(".mon-statistics .mon-function", has_text=re.compile("^pay$"))
        name, cell = place(function), place(function.locator("xpath=ancestor::th"))
        assert name["width"] > 20
        assert cell["y"] <= name["y"]
        assert name["y"] + name["height"] <= cell["y"] + cell["height"] + 1


@pytest.mark.usefixtures("_rows")
def test_cards_say_what_their_figures_are(open_page: OpenPage) -> None:
    page = open_page("monitoring/schedule/", width=360)
    label = "cell => getComputedStyle(cell, '::before').content"
    for cell, words in (("ended", "Ended, run time"), ("next", "Next run"), ("trend", "Last 24 runs")):
        assert page.locator(f".mon-schedules .mon-cell-{cell}").first.evaluate(label) == f'"{words}"'


@pytest.mark.usefixtures("_rows")
def test_cards_of_workers_have_their_figures_in_line_with_the_totals(open_page: OpenPage) -> None:
    page = open_page("monitoring/worker/", width=360)
    for cell in ("processed", "failed"):
        cells = page.locator(f".mon-workers .mon-cell-{cell}").all()
        assert len({place(each)["x"] for each in cells}) == 1
    assert page.locator(".mon-workers tbody .mon-cell-load").first.is_visible()


@pytest.mark.usefixtures("_rows")
def test_reasons_are_read_on_a_phone(open_page: OpenPage) -> None:
    """They have the width of the page, and not what other columns leave."""
    page = open_page("", width=360)
    for path in ("gap", "deadletter"):
        page.goto(f"/admin/monitoring/{path}/")
        reason = place(page.locator("tbody .mon-wrap").first)
        assert reason["width"] > 280
        assert reason["x"] + reason["width"] <= 360


@pytest.mark.usefixtures("_rows")
def test_of_a_name_nothing_is_seen_beyond_its_line(open_page: OpenPage) -> None:
    """A module for which there is no room is out of sight, and the function begins at the left."""
    page = open_page("monitoring/schedule/", width=360)
    box = page.locator(".mon-schedule-task .mon-task-name", has_text=LONG)
    line, module, function = (
        place(box),
        place(box.locator(".mon-module")),
        place(box.locator(".mon-function")),
    )
    assert module["y"] >= line["y"] + line["height"] - 1
    assert function["x"] == line["x"]


@pytest.mark.usefixtures("_rows")
@pytest.mark.parametrize("width", [360, 1440])
def test_nothing_is_cut_without_a_title(open_page: OpenPage, width: int) -> None:
    page = open_page("", width=width)
    found = {}
    for path in PAGES.values():
        page.goto(f"/admin/{path}")
        found[path] = page.evaluate(CUT_SILENTLY)
    assert {path: cut for path, cut in found.items() if cut} == {}
