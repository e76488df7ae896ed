"""Who uses a verb, and by which way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from ..queries.visibility import Visibility, visibility_of


@dataclass(frozen=True)
class Actor:
    """A Django user, signed in or anonymous; `via` is where from (``admin``, ``api``), `address` their host.

    `scope` narrows what they may do to these permissions, as a token does; `name` replaces the user's in the audit log.
    """

    user: Any
    via: str = "admin"
    address: str = ""
    scope: frozenset[str] | None = None
    name: str = ""

    @classmethod
    def of(cls, request: HttpRequest, via: str = "admin") -> Actor:
        # Behind a proxy this is the proxy: a header that names the client can be forged, so none is believed.
        return cls(request.user, via, str(request.META.get("REMOTE_ADDR") or ""))

    @property
    def user_id(self) -> str:
        """Empty for nobody."""
        return str(self.user.pk) if self.user.pk is not None else ""

    @property
    def user_name(self) -> str:
        return self.name or self.user.get_username()

    def may(self, permission: str) -> bool:
        """Django answers afresh for each user object: a permission that was taken away counts from the next request."""
        return (self.scope is None or permission in self.scope) and self.user.has_perm(permission)

    @property
    def visibility(self) -> Visibility:
        return visibility_of(self.user)

    @property
    def with_payload(self) -> bool:
        return self.may("monitoring.view_payload")
