"""The list of workers and the page of one."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_worker

pytestmark = pytest.mark.django_db


def listed(client: Client, query: str = "") -> str:
    response = client.get(reverse("admin:monitoring_worker_changelist") + query)
    assert response.status_code == 200
    return response.content.decode().replace("\u00a0", " ")


def names(html: str) -> list[str]:
    return re.findall(r'<tr data-worker="([^"]*)"', html)


def test_offline_workers_come_first_and_each_row_has_its_figures(admin_client: Client) -> None:
    make_worker(
        "celery@a", active=8, concurrency=16, load_average=[3.1, 2.9, 2.5], queues=["default", "mail"]
    )
    make_worker("celery@b", online=False, last_heartbeat=timezone.now() - timedelta(minutes=11))
    html = listed(admin_client)
    assert names(html) == ["celery@b", "celery@a"]
    for words in (
        "Offline",
        "11 min ago",
        "Online",
        "8 of 16",
        "1,204,331",
        "3.1, 2.9, 2.5",
        "prefork",
        "mail",
    ):
        assert words in html
    assert '<rect class="mon-meter-bar" width="50" height="6"/>' in html


def test_a_full_worker_is_marked(admin_client: Client) -> None:
    make_worker("celery@full", active=16)
    assert "mon-meter-full" in listed(admin_client)


def test_status_selects(admin_client: Client) -> None:
    make_worker("celery@a")
    make_worker("celery@b", online=False, active=16)
    assert names(listed(admin_client, "?status=online")) == ["celery@a"]
    assert names(listed(admin_client, "?status=offline")) == ["celery@b"]
    assert "mon-meter-full" not in listed(admin_client, "?status=offline"), (
        "its last report is no load of today"
    )


def test_what_is_not_known_is_a_dash(admin_client: Client) -> None:
    worker = make_worker(
        pool=None, concurrency=None, queues=None, active=None, processed=None, load_average=None, software=None,
        last_heartbeat=None, started_at=None, frequency=None, pid=None, inspected_at=None,
    )  # fmt: skip
    assert "–" in listed(admin_client)
    html = admin_client.get(reverse("admin:monitoring_worker_change", args=[worker.pk])).content.decode()
    assert "the worker has not answered an inspection yet" in html


def test_no_worker_yet_says_how_to_start_one(admin_client: Client) -> None:
    html = listed(admin_client)
    assert "No worker has been heard of yet" in html
    assert "celery -A project.celery worker -E" in html
    make_worker()
    assert "No worker has this status" in listed(admin_client, "?status=offline")


def test_the_page_of_a_worker_has_its_facts_and_its_tasks(admin_client: Client) -> None:
    worker = make_worker("celery@pay-1", queues=["payments"])
    html = admin_client.get(reverse("admin:monitoring_worker_change", args=[worker.pk])).content.decode()
    for words in ("4121", "py-celery 5.7.0 Linux", "payments", "prefork", "1,204,331", "2.00\u00a0s"):
        assert words in html
    assert reverse("admin:monitoring_task_changelist") + "?worker=celery%40pay-1" in html


def test_number_of_queries_does_not_grow_with_workers(admin_client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            listed(admin_client)
        return len(captured)

    make_worker()
    few = queries()
    for number in range(60):
        make_worker(f"celery@w{number}")
    assert queries() == few
