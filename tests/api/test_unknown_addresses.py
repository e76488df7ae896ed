"""Addresses that there are not: said as the API says everything, to those it says anything to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.factories import make_user

from .conftest import bearer

pytestmark = pytest.mark.django_db
NOWHERE = (
    "/api/",
    "/api/nope",
    "/api/nope/",
    "/api/v1/nope",
    "/api/v1/nope/",
    "/api/v2/tasks/",
    "/api/task/nope/x",
    "/api/a%0Ab/%00/",
    "/flower/api/nope",
    "/flower/api/worker/nope/celery@w1",
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")

SignIn = Callable[..., Client]


@pytest.mark.parametrize("address", NOWHERE)
def test_it_is_a_404_as_problems_are_and_a_401_for_nobody(
    address: str, client: Client, signed_in: SignIn
) -> None:
    for who, status in ((client, 401), (signed_in(), 404)):
        answer = who.get(address)
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
        assert answer.json()["detail"]
    assert "Bearer" in client.get(address)["WWW-Authenticate"]


@pytest.mark.parametrize("method", METHODS)
def test_it_is_the_same_whatever_is_asked_of_it(method: str, client: Client, signed_in: SignIn) -> None:
    for who, status in ((client, 401), (signed_in(), 404)):
        answer = who.generic(method, "/api/v1/nope/", b"{", "application/json")
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")


def test_a_token_counts_here_as_everywhere(client: Client) -> None:
    right, wrong = bearer(make_user("someone"), "view_task"), {"Authorization": "Bearer mon_nope"}
    assert client.get("/api/nope", headers=right).status_code == 404
    assert client.get("/api/nope", headers=wrong).status_code == 401


def test_who_left_out_the_slash_is_led_on(client: Client, signed_in: SignIn) -> None:
    for address in ("/api/v1/tasks", "/api/schema", "/api/v1"):
        answer = client.get(f"{address}?page_size=1")
        assert (answer.status_code, answer["Location"]) == (301, f"{address}/?page_size=1")
    answer = client.get("/api")
    assert (answer.status_code, answer["Location"]) == (301, "/api/")


def test_what_changes_something_is_not_led_on_but_told(signed_in: SignIn) -> None:
    """A redirect would lose the body."""
    answer = signed_in("run_task").post("/api/v1/tasks", {}, content_type="application/json")
    assert answer.status_code == 404
    assert "/api/v1/tasks/" in answer.json()["detail"]


def test_slashes_are_not_looked_for_where_the_project_does_not_want_it(
    settings: Any, signed_in: SignIn
) -> None:
    settings.APPEND_SLASH = False
    assert signed_in().get("/api/v1/tasks").status_code == 404


def test_addresses_outside_the_api_are_none_of_its_business(client: Client) -> None:
    for address in ("/nope", "/apiary/", "/flower/nope"):
        answer = client.get(address)
        assert (answer.status_code, answer["Content-Type"].partition(";")[0]) == (404, "text/html")
