"""Flower's routes as users of different permissions and visibility see them; what they do: tests/services."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery
from django.test import Client
from django.utils import timezone

from monitoring.api.flower.worker_commands import COMMANDS
from monitoring.control.connecting import BrokerUnavailable
from monitoring.inspection import refresh
from monitoring.models import AuditEntry, Broker, Queue, WorkerSnapshot
from monitoring.queries import results, task_records
from monitoring.queries.outcomes import Outcome
from monitoring.queries.visibility import Visibility
from tests.api import watched_app
from tests.api.conftest import bearer
from tests.factories import make_event, make_task, make_user, make_worker

pytestmark = pytest.mark.django_db

GETS = ("workers", "workers/stats", "tasks", "task/types", "queues/length", "task/info/x", "task/result/x")
STARTS = ("task/apply/x", "task/async-apply/x", "task/send-task/x")
POSTS = (*STARTS, "task/revoke/x", "task/abort/x", *(f"{route}/x" for route in COMMANDS))
EVERYTHING = ("view_task", "view_worker", "view_payload")

SignIn = Callable[..., Client]


def only_shipping(user: Any) -> Visibility:
    return Visibility(names=("shipping.*",), queues=None)


def only_mail(user: Any) -> Visibility:
    return Visibility(names=None, queues=("mail",))


@pytest.fixture
def limited(settings: Any) -> None:
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.only_shipping"}


@pytest.fixture
def one_chunk_is_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_records, "CHUNK", 2)
    monkeypatch.setattr("monitoring.api.flower.task_list.CHUNK", 2)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("route", [*GETS, *POSTS])
def test_nobody_is_answered_401_and_without_permission_403(
    route: str, slash: str, client: Client, signed_in: SignIn
) -> None:
    path = f"/api/{route}{slash}"
    for who, status in ((client, 401), (signed_in(), 403)):
        answer = who.get(path) if route in GETS else who.post(path)
        assert answer.status_code == status
        assert answer.json()["detail"]


@pytest.mark.parametrize("route", POSTS)
def test_refused_attempt_is_audited(route: str, signed_in: SignIn) -> None:
    signed_in().post(f"/api/{route}")
    entry = AuditEntry.objects.get()
    assert (entry.via, entry.ending, entry.targets) == ("api", "refused", ["x"])


@pytest.mark.parametrize("route", ["task/rate-limit/shop.pay", "task/timeout/shop.pay"])
def test_refused_attempt_on_a_worker_is_audited_with_the_worker(route: str, signed_in: SignIn) -> None:
    signed_in().post(f"/api/{route}", {"workername": "celery@w1", "ratelimit": "1/s"})
    entry = AuditEntry.objects.get()
    assert (entry.target_kind, entry.targets) == ("worker", ["celery@w1"])
    assert entry.parameters == {"task_name": "shop.pay"}


def test_rate_that_is_none_is_refused_in_the_words_of_the_worker(settings: Any, signed_in: SignIn) -> None:
    settings.MONITORING = {**settings.MONITORING, "CELERY_APP": "tests.api.watched_app.app"}
    make_worker("celery@w1")
    client = signed_in("control_worker")
    query = {"workername": "celery@w1", "ratelimit": "often"}
    answer = client.post("/api/task/rate-limit/shop.note", query)
    words = "Failed to set rate limit: 'Invalid rate limit string'"
    assert (answer.status_code, answer.json()["detail"]) == (403, words)
    body = {"task_name": "shop.note", "rate_limit": "often"}
    native = client.post("/api/v1/workers/celery@w1/rate_limit/", body, content_type="application/json")
    assert (native.status_code, "10/s" in native.json()["errors"]["rate_limit"][0]) == (400, True)


def test_token_is_held_to_its_scopes(client: Client) -> None:
    headers = bearer(make_user("someone", "view_task", "revoke_task"), "view_task")
    assert client.get("/api/tasks", headers=headers).status_code == 200
    assert client.post("/api/task/revoke/x", headers=headers).status_code == 403


def test_other_methods_are_refused(signed_in: SignIn) -> None:
    client = signed_in(*EVERYTHING)
    assert client.post("/api/workers").status_code == 405
    assert client.get("/api/task/revoke/x").status_code == 405
    assert client.options("/api/tasks").status_code == 204


@pytest.mark.parametrize("route", STARTS)
def test_options_of_celery_reach_the_task_or_are_refused_by_name(
    route: str, settings: Any, signed_in: SignIn
) -> None:
    settings.MONITORING = {**settings.MONITORING, "CELERY_APP": "tests.api.watched_app.app"}
    watched_app.purge()
    client, path = signed_in("run_task"), f"/api/{route.removesuffix('x')}shop.note"

    def start(**options: Any) -> Any:
        body = json.dumps(
            {"args": ["hello"], "timeout": 0, **options}
            if "/apply/" in route
            else {"args": ["hello"], **options}
        )
        return client.post(path, body, content_type="application/json")

    options = {"headers": {"tenant": "acme"}, "retry": True, "serializer": "json", "ignore_result": True}
    assert start(**options).status_code == 200
    assert options.items() <= AuditEntry.objects.get().parameters.items()
    for option, words in (
        ({"link": {"task": "shop.note"}}, "link is not taken: it starts other tasks"),
        ({"headers": {"id": "other"}}, "headers: id is a header of Celery or the broker"),
        ({"serializer": "pickle"}, "serializer: The Celery app accepts json"),
        ({"made_up": 1}, "made_up: There is no such parameter"),
    ):
        answer = start(**option)
        assert (answer.status_code, words in answer.json()["detail"]) == (400, True), answer.json()
    assert watched_app.waiting() == 1
    watched_app.purge()


def test_arguments_are_judged_where_the_task_has_to_be_known_alone(settings: Any, signed_in: SignIn) -> None:
    settings.MONITORING = {**settings.MONITORING, "CELERY_APP": "tests.api.watched_app.app"}
    watched_app.purge()
    client, json_type = signed_in("run_task"), "application/json"
    body: dict[str, Any] = {"args": ["of", "another", "version"]}
    for route in ("apply", "async-apply"):
        answer = client.post(f"/api/task/{route}/shop.note", json.dumps(body), json_type)
        assert (answer.status_code, "does not take" in answer.json()["detail"]) == (400, True), route
    assert client.post("/api/task/send-task/shop.note", json.dumps(body), json_type).status_code == 200
    body["targets"] = ["shop.note"]
    [result] = client.post("/api/v1/verbs/send_task/", {**body, "wait": 0}, json_type).json()["results"]
    assert result["outcome"] == "done"
    assert watched_app.waiting() == 2
    watched_app.purge()


def test_name_that_no_task_can_have_is_a_mistake_of_the_caller(signed_in: SignIn) -> None:
    client = signed_in("run_task")
    answer = client.post(f"/api/task/send-task/{'x' * 256}", b"", "application/json")
    assert (answer.status_code, "255 characters" in answer.json()["detail"]) == (400, True)


def test_form_is_no_body_for_a_task_to_start(signed_in: SignIn) -> None:
    answer = signed_in("run_task").post("/api/task/send-task/shop.pay", {"args": "[1]"})
    assert (answer.status_code, bool(answer.json()["detail"])) == (400, True)


def test_task_without_permission_for_payload_keeps_its_keys(signed_in: SignIn) -> None:
    task = make_task(
        state="FAILURE", exception="ValueError('card 4111')", exception_type="ValueError", result="1"
    )
    make_event(task, "task-failed")
    full = signed_in(*EVERYTHING, username="full").get(f"/api/task/info/{task.task_id}").json()
    bare = signed_in("view_task", username="bare").get(f"/api/task/info/{task.task_id}").json()
    assert full.keys() == bare.keys()
    hidden = {name for name in full if full[name] != bare[name]}
    assert hidden == {"args", "kwargs", "exception", "result"}
    assert not any(bare[name] for name in hidden)
    result = signed_in("view_task", username="third").get(f"/api/task/result/{task.task_id}").json()
    assert result == {"task-id": task.task_id, "state": "FAILURE", "result": None, "traceback": None}


def test_task_has_its_children_and_the_clock_of_its_events(signed_in: SignIn) -> None:
    parent = make_task("parent", root_id="parent")
    make_task("child", root_id="parent", parent_id="parent")
    clock = make_event(parent, "task-started", after=1).clock
    answer = signed_in(*EVERYTHING).get("/api/task/info/parent").json()
    assert (answer["children"], answer["clock"]) == (["child"], clock)


def test_limited_user_sees_their_tasks_only(limited: None, signed_in: SignIn) -> None:
    mine = make_task("mine", name="shipping.send", root_id="mine")
    make_task("other", name="billing.pay", root_id="mine", parent_id="mine")
    make_worker()
    now = timezone.now()
    for kind, content in (
        ("stats", {"total": {"billing.pay": 3}}),
        ("active", [{"id": "mine", "name": "shipping.send"}, {"id": "other", "name": "billing.pay"}]),
        ("registered", ["billing.pay", "shipping.send [rate_limit=10/m]"]),
        ("revoked", ["mine", "other"]),
    ):
        WorkerSnapshot.objects.create(
            hostname="celery@web-1", kind=kind, content=content, asked_at=now, answered_at=now
        )
    client = signed_in(*EVERYTHING, "revoke_task", "run_task")
    assert list(client.get("/api/tasks").json()) == ["mine"]
    assert client.get(f"/api/task/info/{mine.pk}").json()["children"] == []
    assert client.get("/api/task/info/other").status_code == 404
    assert client.get("/api/task/types").json() == {"task-types": ["shipping.send"]}
    assert client.get("/api/task/result/other").json() == {"task-id": "other", "state": "PENDING"}
    worker = client.get("/api/workers").json()["celery@web-1"]
    assert "billing" not in json.dumps(worker)
    assert (worker["registered"], worker["revoked"]) == (["shipping.send [rate_limit=10/m]"], ["mine"])
    assert [task["args"] if "args" in task else task["id"] for task in worker["active"]] == ["mine"]
    assert client.post("/api/task/revoke/other").status_code == 404
    for route in ("send-task", "apply"):
        answer = client.post(f"/api/task/{route}/billing.pay", b"", "application/json")
        assert answer.status_code == 404


def test_workers_hide_arguments_of_running_tasks_without_permission(signed_in: SignIn) -> None:
    make_worker()
    now = timezone.now()
    task = {"id": "x", "name": "pay", "args": ["4111"], "kwargs": {"card": "4111"}}
    for kind, content in (("active", [task]), ("scheduled", [{"eta": "soon", "request": task}])):
        WorkerSnapshot.objects.create(
            hostname="celery@web-1", kind=kind, content=content, asked_at=now, answered_at=now
        )
    answer = signed_in("view_worker").get("/api/workers")
    assert "4111" not in answer.content.decode()
    shown = answer.json()["celery@web-1"]
    assert shown["active"][0].keys() == task.keys()
    assert {
        "stats",
        "conf",
        "active_queues",
        "registered",
        "reserved",
        "revoked",
        "timestamp",
    } <= shown.keys()


@pytest.mark.parametrize(("abilities", "messages"), [([], 5), (["rates"], 7)])
def test_queue_lengths_count_what_flower_counts(
    abilities: list[str], messages: int, signed_in: SignIn
) -> None:
    """On RabbitMQ what waits and what workers have, elsewhere what waits."""
    now = timezone.now()
    Broker.objects.create(abilities=abilities)
    common: dict[str, Any] = {"first_seen": now, "named_at": now, "read_at": now}
    Queue.objects.create(name="mail", ready=5, unacked=2, named_by=["worker"], **common)
    Queue.objects.create(name="unread", ready=None, named_by=["worker"], **common)
    Queue.objects.create(name="not consumed", ready=1, named_by=["sent"], **common)
    [queue] = signed_in("view_queue").get("/api/queues/length").json()["active_queues"]
    assert (queue["name"], queue["messages"], queue["messages_ready"]) == ("mail", messages, 5)


def test_queue_lengths_are_of_queues_that_may_be_seen(settings: Any, signed_in: SignIn) -> None:
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.only_mail"}
    now = timezone.now()
    for name in ("mail", "bank"):
        Queue.objects.create(name=name, ready=1, first_seen=now, named_at=now)
    found = signed_in("view_queue").get("/api/queues/length").json()["active_queues"]
    assert [queue["name"] for queue in found] == ["mail"]


def test_long_list_is_sent_in_parts_in_its_order(one_chunk_is_two: None, signed_in: SignIn) -> None:
    now = timezone.now()
    for number in range(5):
        make_task(f"t{number}", updated_at=now - timedelta(minutes=number), args='("é\\"",)')
    answer = signed_in(*EVERYTHING).get("/api/tasks")
    assert answer.streaming
    found = json.loads(b"".join(answer.streaming_content))
    assert list(found) == ["t0", "t1", "t2", "t3", "t4"]
    assert found["t0"]["args"] == '("é\\"",)'


def test_keyword_arguments_are_searched_as_whole_pairs(signed_in: SignIn) -> None:
    for task_id, kwargs in (
        ("number", "{'order_id': 5}"),
        ("text", "{'order_id': '5', 'who': 'ann'}"),
        ("longer number", "{'order_id': 58699}"),
        ("longer text", "{'order_id': '5a'}"),
        ("longer name", "{'last_order_id': 5}"),
        ("other value", "{'order_id': 7, 'lines': 5}"),
    ):
        make_task(task_id, kwargs=kwargs)
    client = signed_in(*EVERYTHING)

    def found(search: str) -> set[str]:
        return set(client.get("/api/tasks", {"search": search}).json())

    assert found("kwargs:order_id=5") == {"number", "text"}
    assert found("kwargs:ORDER_ID=5 kwargs:who=Ann") == {"text"}
    assert found("kwargs:order_id=5*") == {"number", "text", "longer number", "longer text"}


@pytest.mark.parametrize("most_names", [0, 100])
def test_names_and_workers_are_searched_in_any_case(
    most_names: int, monkeypatch: pytest.MonkeyPatch, signed_in: SignIn
) -> None:
    """Also where there are too many names to be compared one by one."""
    monkeypatch.setattr("monitoring.queries.search.compiler._MOST_NAMES", most_names)
    make_task("a", name="Shop.PayInvoice", worker="celery@Web-1")
    make_task("b", name="shop.mail", worker="celery@db-1")
    make_task("c", name=None, worker=None)
    client = signed_in(*EVERYTHING)
    for search, ids in (
        ("name:payinvoice", {"a"}),
        ("name:SHOP", {"a", "b"}),
        ("worker:WEB", {"a"}),
        ("-name:SHOP", {"c"}),
        ("-worker:web", {"b", "c"}),
        ("name:shop.pay*", set()),
    ):
        assert set(client.get("/api/tasks", {"search": search}).json()) == ids, search


def test_only_the_newest_tasks_are_sorted(monkeypatch: pytest.MonkeyPatch, signed_in: SignIn) -> None:
    monkeypatch.setattr(task_records, "NEWEST", 2)
    now = timezone.now()
    for number in range(4):
        make_task(f"t{number}", first_seen=now - timedelta(minutes=number), name=f"n{number}")
    client = signed_in(*EVERYTHING)
    assert list(client.get("/api/tasks", {"sort_by": "-name"}).json()) == ["t1", "t0"]
    assert list(client.get("/api/tasks", {"taskname": "n3"}).json()) == ["t3"], "of those that match"


@pytest.mark.parametrize("offset", ["3", "200000", "9" * 40])
def test_behind_the_last_task_there_is_nothing(offset: str, signed_in: SignIn) -> None:
    make_task()
    assert signed_in(*EVERYTHING).get("/api/tasks", {"offset": offset}).json() == {}


def test_number_of_questions_does_not_grow_with_the_tasks(
    signed_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        make_task()
    client = signed_in(*EVERYTHING)
    with django_assert_max_num_queries(12):
        assert len(client.get("/api/tasks").json()) == 20


def test_hostile_ids_and_texts_do_no_harm(signed_in: SignIn) -> None:
    client = signed_in(*EVERYTHING, "revoke_task")
    for path in (
        "task/info/%00",
        "task/result/a%00b",
        "task/info/a/b/../c",
        "tasks?search=%00",
        "tasks?taskname=%00",
    ):
        assert client.get(f"/api/{path}").status_code in (200, 404), path
    task = make_task("a/b c")
    assert client.get("/api/task/info/a/b%20c/").json()["uuid"] == task.task_id


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "application/x-www-form-urlencoded; charset=latin1"]
)
def test_a_form_that_cannot_be_read_is_a_400(signed_in: SignIn, content_type: str) -> None:
    client = signed_in(*EVERYTHING, "revoke_task")
    answer = client.post("/api/task/revoke/any", b"terminate=1", content_type=content_type)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_nobody_waits_for_ever_for_a_result(monkeypatch: pytest.MonkeyPatch, signed_in: SignIn) -> None:
    waited: list[float] = []

    def outcome(visibility: Any, app: Any, task_id: str, seconds: float, **options: Any) -> Outcome:
        waited.append(seconds)
        return Outcome("PENDING")

    monkeypatch.setattr("monitoring.api.flower.task_result.outcome_within", outcome)
    client = signed_in(*EVERYTHING)
    for seconds in ("inf", "nan", "1e400"):
        answer = client.get(f"/api/task/result/any?timeout={seconds}")
        assert (answer.status_code, waited) == (400, [])
        assert answer.json()["detail"] == f"Invalid argument '{seconds}' of type 'float'"
    assert client.get("/api/task/result/any?timeout=1e300").status_code == 200
    assert waited == [60.0]


@pytest.mark.filterwarnings("ignore:Call to deprecated setex")
def test_long_result_is_answered_whole_or_said_to_be_cut(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, signed_in: SignIn
) -> None:
    app = Celery(backend=redis_url, set_as_current=False)
    monkeypatch.setattr("monitoring.api.flower.task_result.watched_app", lambda: app)
    monkeypatch.setattr(results, "TIMEOUT", 60.0)
    text = "x" * 2_000_000
    for task_id in ("a", "unknown"):
        app.backend.store_result(task_id, text, "SUCCESS")
    make_task("a", state="SUCCESS", result="'xxx...'")
    client = signed_in(*EVERYTHING)
    whole = {"task-id": "a", "state": "SUCCESS", "result": text}
    assert client.get("/api/task/result/a").json() == whole
    assert client.get("/api/task/result/unknown").json() == {**whole, "task-id": "unknown"}
    monkeypatch.setattr(results, "MAX_SIZE_OF_ENTRIES", 1_000_000)
    answer = client.get("/api/task/result/a").json()
    assert answer == {**whole, "result": "'xxx...'", "result_is_cut": True}
    assert client.get("/api/task/result/unknown").json() == {"task-id": "unknown", "state": "PENDING"}


def test_cut_text_of_an_event_in_the_place_of_a_result_says_so(
    monkeypatch: pytest.MonkeyPatch, signed_in: SignIn
) -> None:
    app = Celery(backend="cache+memory://", set_as_current=False)
    monkeypatch.setattr("monitoring.api.flower.task_result.watched_app", lambda: app)
    make_task("cut", state="SUCCESS", result=f"'{'x' * 1_021}...'")
    make_task("whole", state="SUCCESS", result="'x...'")
    client = signed_in(*EVERYTHING)
    assert client.get("/api/task/result/cut").json()["result_is_cut"] is True
    assert "result_is_cut" not in client.get("/api/task/result/whole").json()


def test_half_characters_in_an_answer_do_no_harm(settings: Any, signed_in: SignIn) -> None:
    settings.MONITORING = {**settings.MONITORING, "CELERY_APP": "tests.api.watched_app.app"}
    client = signed_in(*EVERYTHING, "run_task")
    body = r'{"kwargs": {"\ud800": 1}}'
    answer = client.post("/api/task/async-apply/shop.note", body, content_type="application/json")
    assert (answer.status_code, "unexpected" in answer.json()["detail"]) == (400, True)
    answer = client.post("/api/task/send-task/shop.note", body, content_type="application/json")
    assert answer.status_code == 200
    watched_app.purge()


def test_broker_that_is_away_is_a_503(monkeypatch: pytest.MonkeyPatch, signed_in: SignIn) -> None:
    def away(*args: Any, **options: Any) -> None:
        raise BrokerUnavailable("The broker cannot be reached")

    make_worker()
    monkeypatch.setattr(refresh, "ask_workers", away)
    monkeypatch.setattr("monitoring.control.task_verbs.revoke.broadcast", away)
    client = signed_in(*EVERYTHING, "revoke_task")
    answer = client.get("/api/workers?refresh=1")
    assert (answer.status_code, answer.json()["detail"][:25]) == (503, "Failed to update workers:")
    task = make_task(state="RECEIVED")
    assert client.post(f"/api/task/revoke/{task.task_id}").status_code == 503


def test_aborting_without_a_result_backend_is_a_503(
    monkeypatch: pytest.MonkeyPatch, signed_in: SignIn
) -> None:
    bare = Celery(backend="disabled://", set_as_current=False)
    monkeypatch.setattr("monitoring.api.flower.task_stop.watched_app", lambda: bare)
    task = make_task(state="STARTED")
    answer = signed_in(*EVERYTHING, "revoke_task").post(f"/api/task/abort/{task.task_id}")
    assert (answer.status_code, answer.json()["detail"]) == (503, "The project has no result backend")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("", "/admin/monitoring/"),
        ("dashboard", "/admin/monitoring/"),
        (
            "tasks?state=FAILURE&type=shop.pay&worker=All",
            "/admin/monitoring/task/?state=FAILURE&name=shop.pay",
        ),
        ("task/a/b", "/admin/monitoring/task/a_2Fb/change/"),
        ("workers", "/admin/monitoring/worker/"),
        ("worker/celery@w1", "/admin/monitoring/worker/celery_40w1/change/"),
        ("monitor/", "/admin/monitoring/monitor/"),
    ],
)
def test_pages_of_flower_lead_to_ours(path: str, target: str, client: Client) -> None:
    answer = client.get(f"/flower/{path}")
    assert (answer.status_code, answer["Location"]) == (302, target)


@pytest.mark.parametrize("path", ["broker", "config"])
def test_every_page_of_flower_leads_somewhere(path: str, client: Client) -> None:
    answer = client.get(f"/flower/{path}", follow=False)
    assert answer["Location"].startswith("/admin/monitoring/")


def test_api_stands_below_flowers_prefix_too(signed_in: SignIn) -> None:
    assert signed_in("view_worker").get("/flower/api/workers?status=1").json() == {}
