"""Each question is asked of both databases: a test that takes `using` runs once on each."""

from __future__ import annotations

from typing import Any

import pytest

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
