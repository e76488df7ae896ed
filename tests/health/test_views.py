"""What probes get; the faults of ``/readyz`` are real ones in tests/services/test_readiness.py."""

from __future__ import annotations

import pytest
from django.test import Client


@pytest.mark.parametrize("path", ["/healthz", "/healthcheck", "/healthcheck/"])
def test_a_process_that_serves_says_so_without_asking_anything(path):
    """No database: pytest-django would refuse."""
    answer = Client().get(path)
    assert (answer.status_code, answer.content) == (200, b"OK")
    assert Client().post(path).status_code == 405


def test_the_health_check_is_that_of_flower():
    assert Client().get("/healthcheck")["Content-Type"].startswith("text/html")
