"""Probes and Prometheus ask by the address of a pod, which no ALLOWED_HOSTS can list."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.urls import include, path

from monitoring.health import views
from tests.factories import make_user

POD = "10.0.0.5:8000"
PROBES = ("/healthz", "/readyz", "/healthcheck", "/healthcheck/")


def by_address(path: str, **headers: str) -> int:
    return status(Client(), path, Host=POD, **headers)


def status(client: Client, path: str, **headers: str) -> int:
    answer: Any = client.get(path, headers=headers)
    answer.getvalue()  # metrics are streamed from a file, which is open until they are read
    return int(answer.status_code)


def basic(credentials: str) -> str:
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


@pytest.fixture(autouse=True)
def all_is_well(monkeypatch, settings):
    monkeypatch.setattr(views, "troubles", dict)
    settings.ALLOWED_HOSTS = ["monitor.example"]
    cache.clear()


@pytest.mark.parametrize("path", PROBES)
def test_probes_are_answered_whatever_the_host(path):
    assert by_address(path) == 200
    assert Client().get(path, headers={"Host": "monitor.example"}).status_code == 200


@pytest.mark.parametrize("path", PROBES)
async def test_probes_are_answered_by_asgi_servers_too(path):
    """Its client asks for the host "testserver", which is not allowed."""
    assert (await AsyncClient().get(path)).status_code == 200
    assert (await AsyncClient().get("/admin/")).status_code == 400


@pytest.mark.parametrize("path", PROBES)
def test_probes_are_not_led_to_https_which_a_pod_does_not_speak(path, settings):
    settings.SECURE_SSL_REDIRECT = True

    assert by_address(path) == 200
    assert Client().get("/admin/", headers={"Host": "monitor.example"}).status_code == 301


def test_a_probe_that_is_asked_wrongly_is_told_so_whatever_the_host():
    assert Client(enforce_csrf_checks=True).post("/healthz", headers={"Host": POD}).status_code == 405


@pytest.mark.parametrize("path", ["/", "/admin/", "/admin/healthz", "/api/healthz", "/healthz/", "/metrics/"])
def test_nothing_else_is_answered_for_a_host_that_is_not_allowed(path):
    assert by_address(path) == 400


urlpatterns = [
    path("inside/", include("monitoring.urls")),
    path("healthz", lambda request: HttpResponse(request.get_host())),
]


@pytest.mark.urls(__name__)
def test_the_probes_are_found_where_a_project_has_them_and_nothing_is_taken_for_one_by_its_name():
    assert by_address("/inside/healthz") == 200
    assert by_address("/healthz") == 400


@pytest.mark.django_db
def test_metrics_are_answered_whatever_the_host_to_who_says_who_he_is():
    make_user("prometheus", "view_statistic")

    assert by_address("/metrics", Authorization=basic("prometheus:prometheus")) == 200
    assert by_address("/metrics", Authorization=basic("prometheus:wrong")) == 401
    assert by_address("/metrics", Authorization="Bearer wrong") == 401


@pytest.mark.django_db
def test_metrics_of_everybody_are_answered_whatever_the_host(settings):
    settings.MONITORING = {**settings.MONITORING, "METRICS_PUBLIC": True}

    assert by_address("/metrics") == 200


@pytest.mark.django_db
def test_a_session_reads_metrics_only_where_the_host_is_allowed():
    client = Client()
    client.force_login(make_user("viewer", "view_statistic"))

    assert status(client, "/metrics", Host="monitor.example") == 200
    assert status(client, "/metrics", Host=POD) == 400
