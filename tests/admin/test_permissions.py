"""Who may see which page, and what of it. Everybody before every address: test_permission_matrix.py."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from monitoring.models import Task
from monitoring.queries.visibility import Visibility
from tests.factories import (
    VIEWER_PERMISSIONS,
    make_dead_letter,
    make_event,
    make_gap,
    make_task,
    make_user,
    make_worker,
)

pytestmark = pytest.mark.django_db

PERMISSION_OF = {
    "task": "view_task",
    "worker": "view_worker",
    "deadletter": "view_deadletter",
    "gap": "view_gap",
    "schedule": "view_schedule",
    "config": "view_config",
    "statistic": "view_statistic",
}
SECRETS = (
    "ARGSECRET",
    "KWARGSECRET",
    "RESULTSECRET",
    "EXCSECRET",
    "TRACESECRET",
    "EVENTSECRET",
    "PROGRESSSECRET",
)


def client_of(*permissions: str, **fields: Any) -> Client:
    client = Client()
    client.force_login(make_user("someone", *permissions, **fields))
    return client


def list_url(model: str) -> str:
    return reverse(f"admin:monitoring_{model}_changelist")


def task_url(task: Task) -> str:
    return reverse("admin:monitoring_task_change", args=[task.pk])


def limited(user: Any) -> Visibility:
    return Visibility(names=("shop.*",))


def nothing(user: Any) -> None:
    return None


@pytest.mark.parametrize("model", PERMISSION_OF)
def test_a_signed_out_reader_is_sent_to_the_login(client: Client, model: str) -> None:
    response = client.get(list_url(model))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize("model", PERMISSION_OF)
def test_a_user_who_is_not_staff_is_sent_to_the_login(model: str) -> None:
    response = client_of(*VIEWER_PERMISSIONS, is_staff=False).get(list_url(model))
    assert response.status_code == 302


@pytest.mark.parametrize("model", PERMISSION_OF)
def test_each_page_needs_its_own_permission(model: str) -> None:
    others = [permission for name, permission in PERMISSION_OF.items() if name != model]
    assert client_of(*others).get(list_url(model)).status_code == 403


@pytest.mark.parametrize(("model", "permission"), PERMISSION_OF.items())
def test_the_permission_opens_the_page_and_only_its_tab(model: str, permission: str) -> None:
    html = client_of(permission).get(list_url(model)).content.decode()
    for other in PERMISSION_OF:
        assert (f'href="{list_url(other)}"' in html) is (other == model)


def test_single_pages_need_the_permission_too() -> None:
    task, worker = make_task(), make_worker()
    client = client_of("view_gap")
    assert client.get(task_url(task)).status_code == 403
    assert client.get(reverse("admin:monitoring_worker_change", args=[worker.pk])).status_code == 403


@pytest.mark.parametrize(
    "path", ["task/add/", "worker/add/", "task/x/delete/", "task/x/history/", "gap/1/change/"]
)
def test_nothing_can_be_added_changed_or_deleted(admin_client: Client, path: str) -> None:
    make_task("x")
    url = reverse("admin:index") + "monitoring/" + path
    for response in (admin_client.get(url, follow=True), admin_client.post(url, {}, follow=True)):
        final = response.redirect_chain[-1][0] if response.redirect_chain else ""
        assert response.status_code == 404 or final.split("?")[0] in (list_url("task"), list_url("worker"))
    assert Task.objects.count() == 1


def make_task_with_secrets() -> Task:
    task = make_task(
        state="FAILURE",
        args="('ARGSECRET',)",
        kwargs="{'key': 'KWARGSECRET'}",
        result="'RESULTSECRET'",
        exception="ValueError('EXCSECRET')",
        exception_type="ValueError",
        traceback="Traceback TRACESECRET",
        progress=0.5,
        progress_message="PROGRESSSECRET",
    )
    make_event(task, "task-sent", 0, "gen1@web", retries=0, queue="default")
    make_event(task, "task-received", 1, retries=0)
    make_event(task, "task-started", 2)
    make_event(task, "task-progress", 2.5, current=1, total=2, message="PROGRESSSECRET")
    make_event(task, "task-custom", 2.6, something="EVENTSECRET")
    make_event(task, "task-retried", 3, exception="ValueError('EXCSECRET')", traceback="TRACESECRET")
    make_event(task, "task-failed", 4, exception="EXCSECRET without a class", traceback="TRACESECRET")
    return task


def test_without_the_permission_no_payload_is_anywhere() -> None:
    task = make_task_with_secrets()
    client = client_of("view_task", "view_worker")
    for url in (list_url("task"), task_url(task), list_url("task") + f"?q={task.pk}"):
        html = client.get(url).content.decode()
        assert task.task_id in html
        assert [secret for secret in SECRETS if secret in html] == []
    assert "view_payload" in client.get(task_url(task)).content.decode(), "the page says what is missing"


def test_with_the_permission_all_of_it_is_there() -> None:
    task = make_task_with_secrets()
    html = client_of("view_task", "view_payload").get(task_url(task)).content.decode()
    assert [secret for secret in SECRETS if secret not in html] == []


def test_arguments_cannot_be_guessed_by_searching_for_them() -> None:
    make_task_with_secrets()
    url = list_url("task") + "?q=KWARGSECRET first_seen:-24h"
    assert "No task matches" in client_of("view_task").get(url, follow=True).content.decode()


def test_a_payload_reader_finds_arguments() -> None:
    task = make_task_with_secrets()
    url = list_url("task") + "?q=kwargsecret first_seen:-24h"
    html = client_of("view_task", "view_payload").get(url, follow=True).content.decode()
    assert task.task_id in html


class TestLimitedVisibility:
    @pytest.fixture(autouse=True)
    def _limit(self, settings: Any) -> None:
        settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.limited"}

    def test_only_tasks_of_the_patterns_are_listed(self, admin_client: Client) -> None:
        seen, hidden = make_task(name="shop.tasks.a"), make_task(name="bank.tasks.b")
        unnamed = make_task(name=None)
        html = admin_client.get(list_url("task")).content.decode()
        assert seen.task_id in html
        assert hidden.task_id not in html
        assert unnamed.task_id not in html
        assert "bank.tasks.b" not in html, "not even as a choice of the filter"

    def test_a_hidden_task_looks_as_if_it_did_not_exist(self, admin_client: Client) -> None:
        hidden = make_task(name="bank.tasks.b")
        response = admin_client.get(task_url(hidden))
        assert response.status_code == 302
        assert response["Location"] == list_url("task")
        by_id = admin_client.get(list_url("task") + f"?q={hidden.task_id}").content.decode()
        assert "No task matches" in by_id

    def test_a_relative_that_may_not_be_seen_is_not_named(self, admin_client: Client) -> None:
        parent = make_task(name="bank.tasks.b")
        html = admin_client.get(task_url(make_task(parent_id=parent.pk))).content.decode()
        assert "bank.tasks.b" not in html

    def test_dead_letters_and_gaps_are_nobodys(self, admin_client: Client) -> None:
        make_dead_letter()
        make_gap()
        for model in ("deadletter", "gap"):
            assert admin_client.get(list_url(model)).status_code == 403
            assert f'href="{list_url(model)}"' not in admin_client.get(list_url("task")).content.decode()

    def test_workers_are_shown_without_figures(self, admin_client: Client) -> None:
        worker = make_worker(processed=7_654_321)
        for url in (list_url("worker"), reverse("admin:monitoring_worker_change", args=[worker.pk])):
            html = admin_client.get(url).content.decode()
            assert "web-1" in html
            assert "7,654,321" not in html


def test_a_visibility_that_is_none_shows_nothing_rather_than_everything(
    admin_client: Client, settings: Any
) -> None:
    settings.MONITORING = {**settings.MONITORING, "VISIBILITY": f"{__name__}.nothing"}
    with pytest.raises(TypeError, match="not a Visibility"):
        admin_client.get(list_url("task"))
