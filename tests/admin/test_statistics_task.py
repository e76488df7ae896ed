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
from monitoring.control import audit
from monitoring.control.actor import Actor
from monitoring.control.marks import mark
from monitoring.models import DeployMark, EventTotal, QueueSample, WorkerSnapshot
from monitoring.queries.senders import Senders
from monitoring.time_steps import MINUTE, start_of
from tests.admin.test_dashboard import dashboard, make_tasks
from tests.admin.test_permissions import client_of
from tests.factories import VIEWER_PERMISSIONS, count_statistics, make_task, make_user, make_worker
from tests.queries.counted_failures import count_all, make_failure

pytestmark = pytest.mark.django_db

PAY = "shop.tasks.pay"


def page(client: Client, query: str = f"?name={PAY}") -> Any:
    return client.get(reverse("admin:monitoring_statistic_changelist") + query)


def definition(client: Client, name: str = PAY) -> Any:
    return page(client, f"?name={name}&tab=definition")


@pytest.fixture
def viewer() -> Client:
    return client_of(*VIEWER_PERMISSIONS)


def another(*permissions: str) -> Client:
    client = Client()
    client.force_login(make_user(f"with {len(permissions)}", *permissions))
    return client


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
    workers = page(viewer).context["workers"]
    assert [(row.hostname, row.runs, row.failed, row.mean, share) for row, share in workers] == [
        ("celery@b", 60, 0, 0.5, 0.6),
        ("celery@a", 40, 10, 2.0, 0.4),
    ]
    context = definition(viewer).context
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


def test_what_it_failed_with_agrees_with_the_task_list_and_says_what_is_new(viewer: Client) -> None:
    now = timezone.now()
    for minutes in (2, 3, 4):
        make_failure(now - timedelta(minutes=minutes), name=PAY)
    declined = {"name": PAY, "exception_type": "CardDeclined", "function": "charge"}
    make_failure(now - timedelta(minutes=2), queue="slow", **declined)
    make_failure(now - timedelta(days=3), **declined)
    make_failure(now - timedelta(minutes=2), name="shop.tasks.mail", exception_type="OSError")
    count_all()
    context = page(viewer).context
    rows = context["exceptions"]
    assert [(row.failed.exception_type, row.failed.count, row.share, row.is_new) for row in rows] == [
        ("GatewayTimeout", 3, 0.75, True),
        ("CardDeclined", 1, 0.25, False),
    ]
    assert rows[1].failed.first_seen == now - timedelta(days=3)
    for row in rows:
        assert viewer.get(row.url, follow=True).context["total"].number == row.failed.count
    assert context["trouble"] == rows[0]
    assert "New in the last 24 hours" in page(viewer).content.decode()
    [of_queue] = page(viewer, f"?name={PAY}&queue=slow").context["exceptions"]
    assert (of_queue.failed.exception_type, of_queue.failed.count) == ("CardDeclined", 1)


def test_what_is_not_known_of_a_failure_is_counted_too(viewer: Client) -> None:
    make_failure(timezone.now() - timedelta(minutes=2), name=PAY, exception_type="", traceback="")
    count_all()
    context = page(viewer).context
    [row] = context["exceptions"]
    assert (row.failed.exception_type, row.failed.count) == ("", 1)
    assert viewer.get(row.url, follow=True).context["total"].number == 1
    assert context["trouble"] is None


def of_some_queues(user: Any) -> Any:
    from monitoring.queries.visibility import Visibility

    return Visibility(queues=("slow",))


def test_a_reader_of_some_queues_is_told_of_no_failure_elsewhere(viewer: Client, settings: Any) -> None:
    make_failure(timezone.now() - timedelta(minutes=2), name=PAY, queue="slow")
    make_failure(timezone.now() - timedelta(days=3), name=PAY, queue="secret")
    count_all()
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.of_some_queues"}
    [row] = page(viewer).context["exceptions"]
    assert (row.failed.count, row.failed.first_seen, row.is_new) == (1, None, False)


def test_its_definition_is_told_where_all_workers_say_the_same(viewer: Client) -> None:
    make_answer(
        "celery@a", f"{PAY} [rate_limit=10/m soft_time_limit=4 time_limit=6 max_retries=2 acks_late=True]"
    )
    make_answer("celery@b", f"{PAY} [soft_time_limit=4 time_limit=6 max_retries=2 acks_late=True]")
    make_answer("celery@c", "shop.tasks.mail")
    told = {fact.label: fact.words.replace("\u00a0", " ") for fact in definition(viewer).context["facts"]}
    assert told == {
        "Rate limit": "differs by worker",
        "Time limits": "soft 4.00 s, hard 6.00 s",
        "Retries": "at most 2",
        "Acknowledged": "late",
        "Registered on": "2 of 3 workers",
    }
    assert definition(viewer, "shop.tasks.unknown").context["facts"] == []


def test_its_rate_limit_is_set_on_all_workers_that_have_it_and_can_be_told(viewer: Client) -> None:
    for hostname, online in (("celery@a", True), ("celery@b", True), ("celery@gone", False)):
        make_worker(hostname, online=online)
        make_answer(hostname, PAY)
    make_worker("celery@other")
    assert definition(viewer).context["limits"] is None
    operator = another(*VIEWER_PERMISSIONS, "control_worker")
    card = definition(operator).context["limits"]
    assert list(card.targets) == ["celery@a", "celery@b"]
    html = definition(operator).content.decode()
    assert "Apply to 2 workers…" in html
    query = {"target": card.targets, "task_name": PAY, "rate_limit": "10/m", "next": card.next}
    question = operator.get(card.url, query).context["question"]
    assert question.title.replace("\u00a0", " ") == f"Limit {PAY} to 10/m on 2 workers?"
    assert operator.get(card.time_url).context["question"].eligible == ["celery@a", "celery@b"]


def test_a_rate_limit_that_reaches_no_worker_says_why(viewer: Client) -> None:
    make_worker("celery@gone", online=False)
    make_answer("celery@gone", PAY)
    operator = another(*VIEWER_PERMISSIONS, "control_worker")
    assert "No worker that has it registered is online." in definition(operator).content.decode()
    assert definition(another("view_statistic", "control_worker")).context["limits"] is None


def test_who_sent_it_is_counted_by_name(viewer: Client) -> None:
    make_task("order", name="shop.tasks.order")
    for number in range(3):
        make_task(f"of-order-{number}", name=PAY, parent_id="order")
    make_task("of-nobody", name=PAY)
    make_task("of-the-deleted", name=PAY, parent_id="deleted")
    make_task("earlier", name=PAY, first_seen=timezone.now() - timedelta(days=2))
    found = definition(viewer).context["senders"]
    assert found == Senders([("shop.tasks.order", 3)], without=1, unknown=1, total=5, is_all=True)
    html = definition(viewer).content.decode()
    assert "no task: something else sent it" in html
    assert "senders" not in definition(another("view_statistic")).context


def test_only_the_newest_are_looked_at_for_who_sent_them(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.queries.senders.LOOKED_AT", 2)
    for number in range(3):
        make_task(f"task-{number}", name=PAY)
    found = definition(viewer).context["senders"]
    assert (found.total, found.without, found.is_all) == (2, 2, False)
    assert "of the newest 2" in definition(viewer).content.decode()


def test_a_sender_that_may_not_be_seen_is_not_named(viewer: Client, settings: Any) -> None:
    make_task("close", name="bank.close")
    make_task("of-close", name=PAY, parent_id="close")
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.limited"}
    assert definition(viewer).context["senders"] == Senders([], 0, 1, 1, True)
    assert "bank.close" not in definition(viewer).content.decode()


def test_limits_that_were_set_are_told_to_those_who_may_read_the_audit_log(viewer: Client) -> None:
    actor = Actor(make_user("oskar"))
    for name in (PAY, "shop.tasks.mail"):
        entry = audit.begin(
            actor,
            "rate_limit",
            "worker",
            ["celery@a"],
            parameters={"task_name": name, "rate_limit": "10/m"},
            reason="the gateway asked for it",
        )
        audit.finish(entry)
    assert "done" not in definition(viewer).context
    auditor = another(*VIEWER_PERMISSIONS, "view_auditentry")
    [row] = definition(auditor).context["done"]
    assert (row.who, row.did) == ("oskar", f"set the rate limit of {PAY} to 10/m")
    assert "the gateway asked for it" in definition(auditor).content.decode()


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
    assert not definition(viewer, "bank.close").context["registered"].rows
    assert definition(viewer, "bank.close").context["senders"].total == 0


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
