"""The dashboard: its figures agree with each other and with the task list, and nobody sees more than they may."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.admin import AdminSite
from django.core.management import call_command
from django.test import Client
from django.urls import path, reverse
from django.utils import timezone

from monitoring.admin import StatisticAdmin, TaskAdmin, WorkerAdmin
from monitoring.control.marks import mark
from monitoring.models import DeployMark, Statistic, Task, Worker
from tests.admin.test_permissions import client_of
from tests.factories import (
    VIEWER_PERMISSIONS,
    count_statistics,
    make_dead_letter,
    make_event,
    make_task,
    make_user,
    make_worker,
)

pytestmark = pytest.mark.django_db

other_site = AdminSite(name="operations")
other_site.register(Task, TaskAdmin)
other_site.register(Worker, WorkerAdmin)
other_site.register(Statistic, StatisticAdmin)
urlpatterns = [path("ops/", other_site.urls)]


def dashboard(client: Client, query: str = "") -> Any:
    return client.get(reverse("admin:app_list", args=["monitoring"]) + query)


def figures(response: Any) -> dict[str, str]:
    """Label and figure of each tile."""
    found = re.findall(
        r'mon-tile".*?<p class="mon-small">(?:<a[^>]*>)?([^<]+).*?mon-tile-figure"><span>([^<]*)</span>',
        response.content.decode(),
        re.S,
    )
    return {label.strip(): figure for label, figure in found}


def make_tasks(**fields: Any) -> None:
    """Twelve tasks of two names that ended within the last hour; three failed, one was retried before."""
    now = timezone.now()
    for number in range(12):
        task = make_task(
            f"{fields.get('name', '')}{number}",
            **{
                "name": f"shop.tasks.{'pay' if number % 3 else 'mail'}",
                "state": "FAILURE" if number % 4 == 1 else "SUCCESS",
                "exception_type": "KeyError" if number % 4 == 1 else None,
                "finished_at": now - timedelta(minutes=4 * number + 1),
                "runtime": 0.5,
                "wait": 0.1,
                **fields,
            },
        )
    make_event(task, "task-retried", -60)
    count_statistics()


@pytest.fixture
def viewer() -> Client:
    client = Client()
    client.force_login(make_user("viewer", *VIEWER_PERMISSIONS))
    return client


def test_tiles_charts_tables_and_the_lists_that_they_link_to_agree(viewer: Client) -> None:
    make_tasks()
    make_task(state="STARTED")
    response = dashboard(viewer)
    [throughput, *others] = response.context["charts"]
    by_outcome = {one.label: sum(one.values) for one in throughput.series}
    assert by_outcome == {"Succeeded": 9, "Retried": 1, "Failed": 3}
    assert [chart.title for chart in others] == [
        "Failure rate",
        "Run time",
        "Queue wait",
        "Queue depth",
    ]
    shown = figures(response)
    assert shown["Success rate"] == "75.0"
    assert shown["Failure rate"] == "25.0"
    assert shown["Running now"] == "1"
    assert [(row.name, row.finished) for row in response.context["busiest"]] == [
        ("shop.tasks.pay", 8),
        ("shop.tasks.mail", 4),
    ]
    assert sum(row.failed for row in response.context["most_failing"]) == 3
    assert {row.exception for row in response.context["most_failing"]} == {"KeyError"}
    tiles = {tile.key: tile for tile in response.context["tiles"]}
    for key, number in (("rate", 12), ("success", 9), ("failure", 3), ("running", 1)):
        listed = viewer.get(tiles[key].url, follow=True)
        assert listed.context["total"].number == number, key
    for row in response.context["most_failing"]:
        assert viewer.get(row.tasks_url, follow=True).context["total"].number == row.failed


def test_the_slowest_say_how_many_runs_a_task_needs_to_be_one(viewer: Client) -> None:
    make_tasks()
    words = "of tasks with at least 20 runs"
    assert words not in dashboard(viewer).content.decode()
    for _number in range(20):
        make_task(name="shop.often", finished_at=timezone.now() - timedelta(minutes=2), runtime=1.0)
    count_statistics()
    response = dashboard(viewer)
    assert words in response.content.decode()
    assert [row.name for row in response.context["slowest"]] == ["shop.often"]


def test_the_mean_of_tasks_per_minute_names_its_range(viewer: Client) -> None:
    make_tasks()
    tiles = {tile.key: tile for tile in dashboard(viewer, "?range=6h").context["tiles"]}
    assert tiles["rate"].unit == "mean in 6 h"


def test_a_filter_by_task_and_queue_or_by_worker_is_that_of_every_figure(viewer: Client) -> None:
    make_tasks()
    make_task(name="shop.tasks.pay", worker="celery@web-9", queue="slow", finished_at=timezone.now())
    count_statistics()
    for query, ended in (
        ("?name=shop.tasks.pay", 9),
        ("?queue=default", 12),
        ("?name=shop.tasks.pay&queue=slow", 1),
        ("?worker=celery%40web-9", 1),
        # A worker cannot be combined: it is not looked at.
        ("?worker=celery%40web-9&name=shop.tasks.mail", 4),
        ("?name=nobody", 0),
        ("?name=%00", 13),
    ):
        response = dashboard(viewer, query)
        counts = [sum(one.values) for one in response.context["charts"][0].series if one.label != "Retried"]
        assert sum(counts) == ended, query
        if "worker" not in query or "name" in query:
            assert sum(row.finished for row in response.context["busiest"]) == ended, query
        rate = next(tile for tile in response.context["tiles"] if tile.key == "rate")
        assert viewer.get(rate.url, follow=True).context["total"].number == ended, query
    chosen = dashboard(viewer, "?name=shop.tasks.pay").context["menus"]
    assert dict(chosen[0].choices) == {
        "shop.tasks.pay": "shop.tasks.pay  (9)",
        "shop.tasks.mail": "shop.tasks.mail  (4)",
    }
    assert [value for value, _words in chosen[1].choices] == ["default", "slow"]


@pytest.mark.parametrize("name", ["15m", "1h", "6h", "24h", "7d", "30d"])
def test_ranges_are_in_the_address_and_in_links(viewer: Client, name: str) -> None:
    make_tasks()
    response = dashboard(viewer, f"?range={name}")
    chosen = [url for _label, url, is_chosen in response.context["range"].choices if is_chosen]
    assert [parse_qs(urlsplit(url).query) for url in chosen] == [{"range": [name]}]
    for row in response.context["busiest"]:
        assert parse_qs(urlsplit(row.url).query) == {"name": [row.name], "range": [name]}
    points = len(response.context["charts"][0].times)
    assert 15 <= points <= 400


@pytest.mark.parametrize(
    ("name", "period"),
    [("15m", "1h"), ("1h", "1h"), ("6h", "24h"), ("24h", "24h"), ("7d", "7d"), ("30d", "30d")],
)
def test_what_fails_most_leads_to_its_groups_of_failures(viewer: Client, name: str, period: str) -> None:
    make_tasks()
    rows = dashboard(viewer, f"?range={name}").context["most_failing"]
    assert rows
    for row in rows:
        assert parse_qs(urlsplit(row.failures_url).query) == {"name": [row.name], "period": [period]}
        listed = viewer.get(row.failures_url)
        assert (listed.context["name"], listed.context["period"]) == (row.name, period)
    before = timezone.now() - timedelta(days=2)
    own = f"?from={before:%Y-%m-%dT%H:%M}Z"
    [row, *_] = dashboard(viewer, own).context["most_failing"]
    assert "period=7d" in row.failures_url
    others = client_of("view_statistic", "view_task")
    response = dashboard(others)
    assert [row.failures_url for row in response.context["most_failing"]] == ["", ""]
    assert reverse("admin:monitoring_failures_changelist") not in response.content.decode()


def test_a_range_of_ones_own_that_is_over_is_not_partial(viewer: Client) -> None:
    make_tasks()
    now = timezone.now()
    query = f"?from={now - timedelta(hours=3):%Y-%m-%dT%H:%M}Z&to={now - timedelta(hours=2):%Y-%m-%dT%H:%M}Z"
    response = dashboard(viewer, query)
    assert response.context["range"].is_own
    assert not response.context["charts"][0].filling
    assert "data-time-is-over" in response.content.decode()
    for odd in ("?from=x", "?from=1970-01-01T00:00Z", "?from=9000-01-01T00:00Z", "?range=century"):
        assert dashboard(viewer, odd).status_code == 200


def test_marks_of_deployments_are_drawn_on_every_chart(viewer: Client) -> None:
    make_tasks()
    call_command("monitoring_mark", "v1.2", at=(timezone.now() - timedelta(minutes=10)).isoformat())
    call_command("monitoring_mark", "v0.9", at=(timezone.now() - timedelta(days=9)).isoformat())
    assert DeployMark.objects.count() == 2
    response = dashboard(viewer)
    for chart in response.context["charts"]:
        assert [mark.label for mark in chart.marks] == ["v1.2"]
        assert '"label":"v1.2"' in chart.drawn
    assert response.content.decode().count("mon-chart-mark") == 4


def test_a_mark_stands_in_the_table_beside_the_bucket_that_it_falls_into(viewer: Client) -> None:
    make_tasks()
    at = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=10)
    mark("<v1.2>", at + timedelta(seconds=30))
    mark("v1.3", at + timedelta(seconds=59))
    for chart in dashboard(viewer).context["charts"]:
        assert [(row.at, row.marks) for row in chart.rows if row.marks] == [(at, ["<v1.2>", "v1.3"])]
        assert json.loads(chart.drawn)["notes"][str(chart.times.index(at))] == "<v1.2>, v1.3"
    html = dashboard(viewer).content.decode()
    begun = timezone.localtime(at).strftime("%H:%M:%S</time>")
    name = '<span class="mon-small mon-dim" title="&lt;v1.2&gt;">&lt;v1.2&gt;</span>'
    assert len(re.findall(f"{begun} {re.escape(name)}", html)) == 4


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "newest minute is still filling"),
        ("?range=24h", "newest 5\xa0min are still filling"),
        ("?range=7d", "newest hour is still filling"),
        ("?from=2020-01-01T00:00Z&to=2020-01-01T02:00Z", None),
    ],
)
def test_the_legend_of_bars_says_what_is_still_filling(viewer: Client, query: str, words: str | None) -> None:
    make_tasks()
    html = dashboard(viewer, query).content.decode()
    assert html.count("still filling") == (words is not None)
    assert (words or "") in html


def test_percentiles_that_stand_beside_each_other_differ_by_more_than_colour(viewer: Client) -> None:
    make_tasks()
    response = dashboard(viewer)
    charts = {chart.title: chart for chart in response.context["charts"]}
    for title, lines in (
        ("Run time", [("p50", True), ("p95", False), ("p99", False)]),
        ("Queue wait", [("p50", True), ("p95", False)]),
    ):
        drawn = json.loads(charts[title].drawn)["series"]
        assert [(one["label"], one["dotted"]) for one in drawn] == lines
    html = response.content.decode()
    assert html.count('<path class="mon-colour-p50"') == 2
    assert html.count('<rect class="mon-colour-p95"') == 2


def test_without_the_permission_there_are_tabs_and_no_figures() -> None:
    make_tasks()
    response = dashboard(client_of("view_task"))
    html = response.content.decode()
    assert response.status_code == 200
    assert "You may not see statistics" in html
    assert "mon-tile" not in html
    assert f'href="{reverse("admin:monitoring_task_changelist")}"' in html
    signed_out = dashboard(Client())
    assert signed_out.status_code == 302
    assert signed_out["Location"].startswith(reverse("admin:login"))
    assert dashboard(client_of_nobody()).status_code == 404


def client_of_nobody() -> Client:
    client = Client()
    client.force_login(make_user("nobody"))
    return client


def limited(user: Any) -> Any:
    from monitoring.queries.visibility import Visibility

    return Visibility(names=("shop.*",))


def test_a_limited_user_sees_figures_of_their_tasks_and_nothing_of_workers(
    viewer: Client, settings: Any
) -> None:
    make_tasks()
    make_tasks(name="bank.tasks.close", worker="celery@vault")
    make_worker("celery@vault")
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.limited"}
    for query in ("", "?worker=celery%40vault"):
        response = dashboard(viewer, query)
        assert sum(sum(one.values) for one in response.context["charts"][0].series[::2]) == 12
        assert [menu.field for menu in response.context["menus"]] == ["name", "queue"]
        html = response.content.decode()
        assert "bank." not in html
        assert "celery@vault" not in html
        tiles = {tile.key: tile for tile in response.context["tiles"]}
        assert tiles["workers"].line == tiles["running"].line == ""
    assert "bank." not in viewer.get(reverse("admin:monitoring_statistic_changelist")).content.decode()


@pytest.mark.urls(__name__)
def test_it_works_in_any_admin_site_without_url_lines() -> None:
    make_tasks()
    client = Client()
    client.force_login(make_user("viewer", *VIEWER_PERMISSIONS))
    response = client.get("/ops/monitoring/")
    html = response.content.decode()
    assert figures(response)["Failure rate"] == "25.0"
    assert 'href="/ops/monitoring/task/"' in html
    assert 'href="/admin/' not in html
    assert "/ops/monitoring/gap/" not in html, "this site does not have it"


def test_before_anything_arrived_it_says_why(viewer: Client) -> None:
    html = dashboard(viewer).content.decode()
    assert "No task has arrived yet" in html
    make_worker()
    assert "No task has arrived yet" not in dashboard(viewer).content.decode()


def test_changes_are_told_against_the_range_before(viewer: Client) -> None:
    now = timezone.now()
    for number in range(40):
        make_task(
            state="FAILURE" if number < 10 else "SUCCESS",
            runtime=3.0 if number < 20 else 1.0,
            finished_at=now - timedelta(minutes=10 if number < 20 else 75),
        )
    count_statistics()
    tiles = {tile.key: tile for tile in dashboard(viewer).context["tiles"]}
    assert (tiles["failure"].change, tiles["failure"].tone) == ("+50\u00a0pt", "bad")
    assert (tiles["success"].change, tiles["success"].tone) == ("\u221250\u00a0pt", "bad")
    assert tiles["runtime"].tone == "bad"
    assert tiles["runtime"].change.startswith("+2")
    assert tiles["failure"].versus == "vs 1 h before"


def test_every_task_name_is_in_the_table_of_statistics(viewer: Client) -> None:
    make_tasks()
    make_dead_letter()
    url = reverse("admin:monitoring_statistic_changelist")
    response = viewer.get(url)
    assert [(row.name, row.finished, row.failed) for row in response.context["rows"]] == [
        ("shop.tasks.pay", 8, 2),
        ("shop.tasks.mail", 4, 1),
    ]
    for row in response.context["rows"]:
        assert viewer.get(row.failed_url, follow=True).context["total"].number == row.failed
    by_name = viewer.get(f"{url}?sort=name").context["rows"]
    assert [row.name for row in by_name] == ["shop.tasks.mail", "shop.tasks.pay"]
    assert viewer.get(f"{url}?sort=nothing").context["sort"] == "finished"
    assert "No task ended in this time" in viewer.get(f"{url}?queue=none").content.decode()
