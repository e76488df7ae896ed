"""Who asks, where there is no REST framework: by bearer token, HTTP basic or session, in this order.

The same rules as ``api/authentication.py``, for what has to answer without it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.contrib.auth import authenticate
from django.http import HttpRequest

from ..conf import monitoring_settings
from ..control.actor import Actor
from . import rates, tokens

_CHALLENGE = 'Bearer realm="monitoring", Basic realm="monitoring", charset="UTF-8"'


@dataclass(frozen=True)
class Refusal:
    """What to answer to one who is not let in."""

    status: int
    words: str
    headers: Mapping[str, str] = field(default_factory=dict)


def who(request: HttpRequest, via: str) -> Actor | Refusal:
    """401 for nobody and for wrong credentials, even where a session would do; 429 after too many wrong ones in a
    minute."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    address = str(request.META.get("REMOTE_ADDR") or "")
    if scheme.lower() == "bearer":
        token = tokens.find(credentials.strip())
        if token is None:
            return _wrong(f"{address} token")
        tokens.note_use(token)
        return Actor(token.user, via, address, frozenset(token.scopes))
    if scheme:
        name, password = _name_and_password(credentials) if scheme.lower() == "basic" else ("", "")
        key = f"{address} {name}"
        # Before the password is looked at: its hash is slow, and it might be right by now.
        if rates.count("sign-in", key) >= monitoring_settings.API_FAILED_SIGN_INS:
            return _too_many()
        user = authenticate(request, username=name, password=password) if name and "\0" not in name else None
        if user is None or not user.is_active:
            return _wrong(key)
        return Actor(user, via, address)
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return _unknown()
    return Actor(user, via, address)


def _name_and_password(credentials: str) -> tuple[str, str]:
    """Empty where they are none."""
    try:
        name, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password


def _wrong(key: str) -> Refusal:
    if rates.hit("sign-in", key) > monitoring_settings.API_FAILED_SIGN_INS:
        return _too_many()
    return _unknown()


def _unknown() -> Refusal:
    return Refusal(
        401, "This needs a token, a user name and password, or a session.", {"WWW-Authenticate": _CHALLENGE}
    )


def _too_many() -> Refusal:
    return Refusal(429, "Too many sign-ins have failed.", {"Retry-After": str(rates.seconds_left())})
