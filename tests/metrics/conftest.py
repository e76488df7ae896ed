"""Metrics are read from both databases: a test that takes `using` runs once on each."""

from __future__ import annotations

from tests.queries.conftest import pytest_generate_tests, watched

__all__ = ["pytest_generate_tests", "watched"]
