"""Questions, forms and results of verbs: permission, CSRF, parameters, and a broker that is away."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template import RequestContext, Template
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from monitoring.admin.control_actions import page_of
from monitoring.control import audit
from monitoring.control import broadcast as broadcast_module
from monitoring.control.actor import Actor
from monitoring.control.contract import Outcome, Result
from monitoring.control.verbs import VERBS
from monitoring.models import AuditEntry, Task, Worker
from monitoring.models.audit_entry import Ending
from monitoring.queries.search.fields import STATES
from monitoring.queries.visibility import Visibility
from tests.factories import make_failure_group, make_queue, make_task, make_user, make_worker
from tests.services.found import free_port

pytestmark = pytest.mark.django_db

WORKER, TASK = "celery@w1", "t1"


@pytest.fixture
def _broker_is_away(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody listens at the broker's address."""
    from monitoring.celery_app import watched_app

    monkeypatch.setitem(watched_app().conf, "broker_write_url", f"redis://127.0.0.1:{free_port()}/0")
    settings.MONITORING = {**settings.MONITORING, "CONTROL_TIMEOUT": 0.5}
    return


def text(response: Any) -> str:
    return html.unescape(response.content.decode()).replace("\u00a0", " ")


def url_of(verb: str) -> str:
    return reverse(f"admin:monitoring_{page_of(VERBS[verb].target_kind)}_control", args=[verb])


def signed_in(*permissions: str) -> Client:
    client = Client()
    client.force_login(make_user("operator", *permissions))
    return client


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_a_question_that_does_nothing(admin_client: Client, verb: str) -> None:
    make_worker(WORKER)
    make_task(TASK, state="STARTED", worker=WORKER)
    targets = {
        "worker": WORKER,
        "task": TASK,
        "task_name": "tasksdemo.tasks.slow.slow_task",
        "stamp": "tenant=acme",
        "task_id": "never-seen",
        "failure": make_failure_group().pk,
        "schedule": "nightly",
        "queue": make_queue().pk,
        "message": TASK,
    }
    response = admin_client.get(url_of(verb), {"target": targets[VERBS[verb].target_kind]})
    assert response.status_code == 200
    page = text(response)
    assert str(VERBS[verb].safe_button) in page or f"{VERBS[verb].label} is not possible</h1>" in page
    assert 'name="csrfmiddlewaretoken"' in text(response)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_is_refused_without_its_permission_and_that_is_written_down(verb: str) -> None:
    make_worker(WORKER)
    make_task(TASK)
    mine = VERBS[verb].permission.removeprefix("monitoring.")
    client = signed_in(*({"view_task", "view_worker", "view_failures"} - {mine}))
    if mine == "view_worker":  # then the page itself is closed
        return
    for data in ({"target": WORKER}, {"target": WORKER, "confirmed": "1"}):
        assert client.post(url_of(verb), data).status_code == 403
    assert {entry.ending for entry in AuditEntry.objects.all()} == {Ending.REFUSED}


def test_a_confirmed_verb_is_done_and_told_on_the_page_that_it_was_used_from() -> None:
    make_task(TASK, state="SUCCESS")
    client = signed_in("view_task", "delete_task")
    back = reverse("admin:monitoring_task_changelist")
    response = client.post(
        url_of("delete"), {"target": TASK, "confirmed": "1", "next": back, "reason": "too old"}
    )
    entry = AuditEntry.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"{back}?done={entry.pk}")
    assert not Task.objects.exists()
    assert entry.reason == "too old"


def test_without_a_page_to_go_back_to_each_answer_is_shown() -> None:
    make_task("done", state="SUCCESS")
    make_task("runs", state="STARTED")
    client = signed_in("view_task", "delete_task")
    response = client.post(
        url_of("delete"), {"target": ["done", "runs", "none"], "confirmed": "1"}, follow=True
    )
    said = text(response)
    assert "Delete record: done for 1 of 3" in said
    assert "left out" in said
    assert "Repeat for the other 2" in said
    stranger = Client()
    stranger.force_login(make_user("stranger", "view_task"))
    assert stranger.get(response.request["PATH_INFO"]).status_code == 404


def test_the_result_of_a_verb_with_parameters_names_them_and_each_answer(admin_client: Client) -> None:
    actor = Actor(User.objects.get(username="admin"))
    entry = audit.begin(actor, "pool_grow", "worker", ["celery@w1", "celery@w3"], parameters={"n": 2})
    answers = (Result("celery@w1", Outcome.DONE, "", 0.04), Result("celery@w3", Outcome.UNCONFIRMED))
    audit.add_results(entry, answers, 2.0)
    audit.finish(entry)
    url = reverse("admin:monitoring_worker_control_result", args=[entry.pk])
    said = text(admin_client.get(url))
    assert "1 of 2 workers acknowledged" in said
    assert "celery@w3 did not answer within 2 s" in said
    assert "n 2" in said
    assert "target=celery%40w3&n=2" in said
    banner = text(admin_client.get(reverse("admin:monitoring_worker_changelist"), {"done": entry.pk}))
    assert "1 of 2 workers acknowledged" in banner
    assert url in banner


def test_nobody_is_sent_to_another_site() -> None:
    make_task(TASK, state="SUCCESS")
    client = signed_in("view_task", "delete_task")
    data = {"target": TASK, "confirmed": "1", "next": "https://evil.example/"}
    assert "/_control/result/" in client.post(url_of("delete"), data)["Location"]


def test_a_confirmation_needs_the_csrf_token() -> None:
    make_task(TASK, state="SUCCESS")
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("operator", "view_task", "delete_task"))
    assert client.post(url_of("delete"), {"target": TASK, "confirmed": "1"}).status_code == 403
    assert Task.objects.exists()


@pytest.mark.usefixtures("_broker_is_away")
def test_a_broker_that_is_away_is_said_with_503_and_nothing_is_sent() -> None:
    make_worker(WORKER)
    client = signed_in("view_worker", "control_worker")
    response = client.post(url_of("pool_grow"), {"target": WORKER, "confirmed": "1", "n": "2"})
    assert response.status_code == 503
    assert "The broker cannot be reached" in text(response)
    assert 'value="2"' in text(response), "what was entered stays"
    entry = AuditEntry.objects.get()
    assert entry.ending == Ending.STOPPED


def test_a_parameter_that_is_wrong_is_explained_at_its_field(admin_client: Client) -> None:
    make_worker(WORKER)
    for data, words in (
        ({"n": "many"}, "Enter a whole number"),
        ({"n": "0"}, "greater than or equal to 1"),
        ({}, "This field is required"),
    ):
        response = admin_client.post(url_of("pool_grow"), {"target": WORKER, "confirmed": "1", **data})
        assert response.status_code == 200
        assert words in text(response)
    assert not AuditEntry.objects.exists()


def test_what_does_not_fit_is_disabled_with_its_reason_and_what_is_not_allowed_is_not_there() -> None:
    make_worker(WORKER, pool="solo", concurrency=1)
    make_task(TASK, state="FAILURE")
    url = reverse("admin:monitoring_worker_change", args=[WORKER]) + "?tab=pool"
    page = text(signed_in("view_worker", "control_worker").get(url))
    assert 'aria-disabled="true" title="The solo pool cannot do this: it keeps the size' in page
    assert "Shut down" not in page
    viewer = Client()
    viewer.force_login(make_user("viewer", "view_worker", "view_task"))
    assert "Grow pool" not in text(viewer.get(url))
    task = reverse("admin:monitoring_task_change", args=[TASK])
    assert "Revoke" not in text(viewer.get(task))
    revoker = Client()
    revoker.force_login(make_user("revoker", "view_task", "revoke_task"))
    reason = '<br><span class="mon-small">It has already ended: it failed</span>'
    assert f'aria-disabled="true"><span>Revoke{reason}' in text(revoker.get(task))


def test_a_question_that_needs_a_tick_is_asked_again_without_it(admin_client: Client) -> None:
    make_worker(WORKER, queues=["only-here"], last_heartbeat=timezone.now())
    response = admin_client.post(url_of("shutdown"), {"target": WORKER, "confirmed": "1"})
    assert response.status_code == 200
    assert "Tick the box first" in text(response)
    assert not AuditEntry.objects.exists()


def test_all_workers_of_a_filter_can_be_meant(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        make_worker(f"celery@w{number}", queues=["mail"] if number else ["other"])
    response = admin_client.post(url_of("pool_grow"), {"all": "1", "queue": "mail"})
    assert "celery@w1" in text(response)
    assert "celery@w2" in text(response)
    assert "celery@w0" not in text(response)
    monkeypatch.setattr(broadcast_module, "ask", None)
    assert admin_client.post(url_of("pool_grow"), {"all": "1", "queue": "none"}).status_code == 302


def test_a_question_about_very_many_targets_says_how_many_are_meant(admin_client: Client) -> None:
    now = timezone.now()
    Worker.objects.bulk_create(
        Worker(hostname=f"celery@w{n:04}", online=True, first_seen=now, last_heartbeat=now)
        for n in range(950)
    )
    response = admin_client.post(url_of("ping"), {"all": "1"})
    assert response.status_code == 200
    assert "Only the first 900 of 950" in text(response)
    assert "Ping 900 workers?" in text(response)
    assert text(response).count('<input type="hidden" name="target"') == 900


def test_hostile_targets_and_reasons_are_text(admin_client: Client) -> None:
    evil = "<script>alert(1)</script>/../ü" + "x" * 250
    response = admin_client.get(
        url_of("pool_grow"), {"target": [evil, "a\0b"], "next": "javascript:alert(1)"}
    )
    assert response.status_code == 200
    assert b"<script>alert" not in response.content
    assert b"javascript:alert" not in response.content
    make_task(evil[:255], state="SUCCESS")
    data = {"target": evil[:255], "confirmed": "1", "reason": evil}
    result = admin_client.post(url_of("delete"), data, follow=True)
    assert result.status_code == 200
    assert b"<script>alert" not in result.content


def test_a_verb_that_is_none_or_of_another_page_is_not_found(admin_client: Client) -> None:
    for path in ("worker/_control/delete/", "task/_control/pool_grow/", "worker/_control/election/"):
        assert admin_client.get(f"/admin/monitoring/{path}?target=x").status_code == 404


def test_what_was_sent_is_one_click_away() -> None:
    new = "0a1b2c3d-0000-4000-8000-00000000000f"
    request = RequestFactory().get("/")
    drawn = Template("{% load monitoring_parts %}{% with_task_links words %}").render(
        RequestContext(request, {"words": f"Sent as {new}. <b>"})
    )
    url = reverse("admin:monitoring_task_change", args=[new])
    assert drawn == f'Sent as <a href="{url}">{new}</a>. &lt;b&gt;'


def test_a_task_is_started_from_its_own_page_by_those_who_may(admin_client: Client) -> None:
    url = reverse("admin:monitoring_task_start")
    page = text(admin_client.get(url, {"name": "shop.pay", "queue": "mail"}))
    assert 'value="shop.pay"' in page
    assert 'value="mail"' in page
    assert "null" not in page.partition('<form class="mon-question')[2].partition("</form>")[0]
    assert '>[1, "a"]</textarea>' in text(admin_client.get(url, {"args": '[1, "a"]'})).replace("\n", "")
    data = {"target": "tasksdemo.tasks.slow.slow_task", "confirmed": "1", "args": "{not json", "queue": "q"}
    response = admin_client.post(url_of("apply"), data)
    assert response.status_code == 200
    assert "Enter a valid JSON" in text(response)
    client = signed_in("view_task")
    assert client.get(url).status_code == 403
    make_task(TASK)
    assert "Start a task" not in text(client.get(reverse("admin:monitoring_task_changelist")))


def test_arguments_that_are_nested_too_deep_are_shown_with_what_is_wrong(admin_client: Client) -> None:
    for depth in (201, 900, 950, 100_000):
        deep = "[" * depth + "]" * depth
        data = {"target": "tasksdemo.tasks.slow.slow_task", "args": deep}
        for response in (
            admin_client.post(url_of("apply"), {**data, "confirmed": "1"}),
            admin_client.post(url_of("apply"), data),
        ):
            assert response.status_code == 200
            assert deep in text(response)
        assert "nested more than 200 levels deep" in text(
            admin_client.post(url_of("apply"), {**data, "confirmed": "1"})
        )


def test_a_bulk_action_with_parameters_asks_for_them_first(admin_client: Client) -> None:
    make_task(TASK, state="STARTED", worker=WORKER)
    url = reverse("admin:monitoring_task_bulk")
    asked = admin_client.post(url, {"verb": "terminate", "_selected_action": TASK})
    assert asked.status_code == 200
    assert 'name="signal"' in text(asked)
    run = admin_client.post(
        url, {"verb": "terminate", "_selected_action": TASK, "given": "1", "signal": "SIGKILL"}
    )
    assert run.status_code == 302
    assert "1 eligible" in text(admin_client.get(run["Location"]))


def test_a_question_with_unknown_arguments_names_them_and_marks_their_box() -> None:
    make_task(
        TASK,
        name="tasksdemo.tasks.slow.slow_task",
        state="FAILURE",
        arguments='[["marta"],{"password":"[redacted]","card":{"number":"[redacted]"}}]',
        arguments_are="redacted",
    )
    client = signed_in("view_task", "rerun_task", "view_payload")
    page = text(client.get(url_of("rerun"), {"target": TASK}))
    assert "Redacted before it was stored: password, card.number. Put the real value" in page
    assert "Not known exactly. Secrets in them were redacted" in page
    assert "for a worker to take it" in page
    assert page.count("mon-field-wrong") == 1
    assert "2 of 3 arguments are not known.</b> password, card.number were redacted before they were" in page
    data = {
        "target": TASK,
        "confirmed": 1,
        "tick": 1,
        "args": "[]",
        "kwargs": '{"card":{"number":"[redacted]"}}',
    }
    page = text(client.post(url_of("rerun"), data))
    assert "Redacted before it was stored: card.number. Put the real value" in page
    assert not AuditEntry.objects.exists()


def test_without_a_script_arguments_are_asked_for_in_boxes() -> None:
    make_task(TASK, name="tasksdemo.tasks.slow.slow_task", state="FAILURE", args="(1,)", kwargs="{'a': 1.0}")
    client = signed_in("view_task", "rerun_task", "view_payload")
    page = text(client.get(url_of("rerun"), {"target": TASK}))
    rows = re.search(r"<div[^>]* data-arguments [^>]*>", page)
    assert rows is not None
    assert re.search(r"\shidden>$", rows[0])
    for name, value in (("args", "[1]"), ("kwargs", '{"a": 1.0}')):
        box = re.search(rf'<textarea name="{name}"[^>]*>\s*(.*?)</textarea>', page, re.DOTALL)
        assert box is not None
        assert box[1] == value


def test_who_may_not_read_arguments_sees_none_of_them_one_by_one() -> None:
    make_task(TASK, name="tasksdemo.tasks.slow.slow_task", state="FAILURE", args="('marta',)", kwargs="{}")
    page = text(signed_in("view_task", "rerun_task").get(url_of("rerun"), {"target": TASK}))
    assert "Run tasksdemo.tasks.slow.slow_task again?" in page
    assert "marta" not in page
    assert "data-arguments" not in page


def test_a_question_with_arguments_that_nobody_can_read_asks_for_them() -> None:
    make_task(TASK, name="tasksdemo.tasks.slow.slow_task", state="FAILURE", args="('xx", kwargs="{}")
    client = signed_in("view_task", "rerun_task", "view_payload")
    assert "Nothing of them can be read here" in text(client.get(url_of("rerun"), {"target": TASK}))
    data = {"target": TASK, "confirmed": 1, "tick": 1, "args": "", "kwargs": "{}"}
    assert "Nothing of them can be read here" in text(client.post(url_of("rerun"), data))
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("count", [1, 2])
def test_a_verb_that_fits_none_of_its_targets_asks_nothing(admin_client: Client, count: int) -> None:
    groups = [make_failure_group(f"{number:032x}").pk for number in range(count)]
    page = text(admin_client.get(url_of("failure_unmute"), {"target": groups}))
    assert f"Unmute is not possible{'' if count == 1 else ' for any of them'}</h1>" in page
    assert "It is not muted" in page
    question = page[page.index('class="mon-question"') :]
    question = question[: question.index("</form>")]
    assert "<button" not in question
    assert 'name="reason"' not in question


@pytest.mark.parametrize("name", [name for name, verb in VERBS.items() if verb.target_kind == "task"])
@pytest.mark.parametrize("state", STATES)
def test_what_a_row_says_of_its_state_is_what_the_verb_says_of_the_task(name: str, state: str) -> None:
    verb = VERBS[name]
    task = make_task(TASK, state=state)
    words = verb.why_not_in(state)
    assert not words or verb.why_not(verb.find([task.pk], Visibility.everything())[task.pk]) == words


@pytest.mark.parametrize(
    ("name", "button"),
    [("shop.pay", "Run shop.pay again"), ("tasksdemo.tasks.secret.secret_task", "Run again")],
)
def test_a_long_name_stands_in_the_question_and_not_on_the_button(name: str, button: str) -> None:
    make_task(TASK, name=name, state="FAILURE", args="()", kwargs="{}")
    target = VERBS["rerun"].find([TASK], Visibility.everything())[TASK]
    asked = VERBS["rerun"].confirmation([target], {}, Visibility.everything())
    assert (asked.question, asked.button) == (f"Run {name} again?", button)
