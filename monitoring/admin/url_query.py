"""Addresses of a list that differ from the present one in some parameters."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from ..queries.paging import Cursor, Page

PLACES = ("before", "after")


def with_parameters(request: HttpRequest, **changes: str | list[str] | None) -> str:
    """The present query with `changes`; None and empty lists take a parameter out. The place in the list is left."""
    query = request.GET.copy()
    for name in PLACES:
        query.pop(name, None)
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query.setlist(name, value if isinstance(value, list) else [value])
    return f"?{query.urlencode()}"


def cursor_of(request: HttpRequest) -> Cursor | None:
    return Cursor.parse(request.GET.get("before"), request.GET.get("after"))


def pager(request: HttpRequest, page: Page[Any]) -> dict[str, str | None]:
    """What parts/pager.html needs."""
    return {
        "newer_url": with_parameters(request, after=str(page.newer)) if page.newer else None,
        "older_url": with_parameters(request, before=str(page.older)) if page.older else None,
    }
