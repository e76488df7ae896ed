"""Skip by name what a machine does not have; fail instead where REQUIRE_SERVICES=1 (continuous integration)."""

import os

import pytest


def require(present: object, name: str) -> None:
    """Skip the running test because `name` is missing, or fail it where the services are required."""
    if present:
        return
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"{name} is required (REQUIRE_SERVICES=1) and was not found", pytrace=False)
    pytest.skip(f"{name} was not found")
