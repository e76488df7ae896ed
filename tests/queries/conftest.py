"""Each question is asked of both databases: a test that takes `using` runs once on each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

DATABASES = [
    pytest.param("default", marks=pytest.mark.django_db(databases=["default"]), id="sqlite"),
    pytest.param(
        "postgresql", marks=pytest.mark.django_db(databases=["default", "postgresql"]), id="postgresql"
    ),
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "using" in metafunc.fixturenames and "using" not in _parametrized(metafunc):
        metafunc.parametrize("using", DATABASES)


def _parametrized(metafunc: pytest.Metafunc) -> set[str]:
    return {
        name
        for mark in metafunc.definition.iter_markers("parametrize")
        for name in str(mark.args[0]).split(",")
    }


@pytest.fixture
def watched(using: str, settings: Any) -> str:
    """The alias that the monitor's rows are in, as ``MONITORING["DATABASE"]`` routes them."""
    settings.MONITORING = {**settings.MONITORING, "DATABASE": using}
    return using


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Time stands still, in the afternoon of today: nothing is older for a pause of the machine."""
    moment = datetime.now(UTC).replace(hour=14, minute=3, second=20, microsecond=250_000)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    return moment
