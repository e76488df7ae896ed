"""The live monitor as the server renders it: who may see it, what it shows before any frame has come."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring.models import FeedEntry
from monitoring.queries.visibility import Visibility
from monitoring.time_steps import MINUTE, start_of
from monitoring.upkeep.statistics.counting import count_minutes
from monitoring.upkeep.statistics.storing import store_buckets
from tests.factories import VIEWER_PERMISSIONS, make_task, make_user, make_worker

pytestmark = pytest.mark.django_db

URL = reverse("admin:monitoring_monitor_changelist")
PEEK = reverse("admin:monitoring_monitor_peek")


def client_of(*permissions: str, **fields: Any) -> Client:
    client = Client()
    client.force_login(make_user("someone", *permissions, **fields))
    return client


def viewer() -> Client:
    return client_of(*VIEWER_PERMISSIONS)


def text_of(client: Client, url: str, **query: Any) -> str:
    response = client.get(url, query)
    assert response.status_code == 200
    return response.content.decode()


def make_running(task_id: str, seconds: float, **fields: Any) -> None:
    now = timezone.now()
    make_task(
        task_id,
        state="STARTED",
        runtime=None,
        first_seen=now - timedelta(seconds=seconds + 1),
        attempt_started_at=now - timedelta(seconds=seconds),
        **fields,
    )


def make_finished(task_id: str, seconds_ago: float, **fields: Any) -> None:
    ended = timezone.now() - timedelta(seconds=seconds_ago)
    make_task(task_id, finished_at=ended, first_seen=ended - timedelta(seconds=1), updated_at=ended, **fields)


def limited(user: Any) -> Visibility:
    return Visibility(names=("shop.*",))


@pytest.mark.parametrize("url", [URL, PEEK])
def test_a_signed_out_reader_is_sent_to_the_login(client: Client, url: str) -> None:
    assert client.get(url).url.startswith(reverse("admin:login"))


@pytest.mark.parametrize("url", [URL, PEEK])
@pytest.mark.parametrize("lacking", ["view_monitor", "view_task"])
def test_page_and_peek_need_the_permissions_for_the_monitor_and_for_tasks(url: str, lacking: str) -> None:
    make_finished("any", 1)
    permissions = [permission for permission in VIEWER_PERMISSIONS if permission != lacking]
    assert client_of(*permissions).get(url, {"task": "any"}).status_code == 403


def test_running_tasks_stand_longest_first_and_finished_ones_newest_first() -> None:
    make_running("short", 2)
    make_running("long", 200)
    make_finished("older", 20)
    make_finished("newer", 3)
    page = text_of(viewer(), URL)
    places = [page.index(f'data-task="{task_id}"') for task_id in ("long", "short", "newer", "older")]
    assert places == sorted(places)


def test_what_waits_is_told_apart_from_the_legend_before_it() -> None:
    make_running("one", 5)
    make_task(state="PENDING")
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text_of(viewer(), URL)))
    assert "over 5 × the task's p95 · 1 waiting" in unescape(words)


def test_the_filter_of_the_address_is_that_of_both_lists() -> None:
    make_running("mine", 5, name="billing.tasks.render")
    make_running("other", 5)
    make_finished("failed", 5, name="billing.tasks.send", state="FAILURE")
    make_finished("succeeded", 5, name="billing.tasks.send")
    page = text_of(viewer(), URL, name="billing.*", state=["FAILURE", "STARTED"])
    assert 'data-task="mine"' in page
    assert 'data-task="failed"' in page
    assert 'data-task="other"' not in page
    assert 'data-task="succeeded"' not in page
    assert "Remove task billing.*" in page


def test_a_run_far_beyond_what_is_usual_of_the_task_is_red_when_it_is_opened() -> None:
    ended = timezone.now() - timedelta(days=1)
    for _ in range(20):
        make_task(name="shop.pay", runtime=2.0, finished_at=ended)
    store_buckets("default", count_minutes("default", {start_of(ended, MINUTE)}))
    make_running("long", 60, name="shop.pay")
    make_running("brief", 1, name="shop.pay")
    reader = viewer()
    long, brief = (text_of(reader, PEEK, task=task_id) for task_id in ("long", "brief"))
    assert "mon-elapsed mon-bad" in long
    assert "mon-elapsed mon-bad" not in brief
    assert "data-limit" in brief
    assert re.search("Usually p50 (1.9|2.0).*fails 0\u00a0%", brief)


def test_a_progress_bar_is_drawn_without_style_attributes() -> None:
    make_running("one", 5, progress=0.41, progress_message="Reindexing <b>")
    page = text_of(viewer(), URL)
    assert 'class="mon-progress-bar" width="41"' in page
    assert "Reindexing &lt;b&gt;" in page
    assert "style=" not in page


def test_without_view_payload_neither_arguments_nor_messages_are_on_the_page() -> None:
    make_running("one", 5, args="('ARGSECRET',)", kwargs="{}", progress=0.5, progress_message="MESSAGESECRET")
    make_finished("two", 5, state="FAILURE", exception="ValueError('EXCSECRET')", result="RESULTSECRET")
    client = client_of("view_monitor", "view_task")
    for shown in (text_of(client, URL), text_of(client, PEEK, task="one"), text_of(client, PEEK, task="two")):
        assert "SECRET" not in shown
    assert "50\N{NO-BREAK SPACE}%" in text_of(client, URL)


def test_a_task_is_peeked_at_with_what_it_carries_and_a_way_to_its_page() -> None:
    make_running("some/id", 5, args="(48213,)", kwargs="{'amount': '129.90'}", queue="payments", retries=2)
    peek = text_of(viewer(), PEEK, task="some/id")
    assert "48213" in peek
    assert "129.90" in peek
    assert "attempt 3" in peek
    assert "payments" in peek
    assert reverse("admin:monitoring_task_change", args=["some_2Fid"]) in peek
    assert "<html" not in peek


@pytest.mark.parametrize("task_id", ["nothing", "", "nul\0", "hidden"])
def test_a_task_that_is_not_there_or_may_not_be_seen_is_404(settings: Any, task_id: str) -> None:
    make_running("hidden", 5, name="billing.render")
    settings.MONITORING = {"VISIBILITY": "tests.admin.test_monitor.limited"}
    assert viewer().get(PEEK, {"task": task_id}).status_code == 404


def test_a_limited_user_sees_their_tasks_and_no_figures_of_everybody(settings: Any) -> None:
    settings.MONITORING = {"VISIBILITY": "tests.admin.test_monitor.limited"}
    make_running("mine", 5)
    make_running("other", 5, name="billing.render")
    FeedEntry.objects.create(at=timezone.now(), events=100, changes=100)
    page = text_of(viewer(), URL)
    assert 'data-task="mine"' in page
    assert 'data-task="other"' not in page
    assert "events/s" not in page
    assert "changes since then" not in page


def test_workers_are_there_with_active_of_concurrency_and_load() -> None:
    make_worker("celery@web-1", active=3, concurrency=16, load_average=[3.1, 2.9, 2.5])
    make_worker("celery@web-2", online=False)
    make_running("one", 5)
    page = text_of(viewer(), URL)
    assert "3/16" in page
    assert "load 3.1" in page
    assert "offline" in page


def test_figures_come_from_the_feed_before_the_first_frame() -> None:
    make_running("one", 5)
    FeedEntry.objects.create(at=timezone.now(), events=100, changes=100, succeeded=40, failed=2)
    page = text_of(viewer(), URL)
    assert '<b data-counter="finished_last_minute">42</b>' in page
    assert '<b data-counter="failures_last_minute" class="mon-bad">2</b>' in page


def test_before_anything_has_arrived_the_page_says_why() -> None:
    assert "No task has arrived yet" in text_of(viewer(), URL)


def test_without_channels_the_page_works_and_says_that_it_does_not_update(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("monitoring.admin.live.socket_path", lambda: None)
    make_running("one", 5)
    page = text_of(viewer(), URL)
    assert 'data-task="one"' in page
    assert "live pages need Channels" in page
    assert 'id="mon-pause"' not in page


def test_without_scripts_the_page_says_that_it_does_not_update() -> None:
    make_running("one", 5)
    page = text_of(viewer(), URL)
    assert "<noscript>" in page
    assert "needs JavaScript" in page


def test_every_monitoring_page_has_the_status_strip_and_leads_to_the_monitor() -> None:
    client = client_of(*VIEWER_PERMISSIONS)
    make_finished("one", 5)
    for model in ("monitor", "task", "worker", "gap", "deadletter"):
        page = text_of(client, reverse(f"admin:monitoring_{model}_changelist"))
        assert 'id="mon-strip"' in page
        assert f'href="{URL}"' in page
