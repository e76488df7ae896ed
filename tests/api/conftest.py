"""Who asks the API: users with permissions, tokens, and what they send."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from monitoring.api import tokens
from tests.factories import make_user


@pytest.fixture(autouse=True)
def _no_counts() -> Iterator[None]:
    """What one test was throttled for is not the next one's."""
    cache.clear()
    yield
    cache.clear()


def bearer(user: Any, *scopes: str, **options: Any) -> dict[str, str]:
    """The headers of a new token of `user` with these scopes."""
    _token, text = tokens.create(user, "script", scopes, **options)
    return {"Authorization": f"Bearer {text}"}


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


@pytest.fixture
def signed_in() -> Callable[..., Client]:
    """A client with the session of a new user who has these permissions."""

    def sign_in(*permissions: str, username: str = "someone") -> Client:
        client = Client()
        client.force_login(make_user(username, *permissions, is_staff=False))
        return client

    return sign_in
