"""Schedules and the configuration in a browser: a real beat that is stopped, and real workers that differ."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Reader
from tests.e2e.stack import Stack
from tests.project.processes import running
from tests.project.serving import CHECKOUT
from tests.tasksdemo.shop import manage, wait_for, worker

SECRET = "Xq7zw-K9-vF3p"
#: Seconds within which a stopped beat has to be marked, and what a busy machine may add to them.
MARKED_WITHIN, BUSY = 60, 60
ADD = """
from django_celery_beat.models import IntervalSchedule, PeriodicTask
every = IntervalSchedule.objects.create(every=5, period="seconds")
for name, enabled in (("Quick prices", True), ("Off prices", False)):
    PeriodicTask.objects.create(
        name=name, task="tasksdemo.tasks.catalogue.warm_prices", interval=every, enabled=enabled
    )
"""
REMOVE = """
from django_celery_beat.models import PeriodicTask
PeriodicTask.objects.all().delete()
"""


def says(page: Page, words: str) -> None:
    """The page comes to say it, when it is looked at again and again."""

    def said() -> bool:
        page.reload()
        return words in page.locator(".mon-beat").inner_text()

    wait_for(said, lambda: f"{words!r} in {page.locator('.mon-beat').inner_text()!r}")


def test_a_stopped_beat_is_marked_and_schedules_are_switched_and_run(
    stack: Stack, reader: Reader, tmp_path: Path
) -> None:
    manage(stack.environment, "shell", "-v0", "-c", ADD)
    try:
        page = reader.open(stack.redis, "schedule/", user="operator")
        row = page.locator('tr[data-schedule="Off prices"]')
        row.get_by_role("link", name=re.compile("^Run now")).click()
        question = page.locator("dialog[open]")
        expect(question.locator("h1")).to_have_text("Run Off prices now?")
        question.get_by_role("button", name="Run Off prices now").click()
        expect(page.locator(".mon-told")).to_contain_text("Run now: Off prices done.")
        expect(page.locator(".mon-told")).to_contain_text("Observed:")

        row.get_by_role("switch").click()
        expect(page.locator(".mon-told")).to_contain_text("Switch on: Off prices done.")
        expect(row.get_by_role("switch")).to_have_attribute("aria-checked", "true")
        row.get_by_role("switch").click()
        expect(row.get_by_role("switch")).to_have_attribute("aria-checked", "false")

        beat = [sys.executable, "-m", "celery", "-A", "project", "beat", "--max-interval", "2"]
        beat += ["--pidfile", "", "-l", "INFO"]
        log = tmp_path / "beat.log"
        with running(beat, CHECKOUT, stack.environment, log) as started:
            started.until(lambda: log.read_text().count("Sending due task Quick prices") > 2)
            says(page, "Beat is alive.")
            expect(page.locator('tr[data-schedule="Quick prices"]')).to_contain_text("Every 5\u00a0s")
        stopped = time.monotonic()
        says(page, "Beat sends nothing.")
        assert time.monotonic() - stopped < MARKED_WITHIN + BUSY
        expect(page.locator('tr[data-schedule="Quick prices"]')).to_contain_text(re.compile(r"\d missed"))

        page.goto(f"{stack.redis.address}/admin/monitoring/auditentry/?target=Off+prices")
        expect(page.locator("#mon-content tbody tr")).to_have_count(3)
    finally:
        manage(stack.environment, "shell", "-v0", "-c", REMOVE)


def test_two_workers_that_differ_stand_side_by_side_without_their_secrets(
    stack: Stack, reader: Reader, tmp_path: Path
) -> None:
    other = {
        **stack.environment,
        "CELERY_RESULT_BACKEND": f"redis://shop:{SECRET}@127.0.0.1:1/5?token={SECRET}",
    }
    with worker(other, tmp_path / "pay.log", "-n", "celery@pay", "-Q", "pay"):
        page = reader.open(stack.redis, "config/", user="operator")
        row = page.locator('tr[data-setting="result_backend"]')

        def differs() -> bool:
            page.reload()
            return "on celery@pay" in row.inner_text()

        wait_for(differs, "two values of result_backend")
        expect(row).to_contain_text("differs")
        expect(row).to_contain_text("'redis://shop:[redacted]@127.0.0.1:1/5?token=[redacted]'")
        expect(row).to_contain_text("'django-db'")
        assert SECRET not in page.content()
        page.get_by_label("pay", exact=True).or_(
            page.locator('input[name="worker"][value="celery@pay"]')
        ).first.check()
        expect(page).to_have_url(re.compile("worker=celery"))
        expect(page.locator('tr[data-setting="result_backend"]')).not_to_contain_text("django-db")
        page.get_by_role("button", name="Read again").click()
        expect(page.locator(".mon-told")).to_contain_text("Inspect now")
        assert SECRET not in page.content()
