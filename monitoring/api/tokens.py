"""Making, finding and revoking bearer tokens. Needs no REST framework.

A token is ``mon_<8 characters>_<43 characters>``: 256 random bits behind a prefix that names it. Nobody guesses those
bits, so a plain SHA-256 protects what is stored, and checking a token costs a look-up, not a password's slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import ApiToken

_ALPHABET = string.ascii_lowercase + string.digits
#: How often `last_used_at` is written at most.
_USED_EVERY = timedelta(minutes=1)
#: What a token that does not exist is compared with, so that it takes as long as one that does.
_NOBODYS = "0" * 64


class InvalidScopes(ValueError):
    """Scopes that are no permissions of this app; its text names them."""


def known_scopes() -> list[str]:
    """Every permission that a token can be scoped to, sorted. Cost: the permissions of this app."""
    return list(scope_words())


def scope_words() -> dict[str, str]:
    """The same with the words of each permission: ``{"monitoring.view_task": "Can view task"}``."""
    found = Permission.objects.filter(content_type__app_label="monitoring")
    return dict(sorted((f"monitoring.{code}", name) for code, name in found.values_list("codename", "name")))


def clean_scopes(given: Iterable[str]) -> list[str]:
    """Whole names of permissions from whole ones or codenames, sorted. Raises InvalidScopes; none are too few."""
    scopes = {name if "." in name else f"monitoring.{name}" for name in given}
    unknown = sorted(scopes.difference(known_scopes()))
    if unknown:
        raise InvalidScopes(_("There is no permission %(names)s") % {"names": ", ".join(unknown)})
    if not scopes:
        raise InvalidScopes(_("A token needs at least one scope"))
    return sorted(scopes)


def create(
    user: Any, name: str, scopes: Iterable[str], expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new token and its text, which cannot be had again. Raises InvalidScopes."""
    prefix = "mon_" + "".join(secrets.choice(_ALPHABET) for _letter in range(8))
    text = f"{prefix}_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=prefix,
        digest=_digest(text),
        scopes=clean_scopes(scopes),
        expires_at=expires_at,
    )
    return token, text


def find(text: str) -> ApiToken | None:
    """The token of this text, with its user, if both still count. Cost: one look-up by the prefix.

    The digest is compared in constant time.
    """
    prefix = "_".join(text.split("_", 2)[:2])
    token = None
    if text.isascii() and "\0" not in prefix and len(prefix) <= 16:
        token = ApiToken.objects.select_related("user").filter(prefix=prefix).first()
    same = hmac.compare_digest(_digest(text), _NOBODYS if token is None else token.digest)
    if token is None or not same or token.has_ended() or not token.user.is_active:
        return None
    return token


def note_use(token: ApiToken) -> None:
    """Write that it was used now, unless that was written less than a minute ago."""
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at <= now - _USED_EVERY:
        unwritten = Q(last_used_at=None) | Q(last_used_at__lte=now - _USED_EVERY)
        ApiToken.objects.filter(unwritten, pk=token.pk).update(last_used_at=now)


def revoke(token: ApiToken) -> None:
    """From now on it is refused. A token that was revoked before keeps its time."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    token.refresh_from_db()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
