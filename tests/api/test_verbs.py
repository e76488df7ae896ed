"""Verbs by the API: the same table, permissions and audit as on the pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.test import Client
from django.utils import timezone

from monitoring.api import idempotency
from monitoring.control.broadcast import Answer, Said
from monitoring.control.connecting import ControlUnavailable
from monitoring.control.task_verbs import apply, revoke
from monitoring.control.verbs import VERBS
from monitoring.models import AuditEntry, IdempotencyKey, Task
from monitoring.models.audit_entry import Ending
from tests.factories import make_task, make_user, make_worker

from . import watched_app
from .conftest import bearer

pytestmark = pytest.mark.django_db
TASKS = "/api/v1/tasks/"
START = {"name": "shop.note", "args": ["hello"], "kwargs": {"copy": True}, "wait": 0}


@pytest.fixture(autouse=True)
def _broker(settings: Any) -> Iterator[None]:
    settings.MONITORING = {
        **settings.MONITORING,
        "CELERY_APP": "tests.api.watched_app.app",
        "CONTROL_TIMEOUT": 0.3,
    }
    watched_app.purge()
    yield
    watched_app.purge()


def post(client: Client, url: str, body: Any = None, **headers: str) -> Any:
    return client.post(url, {} if body is None else body, content_type="application/json", headers=headers)


SignIn = Callable[..., Client]


class TestOneTarget:
    def test_it_is_done_and_stands_in_the_audit_log(self, signed_in: SignIn) -> None:
        make_task("a/b")
        response = post(signed_in("delete_task"), TASKS + "a/b/delete/", {"reason": "asked for"})
        assert response.status_code == 200
        [result] = response.json()["results"]
        assert (result["target"], result["outcome"]) == ("a/b", "done")
        assert not Task.objects.exists()
        entry = AuditEntry.objects.get(pk=response.json()["audit_entry"])
        assert (entry.via, entry.user_name, entry.reason) == ("api", "someone", "asked for")
        assert entry.ending == Ending.DONE

    def test_a_dry_run_does_nothing(self, signed_in: SignIn) -> None:
        make_task("a")
        response = post(signed_in("delete_task"), TASKS + "a/delete/", {"dry_run": True})
        assert (response.status_code, response.json()["audit_entry"]) == (200, None)
        assert Task.objects.exists()
        assert not AuditEntry.objects.exists()

    def test_a_task_that_is_not_there_is_a_404(self, signed_in: SignIn) -> None:
        assert post(signed_in("delete_task"), TASKS + "nowhere/delete/").status_code == 404

    def test_a_task_that_may_not_be_seen_looks_as_if_it_were_not_there(
        self, signed_in: SignIn, settings: Any
    ) -> None:
        settings.MONITORING = {
            **settings.MONITORING,
            "VISIBILITY": "tests.admin.test_permissions.limited",
        }
        make_task("hidden", name="bank.pay")
        client = signed_in("delete_task")
        hidden, missing = (post(client, f"{TASKS}{key}/delete/").json() for key in ("hidden", "missing"))
        assert Task.objects.exists()
        assert (hidden["status"], hidden["detail"]) == (missing["status"], missing["detail"])

    def test_one_that_is_not_in_the_state_for_it_is_a_409_with_the_reason(self, signed_in: SignIn) -> None:
        make_task("a", state="STARTED")
        response = post(signed_in("delete_task"), TASKS + "a/delete/")
        assert response.status_code == 409
        assert response["Content-Type"] == "application/problem+json"
        assert "running task" in response.json()["detail"]
        assert response.json()["results"][0]["outcome"] == "left out"

    def test_workers_that_do_not_answer_are_a_202(self, signed_in: SignIn) -> None:
        make_worker("celery@w1")
        response = post(
            signed_in("control_worker"), "/api/v1/workers/celery@w1/pool_grow/", {"n": 2, "wait": 0}
        )
        assert response.status_code == 202
        assert response.json()["results"][0]["outcome"] == "no confirmation"
        assert response.json()["answers"]["celery@w1"]["said"] == "no confirmation"

    def test_a_broker_that_is_away_is_a_503(
        self, signed_in: SignIn, closed_port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(watched_app.app.conf, "broker_write_url", f"redis://127.0.0.1:{closed_port}/0")
        make_worker("celery@w1")
        response = post(signed_in("control_worker"), "/api/v1/workers/celery@w1/pool_grow/", {"n": 2})
        assert response.status_code == 503
        assert response.json()["detail"]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"n": 0}, "n"),
            ({"n": "many"}, "n"),
            ({}, "n"),
            ({"n": 1, "m": 1}, "m"),
            ({"n": 1, "wait": 1_000}, "wait"),
            ({"n": 1, "reason": ["x"]}, "reason"),
            ([], "non_field_errors"),
        ],
    )
    def test_mistakes_are_said_by_field(self, signed_in: SignIn, body: Any, field: str) -> None:
        make_worker("celery@w1")
        response = post(signed_in("control_worker"), "/api/v1/workers/celery@w1/pool_grow/", body)
        assert response.status_code == 400
        assert list(response.json()["errors"]) == [field]
        assert response.json()["detail"]

    def test_a_body_that_is_no_json_is_refused(self, signed_in: SignIn) -> None:
        client = signed_in("delete_task")
        for body in (b"{", b'"\\ud800"', b"\xff", b"NaN", b"[" * 5_000):
            response = client.post(TASKS + "a/delete/", body, content_type="application/json")
            assert response.status_code == 400
        assert client.post(TASKS + "a/delete/", {"a": "b"}).status_code == 415

    def test_a_body_that_is_too_large_is_refused(self, signed_in: SignIn, settings: Any) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
        assert post(signed_in("delete_task"), TASKS + "a/delete/", {"reason": "x" * 2_000}).status_code == 413


class TestRefusals:
    @pytest.mark.parametrize("verb", VERBS.values(), ids=lambda verb: verb.name)
    def test_each_verb_needs_its_permission_and_the_attempt_is_written_down(
        self, signed_in: SignIn, verb: Any
    ) -> None:
        codename = verb.permission.removeprefix("monitoring.")
        others = {found.permission.removeprefix("monitoring.") for found in VERBS.values()} - {codename}
        client = signed_in(*others)
        response = post(client, f"/api/v1/verbs/{verb.name}/", {"targets": ["x"]})
        assert response.status_code == 403
        assert verb.permission in response.json()["detail"]
        entry = AuditEntry.objects.get()
        assert (entry.ending, entry.via, entry.verb, entry.targets) == (
            Ending.REFUSED,
            "api",
            verb.name,
            ["x"],
        )

    def test_a_token_that_is_narrower_than_its_user_is_refused_under_its_own_name(
        self, client: Client
    ) -> None:
        make_task("a")
        user = make_user("ann", "delete_task", "view_task")
        headers = bearer(user, "view_task")
        assert client.get(TASKS + "a/", headers=headers).status_code == 200
        assert post(client, TASKS + "a/delete/", **headers).status_code == 403
        assert Task.objects.exists()
        entry = AuditEntry.objects.get()
        assert (entry.ending, entry.user_name) == (Ending.REFUSED, "ann (token script)")
        assert entry.user_id == str(user.pk)

    def test_it_is_written_down_under_atomic_requests_too(
        self, signed_in: SignIn, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(settings.DATABASES["default"], "ATOMIC_REQUESTS", True)
        assert post(signed_in(), TASKS + "a/delete/").status_code == 403
        assert AuditEntry.objects.get().ending == Ending.REFUSED

    def test_a_session_needs_the_csrf_token_and_a_token_does_not(self) -> None:
        make_task("a")
        user = make_user("ann", "delete_task")
        careless = Client(enforce_csrf_checks=True)
        careless.force_login(user)
        assert post(careless, TASKS + "a/delete/").status_code == 403
        assert Task.objects.exists()
        program = Client(enforce_csrf_checks=True)
        assert post(program, TASKS + "a/delete/", **bearer(user, "delete_task")).status_code == 200

    def test_only_post_does_anything(self, signed_in: SignIn) -> None:
        make_task("a")
        client = signed_in("delete_task", "view_task")
        for method in (client.get, client.put, client.patch, client.delete, client.head):
            assert method(TASKS + "a/delete/").status_code == 405
        assert Task.objects.exists()


class TestManyTargets:
    def test_each_has_its_result(self, signed_in: SignIn) -> None:
        make_task("a")
        make_task("b", state="STARTED")
        response = post(signed_in("delete_task"), "/api/v1/verbs/delete/", {"targets": ["a", "b", "c", "a"]})
        assert response.status_code == 200
        outcomes = {result["target"]: result["outcome"] for result in response.json()["results"]}
        assert outcomes == {"a": "done", "b": "left out", "c": "left out"}

    def test_they_have_to_be_named(self, signed_in: SignIn) -> None:
        client = signed_in("delete_task")
        for targets in (None, [], "a", [1.5, None], ["x"] * 501):
            response = post(client, "/api/v1/verbs/delete/", {} if targets is None else {"targets": targets})
            assert response.status_code == 400, targets
            assert "targets" in response.json()["errors"]

    def test_the_table_says_what_one_may(self, signed_in: SignIn) -> None:
        rows = signed_in("delete_task").get("/api/v1/verbs/").json()["results"]
        assert [row["name"] for row in rows] == list(VERBS)
        assert [row["name"] for row in rows if row["allowed"]] == ["delete"]
        assert next(row for row in rows if row["name"] == "autoscale")["parameters"] == ["min", "max"]


class TestStarting:
    def test_a_task_is_sent_once(self, signed_in: SignIn) -> None:
        response = post(signed_in("run_task"), TASKS, START)
        assert response.status_code == 201
        assert response.json()["task_id"] == response.json()["results"][0]["made"] != ""
        assert watched_app.waiting() == 1

    def test_arguments_that_it_does_not_take_are_a_409(self, signed_in: SignIn) -> None:
        response = post(signed_in("run_task"), TASKS, {"name": "shop.note", "args": [1, 2, 3, 4]})
        assert response.status_code == 409
        assert watched_app.waiting() == 0

    def test_a_name_that_nobody_knows_is_a_404(self, signed_in: SignIn) -> None:
        assert post(signed_in("run_task"), TASKS, {"name": "shop.nothing"}).status_code == 404

    @pytest.mark.parametrize("depth", [201, 850, 900, 950, 100_000])
    def test_arguments_that_are_nested_too_deep_are_a_400_and_nothing_is_sent(
        self, signed_in: SignIn, depth: int
    ) -> None:
        client, deep = signed_in("run_task"), "[" * depth + "]" * depth
        for url, body in (
            (TASKS, f'{{"name": "shop.note", "args": {deep}}}'),
            ("/api/v1/verbs/send_task/", f'{{"targets": ["shop.note"], "args": {deep}}}'),
            ("/api/task/send-task/shop.note", f'{{"args": {deep}}}'),
        ):
            headers = {"Idempotency-Key": url}
            response = client.post(url, body, content_type="application/json", headers=headers)
            assert response.status_code == 400
            assert re.search(r"deep|depth", response.json()["detail"])
        assert watched_app.waiting() == 0
        assert not IdempotencyKey.objects.exists()

    def test_without_a_name_it_says_so(self, signed_in: SignIn) -> None:
        for body in ({}, {"name": ""}, {"name": 5}, [], {"name": "x" * 2_000}):
            response = post(signed_in("run_task", username=f"someone-{body!s:.40}"), TASKS, body)
            assert (response.status_code, list(response.json()["errors"])) == (400, ["name"])

    def test_seeing_tasks_is_not_enough(self, signed_in: SignIn) -> None:
        assert post(signed_in("view_task"), TASKS, START).status_code == 403
        assert AuditEntry.objects.get().ending == Ending.REFUSED
        assert watched_app.waiting() == 0


@pytest.mark.parametrize("word", ["no", "off", "n", "f", False])
def test_what_means_no_is_no_whatever_the_form_would_take_it_for(
    signed_in: SignIn, monkeypatch: pytest.MonkeyPatch, word: Any
) -> None:
    sent: list[Any] = []

    def broadcast(command: str, arguments: Any, **options: Any) -> Any:
        sent.append(arguments)
        return {"celery@w1": Answer(Said.ACKNOWLEDGED)}

    monkeypatch.setattr(revoke, "broadcast", broadcast)
    body = {"targets": ["runs"], "terminate": word}
    assert post(signed_in("revoke_task"), "/api/v1/verbs/revoke_id/", body).status_code == 200
    assert [arguments["terminate"] for arguments in sent] == [False]


class TestIdempotency:
    KEY = {"Idempotency-Key": "order 48213"}

    def test_a_request_that_is_sent_twice_starts_one_task(self, signed_in: SignIn) -> None:
        client = signed_in("run_task")
        first, second = (post(client, TASKS, START, **self.KEY) for _ in range(2))
        assert first.status_code == second.status_code == 201
        assert first.json() == second.json()
        assert second["Idempotency-Replayed"] == "true"
        assert watched_app.waiting() == 1

    def test_another_key_or_another_user_starts_another(self, signed_in: SignIn) -> None:
        client, other = signed_in("run_task"), signed_in("run_task", username="other")
        ids = {
            post(client, TASKS, START, **self.KEY).json()["task_id"],
            post(client, TASKS, START, **{"Idempotency-Key": "2"}).json()["task_id"],
            post(other, TASKS, START, **self.KEY).json()["task_id"],
        }
        assert (len(ids), watched_app.waiting()) == (3, 3)

    def test_the_same_key_with_another_body_is_refused(self, signed_in: SignIn) -> None:
        client = signed_in("run_task")
        post(client, TASKS, START, **self.KEY)
        assert post(client, TASKS, {**START, "args": ["bye"]}, **self.KEY).status_code == 422
        assert watched_app.waiting() == 1

    def test_while_one_is_under_way_the_other_is_refused(
        self, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = signed_in("run_task")
        IdempotencyKey.objects.create(
            user_id=client.session["_auth_user_id"],
            key="k",
            at=timezone.now(),
            digest=digest_of(client, monkeypatch),
        )
        assert post(client, TASKS, START, **{"Idempotency-Key": "k"}).status_code == 409
        assert watched_app.waiting() == 0

    def test_what_was_refused_can_be_tried_again(
        self, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = signed_in("run_task")
        with monkeypatch.context() as away:
            away.setattr("monitoring.control.task_verbs.apply.send_task", _away)
            assert post(client, TASKS, START, **self.KEY).status_code == 503
        assert not IdempotencyKey.objects.exists()
        assert post(client, TASKS, START, **self.KEY).status_code == 201

    def test_what_broke_after_it_was_sent_is_not_sent_again(
        self, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = signed_in("run_task")
        client.raise_request_exception = False
        with monkeypatch.context() as broken:
            broken.setattr("monitoring.control.audit.add_results", _broken)
            assert post(client, TASKS, START, **self.KEY).status_code == 500
        again = post(client, TASKS, START, **self.KEY)
        assert again.status_code == 409
        assert "nobody knows how it ended" in again.json()["detail"]
        assert watched_app.waiting() == 1

    def test_what_was_sent_before_the_broker_went_is_not_sent_again(
        self, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client, chunk, before = signed_in("run_task"), VERBS["send_task"].chunk, apply.send_task
        body = {"targets": [f"shop.task_{number}" for number in range(chunk + 1)], "wait": 0}
        with monkeypatch.context() as away:
            away.setattr(
                apply,
                "send_task",
                lambda *args, **options: (
                    _away() if watched_app.waiting() == chunk else before(*args, **options)
                ),
            )
            first = post(client, "/api/v1/verbs/send_task/", body, **self.KEY)
        assert first.status_code == 200
        assert [result["outcome"] for result in first.json()["results"]] == ["done"] * chunk + ["failed"]
        again = post(client, "/api/v1/verbs/send_task/", body, **self.KEY)
        assert again.json() == first.json()
        assert watched_app.waiting() == chunk

    @pytest.mark.django_db(databases=["default", "postgresql"])
    @pytest.mark.parametrize("using", ["default", "postgresql"])
    def test_an_answer_with_a_sign_that_no_database_takes_is_kept_as_it_was(
        self, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch, using: str
    ) -> None:
        for ask in ("db_for_read", "db_for_write"):
            monkeypatch.setattr(f"django.db.router.{ask}", lambda model, **hints: using)
        make_task("a/b")
        client = signed_in("delete_task", "run_task")
        for url, body in (
            (TASKS + "a%00b/delete/", {}),
            ("/api/v1/verbs/delete/", {"targets": ["a/b", "\\u0000"]}),
        ):
            key = {"Idempotency-Key": url}
            first, second = (post(client, url, body, **key) for _ in range(2))
            assert first.status_code in (200, 404)
            assert (second.status_code, second.content) == (first.status_code, first.content)
            assert second["Idempotency-Replayed"] == "true"

    def test_a_key_that_is_free_again_a_moment_later_is_no_fault(
        self, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The first request with it is refused between the second's attempt to claim it and its look at it."""
        client = signed_in("run_task")

        def gone(*args: Any, **options: Any) -> None:
            raise IntegrityError

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr("django.db.models.query.QuerySet.create", gone)
            response = post(client, TASKS, START, **self.KEY)
        assert response.status_code == 409
        assert watched_app.waiting() == 0
        assert post(client, TASKS, START, **self.KEY).status_code == 201

    def test_a_key_is_forgotten_after_a_day(self, signed_in: SignIn) -> None:
        client = signed_in("run_task")
        post(client, TASKS, START, **self.KEY)
        IdempotencyKey.objects.update(at=timezone.now() - idempotency.KEEP - timedelta(seconds=1))
        again = post(client, TASKS, START, **self.KEY)
        assert again.status_code == 201
        assert "Idempotency-Replayed" not in again
        assert watched_app.waiting() == 2

    def test_a_key_that_is_too_long_is_refused(self, signed_in: SignIn) -> None:
        response = post(signed_in("run_task"), TASKS, START, **{"Idempotency-Key": "x" * 256})
        assert response.status_code == 400
        assert watched_app.waiting() == 0


def digest_of(client: Client, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a request to start a task is known by."""
    post(client, TASKS, START, **{"Idempotency-Key": "probe"})
    watched_app.purge()
    return IdempotencyKey.objects.get(key="probe").digest


def _broken(*args: Any, **options: Any) -> None:
    raise OperationalError("database is locked")


def _away(*args: Any, **options: Any) -> None:
    raise ControlUnavailable("The broker is away")
