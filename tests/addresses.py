"""Every address of ours, as the URL resolver knows them: the rows of the permission matrix."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern, RoutePattern

#: Modules whose views are no concern of ours, unless they stand below the app's part of the admin.
_FOREIGN = ("django.", "django_celery_", "tasksdemo.")
_OURS = "admin/monitoring/"


@dataclass(frozen=True)
class Address:
    """`route` is as it was declared; `name` is empty where it has none; `model` is that of an admin page."""

    route: str
    name: str
    model: str

    def url(self, sample: Callable[[Address, str, str], str]) -> str:
        """The address itself, with what `sample` answers for (address, converter, argument)."""
        filled = re.sub(
            r"<(?:(\w+):)?(\w+)>", lambda found: sample(self, found[1] or "str", found[2]), self.route
        )
        return f"/{filled}"


def addresses() -> list[Address]:
    return [*_walk(get_resolver().url_patterns, ""), Address(_OURS, "app_list", "")]


def _walk(patterns: list[Any], prefix: str) -> Iterator[Address]:
    for pattern in patterns:
        route = prefix + _route(pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif _is_ours(route, pattern):
            model = route.removeprefix(_OURS).partition("/")[0] if route.startswith(_OURS) else ""
            yield Address(route, pattern.name or "", model)


def _is_ours(route: str, pattern: URLPattern) -> bool:
    return route.startswith(_OURS) or not (
        route.startswith("admin/") or not route or pattern.callback.__module__.startswith(_FOREIGN)
    )


def _route(pattern: URLPattern | URLResolver) -> str:
    """As ``path()`` would have it: of a regular expression ``(?P<name>...)`` becomes ``<name>``."""
    if isinstance(pattern.pattern, RoutePattern):
        return str(pattern.pattern)
    assert isinstance(pattern.pattern, RegexPattern), pattern
    text = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<\1>", str(pattern.pattern))
    return re.sub(r"/\?|[\^$]|\\Z", "", text)
