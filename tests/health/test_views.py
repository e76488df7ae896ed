"""What probes get; the faults of ``/readyz`` are real ones in tests/services/test_readiness.py."""

from __future__ import annotations

import pytest
from django.test import Client


@pytest.mark.parametrize("path", ["/healthz", "/healthcheck", "/healthcheck/"])
def test_a_process_that_serves_says_so_without_asking_anything(path):
    """No database: pytest-django would refuse."""
    answer = Client().get(path)
    assert (answer.status_code, answer.content) == (200, b"OK")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/healthcheck", "/healthcheck/"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_another_method_is_told_which_there_are(path, method):
    """Programs send no CSRF token, and would be shown a page about cookies."""
    answer = Client(enforce_csrf_checks=True).generic(method, path)
    assert answer.status_code == 405
    assert {"GET", "HEAD"} <= set(answer["Allow"].split(", "))


@pytest.mark.parametrize("path", ["/healthcheck", "/healthcheck/"])
def test_options_of_the_health_check_are_told_as_flower_tells_them(path):
    answer = Client().options(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Allow"] == "GET, HEAD, OPTIONS"


def test_the_health_check_is_that_of_flower():
    assert Client().get("/healthcheck")["Content-Type"].startswith("text/html")
