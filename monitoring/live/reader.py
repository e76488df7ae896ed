"""Who reads at a socket: looked up in the database when it connects, and again and again while it stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user, get_user_model
from django.http import HttpRequest

from monitoring.live.fetched import FETCHED
from monitoring.queries.visibility import Visibility, visibility_of

#: Close codes.
SIGNED_OUT, FORBIDDEN = 4401, 4403
#: Permissions that decide what a frame may hold.
PERMISSIONS = (
    "view_task",
    "view_worker",
    "view_payload",
    "view_gap",
    *sorted({page.permission for page in FETCHED.values()}),
)


class Refused(Exception):
    """`code` is the close code that says why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Reader:
    """What a user may see on live pages."""

    permissions: frozenset[str]
    visibility: Visibility


def look_up(scope: Mapping[str, Any]) -> Reader:
    """The reader at a socket as the database knows it now. Raises :class:`Refused`.

    Session and user are read anew: a session that has ended, a password that was changed and a permission that was
    taken away count. Cost: four queries. Where the project signs sockets in by other means than a session, its user is
    read anew.
    """
    user: Any = _user(scope)
    if user is None or not user.is_authenticated or not user.is_active:
        raise Refused(SIGNED_OUT)
    if not user.is_staff or not user.has_perm("monitoring.view_task"):
        raise Refused(FORBIDDEN)
    permissions = frozenset(name for name in PERMISSIONS if user.has_perm(f"monitoring.{name}"))
    return Reader(permissions, visibility_of(user))


def _user(scope: Mapping[str, Any]) -> Any:
    session = scope.get("session")
    key = getattr(session, "session_key", None)
    if key is not None:
        request = HttpRequest()
        request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
        return get_user(request)
    user = scope.get("user")
    primary_key = getattr(user, "pk", None)
    return (
        get_user_model()._default_manager.filter(pk=primary_key).first() if primary_key is not None else None
    )
