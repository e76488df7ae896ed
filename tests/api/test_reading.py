"""What the API tells of workers, statistics, the audit log and the monitor itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from monitoring.control import audit
from monitoring.control.actor import Actor
from monitoring.models import AuditEntry, Queue, WorkerSnapshot
from monitoring.queries.failures import end_of_counts
from monitoring.queries.statistics_range import Range
from monitoring.queries.statistics_totals import totals
from monitoring.queries.visibility import Visibility
from monitoring.time_steps import MINUTE, start_of
from monitoring.upkeep.statistics.counting import count_minutes
from monitoring.upkeep.statistics.storing import store_buckets
from tests.factories import make_dead_letter, make_gap, make_task, make_user, make_worker
from tests.queries.counted_failures import count_all, make_failure

pytestmark = pytest.mark.django_db
API = "/api/v1/"
SignIn = Callable[..., Client]


@pytest.fixture
def counted() -> Range:
    """Tasks of the last hour with their statistics; the range that the API answers for `period=1h`."""
    now = timezone.now()
    ends = [now - timedelta(minutes=minutes) for minutes in (5, 5, 20, 40)]
    names = ("shop.pay", "shop.pay", "shop.mail", "bank.pay")
    states = ("FAILURE", "SUCCESS", "SUCCESS", "FAILURE")
    for number, (end, name, state) in enumerate(zip(ends, names, states, strict=True)):
        kind = "OSError" if state == "FAILURE" else None
        make_task(
            f"t{number}", name=name, state=state, exception_type=kind, runtime=1.0 + number, finished_at=end,
            first_seen=end - timedelta(seconds=10),
        )  # fmt: skip
    store_buckets("default", count_minutes("default", {start_of(end, MINUTE) for end in ends}))
    return Range.between(now - timedelta(hours=1), now)


class TestStatistics:
    def test_totals_and_series_are_those_of_the_pages(self, signed_in: SignIn, counted: Range) -> None:
        client = signed_in("view_statistic")
        told = client.get(API + "statistics/?period=1h&metric=failed&metric=finished&group=task").json()
        expected = totals(Visibility.everything(), counted)
        assert told["totals"]["finished"]["now"] == expected["finished"].now == 4
        assert told["totals"]["failure_rate"]["now"] == expected["failure_rate"].now == 0.5
        assert told["resolution"] == 60
        [failed, finished] = told["series"]
        assert failed["metric"] == "failed"
        assert {line["label"]: sum(line["values"]) for line in finished["lines"]} == {
            "shop.pay": 2,
            "shop.mail": 1,
            "bank.pay": 1,
        }
        assert {len(line["values"]) for line in finished["lines"]} == {len(told["starts"])}

    def test_a_resolution_can_be_chosen(self, signed_in: SignIn, counted: Range) -> None:
        client = signed_in("view_statistic")
        told = client.get(API + "statistics/?period=24h&resolution=3600&metric=finished").json()
        assert told["resolution"] == 3600
        assert sum(told["series"][0]["lines"][0]["values"]) == 4

    def test_tasks_that_stand_out(self, signed_in: SignIn, counted: Range) -> None:
        client = signed_in("view_statistic")
        for order, first in (("busiest", "shop.pay"), ("slowest", "bank.pay"), ("failing", "bank.pay")):
            results = client.get(f"{API}statistics/tasks/?period=1h&order={order}&top=1").json()["results"]
            assert [row["name"] for row in results] == [first]
        assert results[0]["exception"] == "OSError"
        rows = client.get(API + "statistics/exceptions/?period=1h&task=shop.pay").json()["results"]
        assert rows == [{"name": "shop.pay", "exception_type": "OSError", "count": 1}]

    def test_durations_and_hours_add_up(self, signed_in: SignIn, counted: Range) -> None:
        client = signed_in("view_statistic")
        bars = client.get(API + "statistics/durations/?period=1h").json()["bars"]
        assert sum(bar["count"] for bar in bars) == 4
        hours = client.get(API + "statistics/hours/?period=24h").json()["results"]
        assert sum(cell["value"] for cell in hours) == 4

    def test_a_limited_user_gets_the_figures_of_their_tasks(
        self, signed_in: SignIn, counted: Range, settings: Any
    ) -> None:
        settings.MONITORING = {**settings.MONITORING, "VISIBILITY": "tests.admin.test_permissions.limited"}
        client = signed_in("view_statistic")
        told = client.get(API + "statistics/?period=1h&metric=finished&group=worker").json()
        assert told["totals"]["finished"]["now"] == 3
        assert told["series"][0]["lines"] == []
        assert "bank" not in client.get(API + "statistics/tasks/?period=1h").content.decode()

    @pytest.mark.parametrize(
        ("query", "parameter"),
        [
            ("?metric=speed", "metric"),
            ("?group=colour", "group"),
            ("?period=1y", "period"),
            ("?from=soon", "from"),
            ("?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
            ("?from=1971-01-01", "from"),
            ("?resolution=61", "resolution"),
            ("?period=30d&resolution=60", "resolution"),
            ("?worker=a&task=b", "worker"),
            ("?group=worker&task=b", "group"),
            ("?top=0", "top"),
        ],
    )
    def test_mistakes_are_said_at_their_parameter(
        self, signed_in: SignIn, query: str, parameter: str
    ) -> None:
        response = signed_in("view_statistic").get(API + "statistics/" + query)
        assert (response.status_code, list(response.json()["errors"])) == (400, [parameter])


class TestWorkers:
    def test_they_are_filtered(self, signed_in: SignIn) -> None:
        make_worker("celery@a", queues=["mail"])
        make_worker("celery@b", queues=["media"], online=False)
        client = signed_in("view_worker")
        for query, expected in (
            ("", ["celery@b", "celery@a"]),
            ("?status=online", ["celery@a"]),
            ("?queue=media", ["celery@b"]),
            ("?q=LERY@A", ["celery@a"]),
        ):
            rows = client.get(API + "workers/" + query).json()["results"]
            assert [row["hostname"] for row in rows] == expected

    def answered(self, hostname: str, kind: str, content: Any) -> None:
        now = timezone.now()
        WorkerSnapshot.objects.create(
            hostname=hostname, kind=kind, content=content, items=1, asked_at=now, answered_at=now
        )

    def test_one_tells_what_it_last_said(self, signed_in: SignIn) -> None:
        make_worker("celery@a")
        self.answered("celery@a", "stats", {"pid": 1})
        self.answered("celery@a", "active", [{"id": "t1", "name": "n", "args": ["ARGSECRET"], "kwargs": {}}])
        told = signed_in("view_worker").get(API + "workers/celery@a/").json()
        assert told["answers"]["stats"]["content"]["pid"] == 1
        assert told["answers"]["conf"]["answered_at"] is None
        [task] = told["holds"]["active"]["tasks"]
        assert (task["task_id"], task["args"]) == ("t1", None)
        assert "active" not in told["answers"], "their arguments are payload"
        reader = signed_in("view_worker", "view_payload", username="reader")
        assert reader.get(API + "workers/celery@a/").json()["holds"]["active"]["tasks"][0]["args"] == [
            "ARGSECRET"
        ]

    def test_its_history_is_of_the_range(self, signed_in: SignIn) -> None:
        make_worker("celery@a")
        told = signed_in("view_worker").get(API + "workers/celery@a/history/?period=1h").json()
        assert told["step"] == 60
        assert len(told["times"]) == len(told["active"]) in (60, 61)

    def test_a_limited_user_gets_no_figures(self, signed_in: SignIn, settings: Any) -> None:
        settings.MONITORING = {**settings.MONITORING, "VISIBILITY": "tests.people.visibility_of_person"}
        make_worker("celery@a", processed=7_654_321, queues=["mail", "bank"])
        client = signed_in("view_worker", username="limited")
        [row] = client.get(API + "workers/").json()["results"]
        assert (row["processed"], row["queues"]) == (None, ["mail"])
        assert "7654321" not in client.get(API + "workers/celery@a/").content.decode()
        assert client.get(API + "workers/celery@a/history/").status_code == 403

    def test_what_is_not_there_is_a_404(self, signed_in: SignIn) -> None:
        client = signed_in("view_worker")
        for address in ("workers/celery@x/", "workers/celery@x/history/", "workers/nul%00/"):
            assert client.get(API + address).status_code == 404


class TestLog:
    def entries(self, number: int) -> None:
        somebody = Actor(make_user("somebody"))
        for each in range(number):
            audit.finish(audit.begin(somebody, "delete", "task", [f"t{each}"], reason="tidy"))

    def test_the_audit_log_is_read_page_by_page(
        self, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.entries(205)
        client = signed_in("view_auditentry")
        page, sizes, seen = client.get(API + "audit/?who=somebody").json(), [], []
        while True:
            sizes.append(len(page["results"]))
            seen += [row["id"] for row in page["results"]]
            if page["next"] is None:
                break
            page = client.get(page["next"]).json()
        assert sizes == [100, 100, 5]
        assert seen == sorted(seen, reverse=True)
        back = client.get(page["previous"]).json()
        assert [row["id"] for row in back["results"]] == seen[100:200]
        one = client.get(f"{API}audit/{seen[0]}/").json()
        assert (one["targets"], one["reason"], one["ending"]) == (["t204"], "tidy", "nothing")

    def test_it_is_filtered(self, signed_in: SignIn) -> None:
        self.entries(3)
        client = signed_in("view_auditentry")
        for query, number in (("target=t1", 1), ("verb=delete", 3), ("verb=revoke", 0), ("ending=done", 0)):
            assert len(client.get(f"{API}audit/?{query}").json()["results"]) == number, query
        assert client.get(API + "audit/?ending=well").status_code == 400
        assert client.get(API + "audit/?cursor=x").status_code == 400
        assert client.get(API + "audit/999999/").status_code == 404

    def test_a_limited_user_reads_their_own(self, signed_in: SignIn, settings: Any) -> None:
        settings.MONITORING = {**settings.MONITORING, "VISIBILITY": "tests.people.visibility_of_person"}
        self.entries(2)
        client = signed_in("view_auditentry", username="limited")
        assert client.get(API + "audit/").json()["results"] == []

    def test_dead_letters_and_gaps(self, signed_in: SignIn, settings: Any) -> None:
        make_dead_letter(reason="no JSON")
        make_gap(reason="nobody listened")
        client = signed_in("view_deadletter", "view_gap", username="limited")
        assert [row["reason"] for row in client.get(API + "dead-letters/").json()["results"]] == ["no JSON"]
        assert [row["reason"] for row in client.get(API + "gaps/").json()["results"]] == ["nobody listened"]
        settings.MONITORING = {**settings.MONITORING, "VISIBILITY": "tests.people.visibility_of_person"}
        for address in ("dead-letters/", "gaps/"):
            assert client.get(API + address).status_code == 403


def test_the_monitor_says_how_it_is(signed_in: SignIn) -> None:
    make_worker()
    told = signed_in("view_monitor").get(API + "health/").json()
    assert (told["form"], told["silence"], told["workers_online"]) == ("silent", "not running", 1)


def test_configuration_shows_settings_without_secrets(signed_in: SignIn, settings: Any) -> None:
    client = signed_in("view_worker", username="limited")
    told = client.get(API + "configuration/").json()
    assert {"broker_url", "task_serializer"} <= {setting["name"] for setting in told["settings"]}
    assert "guest:guest" not in str(told)
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": "tests.people.visibility_of_person"}
    assert client.get(API + "configuration/").status_code == 403


class TestFailures:
    @pytest.fixture(autouse=True)
    def _failed(self) -> None:
        at = end_of_counts(timezone.now()) - timedelta(minutes=5)
        make_failure(at)
        make_failure(at)
        make_failure(at, name="bank.pay", exception_type="KeyError")
        count_all()

    def test_groups_and_matrix_are_those_of_the_page(self, signed_in: SignIn) -> None:
        told = signed_in("view_failures").get(API + "failures/?period=1h").json()
        assert [(group["name"], group["count"]) for group in told["groups"]] == [
            ("shop.pay", 2),
            ("bank.pay", 1),
        ]
        assert told["total"] == 3
        assert told["groups"][0]["standing"] == "new"
        counts = {row["exception_type"]: row["counts"]["1h"] for row in told["matrix"]}
        assert counts == {"GatewayTimeout": 2, "KeyError": 1}
        key = told["groups"][0]["fingerprint"]
        one = signed_in("view_failures", username="other").get(f"{API}failures/{key}/?period=1h").json()
        assert (one["count"], sum(bucket["count"] for bucket in one["buckets"])) == (2, 2)

    def test_the_failures_of_one_task_can_be_asked_for(self, signed_in: SignIn) -> None:
        told = signed_in("view_failures").get(API + "failures/?name=bank.pay").json()
        assert [(group["name"], group["count"]) for group in told["groups"]] == [("bank.pay", 1)]
        assert (told["total"], [row["exception_type"] for row in told["matrix"]]) == (1, ["KeyError"])

    def test_places_in_tracebacks_are_payload(self, signed_in: SignIn) -> None:
        told = signed_in("view_failures").get(API + "failures/").json()
        assert "gateway.py" not in str(told)
        assert "path" not in told["groups"][0]
        reader = signed_in("view_failures", "view_payload", username="reader")
        assert reader.get(API + "failures/").json()["groups"][0]["path"].endswith("gateway.py")

    def test_a_limited_user_sees_their_own(self, signed_in: SignIn, settings: Any) -> None:
        client = signed_in("view_failures")
        everything = client.get(API + "failures/").json()
        hidden = next(group for group in everything["groups"] if group["name"] == "bank.pay")
        settings.MONITORING = {**settings.MONITORING, "VISIBILITY": "tests.admin.test_permissions.limited"}
        assert [group["name"] for group in client.get(API + "failures/").json()["groups"]] == ["shop.pay"]
        assert client.get(f"{API}failures/{hidden['fingerprint']}/").status_code == 404


def test_schedules_say_when_they_are_due(signed_in: SignIn) -> None:
    interval = IntervalSchedule.objects.create(every=10, period="minutes")
    PeriodicTask.objects.create(name="tidy/up", task="shop.tidy", interval=interval)
    client = signed_in("view_schedule")
    told = client.get(API + "schedules/").json()
    [found] = [each for each in told["results"] if each["name"] == "tidy/up"]
    assert (found["task"], found["enabled"], found["words"]) == ("shop.tidy", True, "Every 10 minutes")
    assert client.get(API + "schedules/tidy/up/").json()["name"] == "tidy/up"
    assert client.get(API + "schedules/nothing/").status_code == 404


class TestQueues:
    def queue(self, name: str, **fields: Any) -> None:
        now = timezone.now()
        Queue.objects.create(name=name, first_seen=now, named_at=now, read_at=now, **fields)

    def test_those_in_trouble_come_first(self, signed_in: SignIn) -> None:
        self.queue("calm", ready=0)
        self.queue("stuck/1", ready=5, unconsumed_since=timezone.now())
        client = signed_in("view_queue")
        told = client.get(API + "queues/").json()
        assert [(row["name"], row["is_stuck"]) for row in told["results"]] == [
            ("stuck/1", True),
            ("calm", False),
        ]
        assert client.get(API + "queues/stuck/1/").json()["ready"] == 5
        assert client.get(API + "queues/none/").status_code == 404

    def test_the_history_is_of_the_range(self, signed_in: SignIn) -> None:
        self.queue("mail")
        client = signed_in("view_queue")
        told = client.get(API + "queues/mail/history/?period=1h").json()
        assert (told["step"], set(told["ready"])) == (60, {None})
        assert len(told["times"]) == len(told["ready"]) in (60, 61)
        assert client.get(API + "queues/mail/history/?from=2020-01-01").status_code == 400

    def test_a_limited_user_sees_their_own(self, signed_in: SignIn, settings: Any) -> None:
        settings.MONITORING = {**settings.MONITORING, "VISIBILITY": "tests.people.visibility_of_person"}
        self.queue("mail", workers=["celery@secret"])
        self.queue("bank")
        told = signed_in("view_queue", username="limited").get(API + "queues/").json()
        assert [(row["name"], row["workers"]) for row in told["results"]] == [("mail", [])]
        assert told["broker"] is None


def test_a_deploy_is_marked_and_shown(signed_in: SignIn) -> None:
    client = signed_in("view_statistic", "add_deploymark")
    made = client.post(API + "marks/", {"label": "v2"}, content_type="application/json")
    assert made.status_code == 201
    assert [row["label"] for row in client.get(API + "marks/").json()["results"]] == ["v2"]
    wrong = client.post(API + "marks/", {"label": "a\nb"}, content_type="application/json")
    assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["label"])
    reader = signed_in("view_statistic", username="reader")
    assert reader.post(API + "marks/", {"label": "v3"}, content_type="application/json").status_code == 403


@pytest.mark.parametrize(
    "path", ["", "health/", "configuration/", "verbs/", "workers/w/", "queues/q/", "tasks/t/", "schedules/"]
)
def test_unknown_parameter_is_refused_at_every_address(admin_client: Client, path: str) -> None:
    answer = admin_client.get(f"/api/v1/{path}?x=1")
    assert (answer.status_code, answer.json()["errors"]) == (400, {"x": ["There is no such parameter."]})
    assert admin_client.head(f"/api/v1/{path}?x=1").status_code == 400


@pytest.mark.parametrize("path", ["verbs/ping/", "workers/w/ping/", "tasks/"])
def test_unknown_parameter_of_a_post_is_refused_before_anything_is_done(
    admin_client: Client, path: str
) -> None:
    answer = admin_client.post(f"/api/v1/{path}?x=1", {}, content_type="application/json")
    assert (answer.status_code, answer.json()["errors"]) == (400, {"x": ["There is no such parameter."]})
    assert not AuditEntry.objects.exists()


def test_addresses_beside_the_native_ones_take_any_parameter(admin_client: Client) -> None:
    for path in ("schema/", "docs/", "workers"):
        assert admin_client.get(f"/api/{path}?x=1").status_code == 200, path


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("health/", {"GET", "HEAD", "OPTIONS"}),
        ("tasks/", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("verbs/ping/", {"POST", "OPTIONS"}),
    ],
)
def test_options_say_what_is_allowed_to_who_has_signed_in(
    client: Client, signed_in: Callable[..., Client], path: str, allowed: set[str]
) -> None:
    assert client.options(f"/api/v1/{path}").status_code == 401
    answer = signed_in().options(f"/api/v1/{path}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert set(answer["Allow"].split(", ")) == allowed
