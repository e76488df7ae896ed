"""Bulk actions as a person without scripts goes through them, and what each step refuses."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring.models import AuditEntry, BulkRun, Task
from monitoring.models.bulk_run import RunState
from tests.factories import make_task, make_user

pytestmark = pytest.mark.django_db

BULK = "admin:monitoring_task_bulk"
JSON = {"Accept": "application/json"}
EVIL = "\"'><img src=x onerror=alert(2)><script>alert(1)</script>{{ 7*7 }}"


def client_of(name: str, *permissions: str, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(make_user(name, *permissions))
    return client


def operator(**options: Any) -> Client:
    return client_of("operator", "view_task", "delete_task", **options)


def url(step: str, run: BulkRun) -> str:
    return reverse(f"{BULK}_{step}", args=[run.pk])


def ask(client: Client, **fields: Any) -> BulkRun:
    response = client.post(reverse(BULK), {"verb": "delete", **fields})
    assert response.status_code == 302, response.content
    run = BulkRun.objects.latest("asked_at")
    assert response["Location"] == url("run", run)
    return run


def only_form(html: str, step: str, run: BulkRun) -> str:
    """The form of a page that leads to a step: its fields are what a browser would send."""
    found = re.search(rf'<form[^>]*action="{re.escape(url(step, run))}".*?</form>', html, re.S)
    assert found, f"no form for {step}"
    return found[0]


def test_selected_tasks_are_deleted_through_the_question_without_scripts() -> None:
    client = operator(enforce_csrf_checks=True)
    done, live, other = make_task(), make_task(state="STARTED"), make_task()
    token = client.get(reverse("admin:monitoring_task_views")).cookies["csrftoken"].value
    chosen = {"verb": "delete", "_selected_action": [done.pk, live.pk], "csrfmiddlewaretoken": token}
    page = client.post(reverse(BULK), chosen, follow=True)
    html = page.content.decode()
    run = BulkRun.objects.get()
    assert "Delete the record of 1 task?" in html
    assert "1 eligible, 1 not" in re.sub(r"\s+", " ", html)
    assert "next event would bring the record back" in html
    assert Task.objects.count() == 3
    only_form(html, "confirm", run)
    page = client.post(url("confirm", run), {"reason": "too old", "csrfmiddlewaretoken": token}, follow=True)
    html = page.content.decode()
    assert set(Task.objects.values_list("pk", flat=True)) == {live.pk, other.pk}
    assert "1 deleted, 1 left out" in html
    assert live.pk in html
    assert AuditEntry.objects.get().reason == "too old"


def test_all_that_match_go_on_by_a_button_until_they_are_done() -> None:
    client = operator()
    for index in range(1_200):
        make_task(first_seen=timezone.now() - timedelta(seconds=index), name="old")
    make_task(name="new")
    run = ask(client, all="1", query="name=old")
    html = client.get(url("run", run)).content.decode()
    assert "Delete the records of 1,200 tasks?" in html
    client.post(url("confirm", run))
    for _ in range(20):
        html = client.get(url("run", run)).content.decode()
        run.refresh_from_db()
        if run.state != RunState.RUNNING:
            break
        only_form(html, "advance", run)
        client.post(url("advance", run))
    assert (run.state, run.done) == (RunState.DONE, 1_200)
    assert list(Task.objects.values_list("name", flat=True)) == ["new"]
    response = client.get(url("results", run))
    lines = b"".join(response.streaming_content).decode().splitlines()
    assert lines[0] == "task_id,outcome,words"
    assert len(lines) == 1_201


def test_progress_comes_as_json_for_scripts() -> None:
    client = operator()
    for _ in range(3):
        make_task()
    run = ask(client, all="1")
    assert client.get(url("run", run), headers=JSON).json()["state"] == "asked"
    assert client.post(url("confirm", run), headers=JSON).json()["state"] == "running"
    for _ in range(20):
        answer = client.post(url("advance", run), headers=JSON).json()
        if answer["state"] != "running":
            break
    assert answer == {
        "state": "done", "done": 3, "left_out": 0, "failed": 0, "expected": 3, "part": 1.0,
        "words": "3 deleted, 0 left out",
    }  # fmt: skip


def test_trying_one_first_leaves_the_others_for_later() -> None:
    client = operator()
    for _ in range(3):
        make_task()
    run = ask(client, all="1")
    html = client.post(url("confirm", run), {"first": "1"}, follow=True).content.decode()
    assert Task.objects.count() == 2
    assert "Go on with the rest" in html
    client.post(url("confirm", run))
    assert Task.objects.count() == 0


def test_stop_halts_and_the_page_says_so() -> None:
    client = operator()
    make_task()
    run = ask(client, all="1")
    BulkRun.objects.update(
        state=RunState.RUNNING, audit=AuditEntry.objects.create(at=timezone.now(), verb="delete")
    )
    html = client.post(url("stop", run), follow=True).content.decode()
    assert "Stopped" in html
    client.post(url("advance", run))
    assert Task.objects.count() == 1


@pytest.mark.parametrize("step", ["confirm", "advance", "stop"])
def test_nothing_changes_by_following_a_link(step: str) -> None:
    client = operator()
    make_task()
    run = ask(client, all="1")
    assert client.get(url(step, run)).status_code == 405
    assert client.get(reverse(BULK)).status_code == 405
    run.refresh_from_db()
    assert (run.state, Task.objects.count()) == (RunState.ASKED, 1)


def test_without_the_csrf_token_nothing_happens() -> None:
    client = operator(enforce_csrf_checks=True)
    make_task()
    assert client.post(reverse(BULK), {"verb": "delete", "all": "1"}).status_code == 403
    client.handler.enforce_csrf_checks = False
    run = ask(client, all="1")
    client.handler.enforce_csrf_checks = True
    for step in ("confirm", "advance", "stop"):
        assert client.post(url(step, run)).status_code == 403
    assert Task.objects.count() == 1


@pytest.mark.parametrize("permissions", [(), ("view_task",), ("view_task", "view_payload"), ("delete_task",)])
def test_the_question_needs_both_permissions(permissions: tuple[str, ...]) -> None:
    task = make_task()
    client = client_of("someone", *permissions)
    response = client.post(reverse(BULK), {"verb": "delete", "_selected_action": [task.pk]})
    assert response.status_code == 403
    assert AuditEntry.objects.get().ending == "refused"
    assert not BulkRun.objects.exists()
    assert Task.objects.exists()


def test_a_signed_out_reader_is_sent_to_the_login(client: Client) -> None:
    response = client.post(reverse(BULK), {"verb": "delete", "all": "1"})
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("admin:login"))


def test_a_permission_that_is_taken_away_ends_the_run() -> None:
    client = operator()
    make_task()
    run = ask(client, all="1")
    client.post(url("confirm", run), headers=JSON)
    user = User.objects.get(username="operator")
    user.user_permissions.remove(Permission.objects.get(codename="delete_task"))
    assert client.post(url("advance", run)).status_code == 403
    assert Task.objects.count() == 1
    assert set(AuditEntry.objects.values_list("ending", flat=True)) == {"stopped", "refused"}


def test_a_run_is_nobody_elses() -> None:
    make_task()
    run = ask(operator(), all="1")
    other = client_of("other", "view_task", "delete_task")
    assert other.get(url("run", run)).status_code == 404
    assert other.get(url("results", run)).status_code == 404
    for step in ("confirm", "advance", "stop"):
        assert other.post(url(step, run)).status_code == 404
    assert other.get(reverse(f"{BULK}_run", args=[uuid.uuid4()])).status_code == 404
    assert Task.objects.count() == 1


def test_what_is_no_verb_or_no_task_is_said() -> None:
    client = operator()
    assert client.post(reverse(BULK), {"verb": "explode", "all": "1"}).status_code == 400
    response = client.post(reverse(BULK), {"verb": "delete", "query": "state=LOST"}, follow=True)
    assert "No task was selected" in response.content.decode()
    assert not BulkRun.objects.exists()


def test_a_filter_with_a_mistake_leads_back_to_the_list_and_says_why() -> None:
    make_task()
    response = operator().post(reverse(BULK), {"verb": "delete", "all": "1", "query": "q=("})
    assert response["Location"] == reverse("admin:monitoring_task_changelist") + "?q=("
    assert not BulkRun.objects.exists()


def test_hostile_ids_reasons_and_filters_are_escaped() -> None:
    client = operator()
    make_task(EVIL, state="STARTED")
    run = ask(client, _selected_action=[EVIL, EVIL + "none"])
    html = client.get(url("run", run)).content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    client.post(url("confirm", run), {"reason": EVIL})
    html = client.get(url("run", run)).content.decode()
    assert "alert(1)" in unescape(html)
    assert "<script>alert" not in html
    run = ask(client, all="1", query="name=" + EVIL.replace('"', "") + "\0")
    html = client.get(url("run", run)).content.decode()
    assert "<script>alert" not in html
    assert "\"'>" not in html


def test_a_task_whose_id_looks_like_an_address_keeps_its_page() -> None:
    client = operator()
    for task_id in ("_bulk", "_export", "_views/1/save", "_columns"):
        make_task(task_id)
        response = client.get(reverse("admin:monitoring_task_change", args=[quote(task_id)]))
        assert response.context["task"].task_id == task_id


def test_no_run_page_asks_more_with_more_tasks(django_assert_max_num_queries: Any) -> None:
    client = operator()
    for _ in range(60):
        make_task(state="STARTED")
    run = ask(client, all="1")
    with django_assert_max_num_queries(12):
        client.get(url("run", run))


@pytest.mark.parametrize(
    ("expected", "words"), [(7_135, "about 7,135"), (None, "more than 10")], ids=["estimate", "lower bound"]
)
def test_an_estimate_is_one_in_every_sentence_of_the_question(expected: int | None, words: str) -> None:
    client = operator()
    make_task()
    run = ask(client, all="1", query="")
    run.dry_run |= {"complete": False, "looked_at": 10, "eligible": 10, "expected": expected}
    run.save()
    page = re.sub(r"\s+", " ", client.get(url("run", run)).content.decode())
    assert page.count(f"Delete the records of {words} tasks?") == 3, "title, crumb and heading"
    assert f"<b>{words[0].upper()}{words[1:]} eligible.</b>" in page
    assert f">Delete {words} records</button>" in page
    assert f"<b>{words}</b>" in page


def test_where_none_is_eligible_nothing_is_asked() -> None:
    client = client_of("operator", "view_task", "revoke_task")
    tasks = [make_task(state="FAILURE") for _ in range(2)]
    run = ask(client, verb="revoke", _selected_action=[task.pk for task in tasks])
    page = re.sub(r"\s+", " ", client.get(url("run", run)).content.decode())
    assert page.count("Revoke is not possible for any of them") == 3, "title, crumb and heading"
    assert "None of 2 is eligible." in page
    assert "It has already ended: it failed" in page
    form = only_form(page, "confirm", run)
    assert "<button" not in form
    assert ">Back to the list</a>" in form


def test_the_result_names_the_tasks_and_says_what_became_of_them() -> None:
    client = client_of("operator", "view_task", "revoke_task")
    make_task("over", name="shop.pay", state="FAILURE")
    run = ask(client, verb="revoke", _selected_action=["over"])
    client.post(url("confirm", run))
    client.post(url("advance", run))
    page = re.sub(r"\s+", " ", client.get(url("run", run)).content.decode())
    assert "<b>shop.pay</b> <code>over</code>" in page
    assert "0 acknowledged, 1 left out" in page
