"""A failed task is run again with edited arguments, and 200 at a rate, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import kombu
import pytest
from django.utils import timezone
from playwright.sync_api import expect

from monitoring.models import Rerun, Task
from tests.control.fleet_app import app
from tests.e2e.conftest import OpenPage
from tests.e2e.test_bulk import grant
from tests.e2e.test_every_page import serious

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "tests.control.fleet_app.note"
QUEUE = "rerun-browser"


@pytest.fixture
def broker(rabbitmq_url: str, settings: Any) -> Iterator[str]:
    settings.MONITORING = {
        **settings.MONITORING,
        "CELERY_APP": "tests.control.fleet_app.app",
        "CONTROL_TIMEOUT": 20.0,
    }
    app.conf.update(broker_url=rabbitmq_url)
    yield rabbitmq_url
    app.conf.update(broker_url="memory://")


def failed(number: int, **fields: Any) -> Task:
    now = timezone.now() - timedelta(minutes=5)
    return Task(
        task_id=f"failed-{number}", name=NAME, state="FAILURE", queue=QUEUE, exception="OSError('no')",
        exception_type="OSError", first_seen=now - timedelta(seconds=number), updated_at=now, finished_at=now,
        args="(1,)", kwargs="{'tries': 1}", **fields,
    )  # fmt: skip


def sent(url: str) -> list[Any]:
    with kombu.Connection(url) as connection:
        queue = kombu.Queue(QUEUE)(connection.default_channel)
        bodies = []
        while message := queue.get(no_ack=True, accept=["json"]):
            bodies.append(message.payload[:2])
        queue.delete()
        return bodies


def test_a_failed_task_is_run_again_with_edited_arguments(open_page: OpenPage, broker: str) -> None:
    failed(
        1,
        arguments='[["[redacted]"],{"tries":1}]',
        arguments_are="redacted",
        workflow='{"callbacks": ["shop.mail"]}',
    ).save()
    grant("rerun_task")
    page = open_page("monitoring/task/failed-1/change/")
    page.get_by_role("link", name="Run again").click()
    expect(page.locator(".mon-question-facts")).to_contain_text("shop.mail")
    expect(page.locator(".mon-question-facts")).to_contain_text("redacted, and are not known here")
    assert serious(page) == []
    page.get_by_label("I have looked").check()
    expect(page.get_by_role("button", name="Run")).to_be_disabled()
    expect(page.get_by_label("args[0]")).to_have_accessible_description(
        "Its value was never stored. The task cannot run without it."
    )
    page.get_by_label("args[0]").fill("2")
    expect(page.locator(".mon-field-wrong:visible")).to_have_count(0)
    page.get_by_label("tries").fill("3")
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".mon-lineage")).to_contain_text("Rerun as")
    expect(page.locator(".mon-lineage")).to_contain_text(Rerun.objects.get().task_id)
    assert sent(broker) == [[[2], {"tries": 3}]]


def test_200_are_run_again_with_progress_and_a_result_for_each(open_page: OpenPage, broker: str) -> None:
    Task.objects.bulk_create(
        failed(
            n,
            arguments=f"[[{n}],{{}}]",
            arguments_are="exact",
            full_ts=1,
            full_tie=1,
            received_ts=1,
            received_tie=1,
        )
        for n in range(200)
    )
    grant("rerun_task")
    page = open_page("monitoring/task/?state=FAILURE")
    page.locator("#mon-select-all").check()
    page.locator("#mon-bulk").get_by_role("button", name="Run again").click()
    page.locator("[name=rate]").fill("60")
    page.get_by_role("button", name="Look at the tasks").click()
    page.get_by_role("button", name="Run 200 tasks again").click()
    expect(page.locator("h2", has_text="Done")).to_be_visible(timeout=120_000)
    expect(page.locator("[role=status] b")).to_have_text("200 sent again, 0 left out")
    assert sorted(args for args, _kwargs in sent(broker)) == [[n] for n in range(200)]
