"""Where a library is missing, the addresses that need it say so; others are left to the project."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import RequestFactory
from django.urls import Resolver404, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

from monitoring.api import urls
from tests.factories import make_user

BARE = "monitoring.api.not_installed_urls"


def addresses(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    """An address of each pattern."""
    for pattern in patterns:
        route = str(pattern.pattern)
        if isinstance(pattern.pattern, RegexPattern):
            route = re.sub(r"\(\?P<name>.+?\?\)|\(\?P<name>[^)]*\)", "x", route)
            route = re.sub(r"/\?|[\^$]", "", route)
        route = prefix + re.sub(r"<int:\w+>", "1", route)
        route = re.sub(r"<[^>]+>", "x", route)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        else:
            yield route


def is_answered(address: str) -> bool:
    try:
        get_resolver(BARE).resolve(f"/{address}")
    except Resolver404:
        return False
    return True


def test_every_address_of_the_api_says_what_is_missing() -> None:
    found = list(addresses(urls.urlpatterns))
    assert len(found) > 60
    assert [address for address in found if not is_answered(address)] == []


@pytest.mark.parametrize(
    "address", ["", "nope", "v1/orders/", "v2/", "tasks/17/", "task/17", "workers/17", "x/v1/"]
)
def test_addresses_of_a_projects_own_api_are_left_to_it(address: str) -> None:
    assert not is_answered(address)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("without", "address", "words"),
    [
        ("drf_spectacular", "schema/", 'needs drf-spectacular: pip install "django-celery-monitoring[api]"'),
        ("drf_spectacular", "docs/", 'needs drf-spectacular: pip install "django-celery-monitoring[api]"'),
        ("", "docs/", '"drf_spectacular_sidecar" in INSTALLED_APPS'),
    ],
)
def test_the_document_says_what_it_needs(
    without: str, address: str, words: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    if without:
        monkeypatch.setitem(sys.modules, without, None)
    settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if "spectacular" not in name]
    monkeypatch.delitem(sys.modules, "monitoring.api.urls")
    patterns = runpy.run_module("monitoring.api.urls")["urlpatterns"]
    view = next(pattern.callback for pattern in patterns if str(pattern.pattern) == address)
    request = RequestFactory().get(f"/api/{address}")
    assert view(request).status_code == 401
    request.user = make_user("someone")
    answer = view(request)
    assert (answer.status_code, words in answer.content.decode().replace("\\", "")) == (503, True)
