"""Who gets what from which route of the API: one permission opens it, every other one does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import get_resolver

from monitoring.api.v1 import changes
from monitoring.api.views import MonitoringView
from monitoring.control.verbs import VERBS
from tests.factories import make_task, make_user, make_worker

from .conftest import bearer

pytestmark = pytest.mark.django_db

#: What each route needs to be read. None: signed in is enough. A new route has to be entered here.
READING: dict[str, str | None] = {
    "": None,
    "verbs/": None,
    "tasks/": "view_task",
    "tasks/t1/": "view_task",
    "task-changes/": "view_task",
    "workers/": "view_worker",
    "workers/celery@w1/": "view_worker",
    "workers/celery@w1/history/": "view_worker",
    "statistics/": "view_statistic",
    "statistics/tasks/": "view_statistic",
    "statistics/exceptions/": "view_statistic",
    "statistics/durations/": "view_statistic",
    "statistics/hours/": "view_statistic",
    "marks/": "view_statistic",
    "queues/": "view_queue",
    "queues/x/": "view_queue",
    "queues/x/history/": "view_queue",
    "failures/": "view_failures",
    "failures/x/": "view_failures",
    "schedules/": "view_schedule",
    "schedules/x/": "view_schedule",
    "configuration/": "view_worker",
    "audit/": "view_auditentry",
    "audit/1/": "view_auditentry",
    "dead-letters/": "view_deadletter",
    "gaps/": "view_gap",
    "health/": "view_monitor",
}


@pytest.fixture(autouse=True)
def _streams_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "_end", lambda seconds: 0.0)


#: Found, or not: let in.
LET_IN = (200, 404)


def routes() -> list[Any]:
    """Every pattern of the native API."""
    from monitoring.api.v1.urls import urlpatterns

    return urlpatterns


def test_every_route_that_can_be_read_is_in_the_matrix() -> None:
    matched = {get_resolver().resolve(f"/api/v1/{address}").route for address in READING}
    readable = {
        f"api/v1/{route.pattern}" for route in routes() if "GET" in route.callback.view_class.operations
    }
    assert matched == readable


def test_every_view_is_one_of_ours_with_its_operations() -> None:
    for route in routes():
        view = route.callback.view_class
        assert issubclass(view, MonitoringView), view
        handled = {name.upper() for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)}
        assert handled == set(view.operations), view


@pytest.mark.parametrize("address", READING)
def test_a_route_opens_to_its_permission_alone(
    address: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    make_task("t1")
    make_worker("celery@w1")
    needed, url = READING[address], f"/api/v1/{address}"
    everything = {each.codename for each in Permission.objects.filter(content_type__app_label="monitoring")}
    assert client.get(url).status_code == 401
    if needed is None:
        assert signed_in().get(url).status_code == 200
        return
    user = make_user("all", *everything, is_staff=False)
    assert signed_in(needed, username="one").get(url).status_code in LET_IN
    assert signed_in(*(everything - {needed}), username="others").get(url).status_code == 403
    assert client.get(url, headers=bearer(user, needed)).status_code in LET_IN
    narrow = client.get(url, headers=bearer(user, *(everything - {needed})))
    assert narrow.status_code == 403
    assert f"monitoring.{needed}" in narrow.json()["detail"]
    assert client.get(url, headers=bearer(make_user("nobody"), needed)).status_code == 403


@pytest.mark.parametrize("verb", VERBS.values(), ids=lambda verb: verb.name)
def test_a_verbs_routes_are_closed_to_who_is_not_signed_in(verb: Any, client: Client) -> None:
    urls = [f"/api/v1/verbs/{verb.name}/"]
    if verb.target_kind in ("task", "worker", "schedule", "failure", "queue"):
        own = verb.name.removeprefix(f"{verb.target_kind}_")
        urls.append(f"/api/v1/{verb.target_kind}s/x/{own}/")
    for url in urls:
        response = client.post(url, json.dumps({"targets": ["x"]}), content_type="application/json")
        assert response.status_code == 401
