"""API tokens."""

from __future__ import annotations

from typing import Any

from ..models import ApiToken

#: Most tokens that the page lists.
MOST = 500


def api_tokens(user: Any, *, of_everybody: bool) -> list[ApiToken]:
    """A user's own tokens with their users, newest first, or those of everybody; at most MOST. Cost: the table."""
    found = ApiToken.objects.select_related("user").order_by("-created_at", "-pk")
    return list((found if of_everybody else found.filter(user=user))[:MOST])


def api_token(user: Any, key: int, *, of_everybody: bool) -> ApiToken | None:
    """One of them. Cost: the primary key."""
    found = ApiToken.objects.filter(pk=key).select_related("user").first() if key < 2**63 else None
    return found if found is not None and (of_everybody or found.user_id == user.pk) else None
