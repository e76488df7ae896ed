"""Tasks by the API: what the list finds, what one task tells, and to whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.queries.reading import OutOfTime, Reading
from monitoring.queries.task_columns import TASK_COLUMNS
from tests.admin.test_permissions import SECRETS, make_task_with_secrets
from tests.factories import make_event, make_task

pytestmark = pytest.mark.django_db
TASKS = "/api/v1/tasks/"
SignIn = Callable[..., Client]


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["task_id"] for row in response.json()["results"]]


class TestList:
    @pytest.fixture(autouse=True)
    def _client(self, signed_in: SignIn) -> None:
        self.client = signed_in("view_task")

    def get(self, query: str = "") -> Any:
        return self.client.get(TASKS + query)

    def test_filters_are_those_of_the_page(self) -> None:
        make_task("a", state="FAILURE", queue="mail", runtime=12)
        make_task("b", state="FAILURE", queue="archive", runtime=1)
        make_task("c", state="SUCCESS", queue="mail", runtime=30)
        for query, expected in (
            ("?state=FAILURE", {"a", "b"}),
            ("?state=FAILURE&state=SUCCESS", {"a", "b", "c"}),
            ("?-queue=archive", {"a", "c"}),
            ("?runtime=>10s", {"a", "c"}),
            ("?q=state:FAILURE -queue:archive", {"a"}),
            ("?period=1h&queue=mail", {"a", "c"}),
            (f"?to={(timezone.now() - timedelta(hours=1)).strftime('%Y-%m-%dT%H:%M:%SZ')}", set()),
        ):
            assert set(ids(self.get(query))) == expected, query

    @pytest.mark.parametrize("sort", ["-first_seen", "first_seen", "-runtime", "name"])
    def test_pages_lead_through_all_tasks_both_ways(self, sort: str) -> None:
        now = timezone.now()
        for number in range(7):
            make_task(
                f"t{number}", first_seen=now - timedelta(seconds=number // 2), runtime=number % 3, name="n"
            )
        page, seen = self.get(f"?page_size=2&sort={sort}").json(), []
        while True:
            seen += [row["task_id"] for row in page["results"]]
            assert (page["estimated_count"], page["count_is"]) == (7, "exact")
            if page["next"] is None:
                break
            page = self.client.get(page["next"]).json()
        assert sorted(seen) == [f"t{number}" for number in range(7)]
        back = [row["task_id"] for row in page["results"]]
        while page["previous"] is not None:
            page = self.client.get(page["previous"]).json()
            back = [row["task_id"] for row in page["results"]] + back
        assert back == seen

    def test_fields_are_chosen(self) -> None:
        make_task("a", name=None)
        [row] = self.get("?fields=task_id,name&fields=first_seen").json()["results"]
        assert set(row) == {"task_id", "name", "first_seen"}
        assert row["name"] is None
        assert row["first_seen"].endswith("Z")

    def test_it_asks_as_often_for_many_tasks_as_for_one(
        self, signed_in: SignIn, django_assert_max_num_queries: Any
    ) -> None:
        self.client = signed_in("view_task", "view_payload", username="reader")
        for _ in range(30):
            make_task()
        # Session, user, permissions twice, and at most three questions of tasks.
        with django_assert_max_num_queries(9):
            assert len(ids(self.get("?fields=task_id,args,traceback"))) == 30

    @pytest.mark.parametrize(
        ("query", "parameter"),
        [
            ("?stat=FAILURE", "stat"),
            ("?state=FAILED", "state"),
            ("?q=(", "q"),
            ("?runtime=fast", "runtime"),
            ("?sort=args", "sort"),
            ("?sort=name&sort=queue", "sort"),
            ("?cursor=x", "cursor"),
            ("?page_size=0", "page_size"),
            ("?page_size=1001", "page_size"),
            ("?fields=task_id,pasword", "fields"),
            ("?from=yesterday-ish", "first_seen"),
        ],
    )
    def test_mistakes_are_said_at_their_parameter(self, query: str, parameter: str) -> None:
        make_task()
        response = self.get(query)
        assert response.status_code == 400
        assert next(iter(response.json()["errors"])) in (parameter, "from")
        assert response.json()["detail"]

    def test_what_takes_too_long_is_answered_for_the_newest_and_goes_on(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = timezone.now()
        make_task("new", first_seen=now - timedelta(minutes=1))
        make_task("old", first_seen=now - timedelta(days=300))
        asked, ask = [], Reading.ask

        def slow(reading: Reading, question: Any) -> Any:
            asked.append(question)
            if len(asked) in (1, 3):
                raise OutOfTime
            return ask(reading, question)

        monkeypatch.setattr(Reading, "ask", slow)
        page = self.get("?state=SUCCESS").json()
        assert [row["task_id"] for row in page["results"]] == ["new"]
        assert page["looked_back_to"] is not None
        rest = self.client.get(page["next"]).json()
        assert [row["task_id"] for row in rest["results"]] == ["old"]


class TestPayload:
    def test_without_the_permission_it_is_nowhere(self, signed_in: SignIn) -> None:
        task, client = make_task_with_secrets(), signed_in("view_task")
        for url in (TASKS, f"{TASKS}{task.pk}/", f"{TASKS}?q=KWARGSECRET first_seen:-24h"):
            text = client.get(url).content.decode()
            assert [secret for secret in SECRETS if secret in text] == []
        told = client.get(f"{TASKS}{task.pk}/").json()
        assert "args" not in told, "absent, which is not the same as not known"
        assert told["events"]
        assert told["attempts"]

    @pytest.mark.parametrize("field", [name for name, column in TASK_COLUMNS.items() if column.payload])
    def test_naming_such_a_field_is_a_403(self, signed_in: SignIn, field: str) -> None:
        task, client = make_task_with_secrets(), signed_in("view_task")
        assert client.get(f"{TASKS}?fields={field}").status_code == 403
        assert client.get(f"{TASKS}{task.pk}/?fields={field}").status_code == 403

    def test_with_the_permission_all_of_it_is_there(self, signed_in: SignIn) -> None:
        task, client = make_task_with_secrets(), signed_in("view_task", "view_payload")
        text = client.get(f"{TASKS}{task.pk}/").content.decode()
        assert [secret for secret in SECRETS if secret not in text] == []
        [row] = client.get(f"{TASKS}?fields=args,traceback").json()["results"]
        assert row == {"args": "('ARGSECRET',)", "traceback": "Traceback TRACESECRET"}


class TestOneTask:
    @pytest.fixture(autouse=True)
    def _client(self, signed_in: SignIn) -> None:
        self.client = signed_in("view_task", "view_payload")

    @pytest.mark.parametrize(
        "key", ["plain", "a/b", "a/b/c", "with space", "ünï", "semi;colon", "100%", "q?x#y"]
    )
    def test_any_id_has_an_address(self, key: str) -> None:
        make_task(key)
        assert self.client.get(f"{TASKS}{quote(key)}/").json()["task_id"] == key

    def test_it_has_its_events_attempts_and_family(self) -> None:
        root = make_task("root")
        child = make_task("child", root_id="root", parent_id="root")
        make_event(child, "task-received", 1, retries=0)
        make_event(child, "task-started", 2)
        make_event(child, "task-succeeded", 3, runtime=1.0)
        told = self.client.get(f"{TASKS}child/").json()
        assert [event["type"] for event in told["events"]] == [
            "task-received",
            "task-started",
            "task-succeeded",
        ]
        assert [attempt["ended_as"] for attempt in told["attempts"]] == ["SUCCESS"]
        assert {member["task_id"] for member in told["family"]["members"]} == {root.pk, "child"}
        assert told["reruns"] == {"rerun_of": None, "rerun_as": [], "more": False}

    def test_fields_are_chosen(self) -> None:
        make_task("a")
        self.client.get(f"{TASKS}a/")
        told = self.client.get(f"{TASKS}a/?fields=state,family").json()
        assert set(told) == {"state", "family"}

    def test_its_etag_changes_with_it(self) -> None:
        task = make_task("a", state="STARTED")
        first = self.client.get(f"{TASKS}a/")
        same = self.client.get(f"{TASKS}a/", headers={"If-None-Match": first["ETag"]})
        assert (same.status_code, same.content, same["ETag"]) == (304, b"", first["ETag"])
        task.state = "SUCCESS"
        task.save()
        changed = self.client.get(f"{TASKS}a/", headers={"If-None-Match": first["ETag"]})
        assert changed.status_code == 200
        assert changed["ETag"] != first["ETag"]

    @pytest.mark.parametrize("key", ["missing", "nul%00", "x" * 3_000])
    def test_what_is_not_there_is_a_404(self, key: str) -> None:
        response = self.client.get(f"{TASKS}{key}/")
        assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_only_tasks_that_may_be_seen_are_there(signed_in: SignIn, settings: Any) -> None:
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": "tests.admin.test_permissions.limited"}
    make_task("seen", name="shop.a")
    make_task("hidden", name="bank.b", parent_id="seen", root_id="seen")
    client = signed_in("view_task", "view_payload")
    page = client.get(TASKS)
    assert ids(page) == ["seen"]
    assert page.json()["estimated_count"] == 1
    assert client.get(TASKS + "hidden/").status_code == 404
    assert "hidden" not in client.get(TASKS + "seen/").content.decode()
