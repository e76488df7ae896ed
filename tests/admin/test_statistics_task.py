"""The page of one task's statistics, marks, and the card on the admin's index."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from monitoring.admin.card import INDEX, show_on_index
from monitoring.admin.statistics_parts.spread import axis_ticks
from monitoring.control.marks import mark
from monitoring.models import DeployMark, EventTotal, QueueSample, WorkerSnapshot
from monitoring.time_steps import MINUTE, start_of
from tests.admin.test_dashboard import dashboard, make_tasks
from tests.admin.test_permissions import client_of
from tests.factories import VIEWER_PERMISSIONS, count_statistics, make_task, make_user, make_worker

pytestmark = pytest.mark.django_db

PAY = "shop.tasks.pay"


def page(client: Client, query: str = f"?name={PAY}") -> Any:
    return client.get(reverse("admin:monitoring_statistic_changelist") + query)


@pytest.fixture
def viewer() -> Client:
    return client_of(*VIEWER_PERMISSIONS)


def make_counts(worker: str, succeeded: int, failed: int, seconds: float) -> None:
    now = timezone.now()
    for kind, count, time in (("task-succeeded", succeeded, seconds), ("task-failed", failed, 0.0)):
        EventTotal.objects.create(
            type=kind,
            name=PAY,
            worker=worker,
            queue="default",
            exception_type="",
            count=count,
            runtime_sum=time,
            created_at=now,
            updated_at=now,
        )


def make_answer(hostname: str, *lines: str) -> None:
    now = timezone.now()
    WorkerSnapshot.objects.create(
        hostname=hostname, kind="registered", content=list(lines), asked_at=now, answered_at=now
    )


def test_its_figures_agree_with_each_other_and_with_the_lists(viewer: Client) -> None:
    make_tasks()
    make_task("slow", name=PAY, queue="slow", runtime=9.0, finished_at=timezone.now() - timedelta(minutes=2))
    make_task("old", name=PAY, runtime=99.0, finished_at=timezone.now() - timedelta(hours=5))
    count_statistics()
    response = page(viewer)
    context = response.context
    assert [tile.figure for tile in context["tiles"]][:2] == ["9", "22.2"]
    assert [(row["queue"], row["finished"], row["failed"]) for row in context["queues"]] == [
        ("default", 8, 2),
        ("slow", 1, 0),
    ]
    assert context["spread"].total == 9
    assert context["extremes"].slowest[0].pk == "slow"
    assert {task.state for task in context["extremes"].failures} == {"FAILURE"}
    assert len(context["extremes"].failures) == 2
    for url, number in ((context["tasks_url"], 9), (context["failed_url"], 2)):
        assert viewer.get(url, follow=True).context["total"].number == number
    of_queue = viewer.get(reverse("admin:monitoring_statistic_changelist") + f"?name={PAY}&queue=slow")
    assert [tile.figure for tile in of_queue.context["tiles"]][:2] == ["1", "0"]
    assert [task.pk for task in of_queue.context["extremes"].slowest] == ["slow"]


def test_workers_are_told_apart_by_counts_of_events_and_by_what_they_registered(viewer: Client) -> None:
    make_counts("celery@a", 30, 10, 60.0)
    make_counts("celery@b", 60, 0, 30.0)
    make_answer("celery@a", f"{PAY} [rate_limit=10/m]", "shop.tasks.mail")
    make_answer("celery@b", "shop.tasks.mail")
    context = page(viewer).context
    assert [(row.hostname, row.runs, row.failed, row.mean, share) for row, share in context["workers"]] == [
        ("celery@b", 60, 0, 0.5, 0.6),
        ("celery@a", 40, 10, 2.0, 0.4),
    ]
    assert [(row.hostname, row.task.rate_limit) for row in context["registered"].rows] == [
        ("celery@a", "10/m")
    ]
    assert context["registered"].asked == 2


def test_single_runs_need_the_permission_to_see_tasks_and_their_arguments_that_of_payload() -> None:
    make_tasks()
    statistics_only = page(client_of("view_statistic"))
    assert "extremes" not in statistics_only.context
    assert "Last failures" not in statistics_only.content.decode()


def test_last_failures_lead_to_the_groups_of_failures_of_this_task(viewer: Client) -> None:
    make_tasks()
    url = page(viewer).context["failures_url"]
    assert url == f"{reverse('admin:monitoring_failures_changelist')}?name={PAY}&period=1h"
    assert f'href="{escape(url)}">In groups' in page(viewer).content.decode()
    assert viewer.get(url).context["name"] == PAY
    viewer.force_login(make_user("other", "view_statistic", "view_task"))
    assert "In groups" not in page(viewer).content.decode()


def test_arguments_of_runs_need_the_permission_of_payload() -> None:
    make_tasks(kwargs="{'card': 'KWARGSECRET'}")
    assert "KWARGSECRET" not in page(client_of("view_statistic", "view_task")).content.decode()


def test_its_schedules_are_one_link_away_for_those_who_may_see_schedules(viewer: Client) -> None:
    every = IntervalSchedule.objects.create(every=90, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.create(name="pay them", task=PAY, interval=every)
    PeriodicTask.objects.create(name="something else", task="shop.tasks.ship", interval=every)
    url = f"{reverse('admin:monitoring_schedule_changelist')}?task={PAY}"
    assert f'href="{url}"' in page(viewer).content.decode()
    schedules = viewer.get(url)
    assert [line.state.name for line in schedules.context["rows"]] == ["pay them"]
    assert len(schedules.context["found"].schedules) == 2, "beat is judged by all of them"
    assert "No schedule sends this task" in viewer.get(f"{url}2").content.decode()


def test_schedules_are_not_linked_for_those_who_may_not_see_them() -> None:
    assert "schedule/?task" not in page(client_of("view_statistic")).content.decode()


def limited(user: Any) -> Any:
    from monitoring.queries.visibility import Visibility

    return Visibility(names=("shop.*",))


def test_a_limited_user_sees_nothing_by_worker_and_nothing_of_other_names(
    viewer: Client, settings: Any
) -> None:
    make_tasks()
    make_tasks(name="bank.close")
    make_counts("celery@a", 30, 10, 60.0)
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.limited"}
    assert "workers" not in page(viewer).context
    hidden = page(viewer, "?name=bank.close").context
    assert [tile.figure for tile in hidden["tiles"]][:2] == ["0", "–"]
    assert not hidden["extremes"].failures
    assert not hidden["registered"].rows


def test_the_depth_of_queues_is_drawn_with_the_deepest_first(viewer: Client) -> None:
    make_worker()
    start = start_of(timezone.now() - timedelta(minutes=5), MINUTE)
    for number in range(8):
        QueueSample.objects.create(
            name=f"queue-{number}", step=MINUTE, start=start, readings=2, ready_sum=20 * number, ready_most=99
        )
    chart = next(chart for chart in dashboard(viewer).context["charts"] if chart.title == "Queue depth")
    newest = {one.label: one.newest for one in chart.series}
    assert newest == {"queue-7": 70, "queue-6": 60, "queue-5": 50, "queue-4": 40, "queue-3": 30, "other": 30}
    waiting = next(tile for tile in dashboard(viewer).context["tiles"] if tile.key == "waiting")
    assert waiting.line
    assert all(chart.title != "Queue depth" for chart in dashboard(viewer, "?name=x").context["charts"])


@pytest.mark.parametrize("label", ["", "  ", "x" * 101, "two\nlines"])
def test_a_mark_needs_a_short_label_of_one_line(label: str) -> None:
    with pytest.raises(ValueError, match="mark"):
        mark(label)
    with pytest.raises(CommandError):
        call_command("monitoring_mark", label)
    with pytest.raises(CommandError, match="no time"):
        call_command("monitoring_mark", "v1", at="yesterday")
    assert not DeployMark.objects.exists()


def test_the_index_of_the_default_site_has_a_card_for_those_who_may_see_statistics() -> None:
    make_tasks()
    index = reverse("admin:index")
    html = client_of("view_statistic", "view_task").get(index).content.decode()
    assert "mon-card" in html
    assert f'href="{reverse("admin:app_list", args=["monitoring"])}"' in html
    assert ">12</a>" in html
    html = client_of_viewer_of_tasks().get(index).content.decode()
    assert "mon-card" not in html


def client_of_viewer_of_tasks() -> Client:
    from tests.factories import make_user

    client = Client()
    client.force_login(make_user("other", "view_task"))
    return client


def test_an_index_that_the_project_chose_is_left_alone() -> None:
    own, fresh = admin.AdminSite("own"), admin.AdminSite("fresh")
    own.index_template = "shop/index.html"
    for site in (own, fresh):
        show_on_index(site)
    assert (own.index_template, fresh.index_template) == ("shop/index.html", INDEX)


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (0, [1, 0]),
        (1, [1, 0]),
        (4, [4, 3, 2, 1, 0]),
        (7, [8, 6, 4, 2, 0]),
        (61, [80, 60, 40, 20, 0]),
        (1_001, [1_500, 1_000, 500, 0]),
    ],
)
def test_the_axis_of_the_spread_has_whole_round_numbers_up_to_the_tallest_bar(
    most: int, ticks: list[int]
) -> None:
    assert axis_ticks(most) == ticks
