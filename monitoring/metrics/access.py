"""Who may read the metrics: a user with ``view_statistic``, by bearer token, HTTP basic or session, in this order.

As with the API (``api/authentication.py``), but without the REST framework, which is optional.
"""

from __future__ import annotations

import base64
import binascii

from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse

from ..api import rates, tokens
from ..conf import monitoring_settings
from ..control.actor import Actor

PERMISSION = "monitoring.view_statistic"
_CHALLENGE = 'Bearer realm="monitoring", Basic realm="monitoring", charset="UTF-8"'


def refusal(request: HttpRequest) -> HttpResponse | None:
    """What to answer to one who may not read them; None: he may.

    401 for nobody and for wrong credentials, even where a session would do; 429 after too many wrong ones in a minute;
    403 without the permission, and for a user of limited visibility.
    """
    if monitoring_settings.METRICS_PUBLIC:
        return None
    actor = _actor(request)
    if isinstance(actor, HttpResponse):
        return actor
    if not actor.may(PERMISSION):
        return _plain(403, f"This needs the permission {PERMISSION}.")
    if not actor.visibility.is_everything:
        return _plain(403, "Metrics tell of everybody's tasks, and this user may see only some.")
    return None


def _actor(request: HttpRequest) -> Actor | HttpResponse:
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    address = str(request.META.get("REMOTE_ADDR") or "")
    if scheme.lower() == "bearer":
        token = tokens.find(credentials.strip())
        if token is None:
            return _wrong(f"{address} token")
        tokens.note_use(token)
        return Actor(token.user, "metrics", address, frozenset(token.scopes))
    if scheme:
        name, password = _name_and_password(credentials) if scheme.lower() == "basic" else ("", "")
        key = f"{address} {name}"
        # Before the password is looked at: its hash is slow, and it might be right by now.
        if rates.count("sign-in", key) >= monitoring_settings.API_FAILED_SIGN_INS:
            return _too_many()
        user = authenticate(request, username=name, password=password) if name and "\0" not in name else None
        if user is None or not user.is_active:
            return _wrong(key)
        return Actor(user, "metrics", address)
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return _unknown()
    return Actor(user, "metrics", address)


def _name_and_password(credentials: str) -> tuple[str, str]:
    """Empty where they are none."""
    try:
        name, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password


def _wrong(key: str) -> HttpResponse:
    if rates.hit("sign-in", key) > monitoring_settings.API_FAILED_SIGN_INS:
        return _too_many()
    return _unknown()


def _unknown() -> HttpResponse:
    return _plain(
        401, "This needs a token, a user name and password, or a session.", {"WWW-Authenticate": _CHALLENGE}
    )


def _too_many() -> HttpResponse:
    return _plain(429, "Too many sign-ins have failed.", {"Retry-After": str(rates.seconds_left())})


def _plain(status: int, words: str, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(
        f"{words}\n", status=status, content_type="text/plain; charset=utf-8", headers=headers
    )
