"""Who asks: a bearer token, HTTP basic, or Django's session with its CSRF token, in this order.

Nobody is answered 401 with both challenges. What was sent and is wrong is 401 too, even where a session would do.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, BasicAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from ..conf import monitoring_settings
from ..models import ApiToken
from . import rates, tokens

#: Of a 401: both ways that need no session.
CHALLENGE = 'Bearer realm="monitoring", Basic realm="monitoring", charset="UTF-8"'


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer mon_...``; `request.auth` is then the :class:`ApiToken`."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = tokens.find(text.strip())
        if token is None:
            refuse("token", request)
            raise AuthenticationFailed(_("This token does not exist, has expired, or was revoked"))
        tokens.note_use(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class PasswordAuthentication(BasicAuthentication):
    """HTTP basic, against Django's authentication backends, which take as long for names that do not exist."""

    def authenticate_credentials(
        self, userid: str, password: str, request: Request | None = None
    ) -> tuple[Any, None]:
        assert request is not None, "the base class passes it"
        # Before the password is looked at: its hash is slow, and it might be right by now.
        if rates.count("sign-in", _key(userid, request)) >= monitoring_settings.API_FAILED_SIGN_INS:
            raise Throttled(rates.seconds_left())
        user = None
        if "\0" not in userid:  # PostgreSQL refuses to look for it
            user = authenticate(request=request._request, username=userid, password=password)
        if user is None or not user.is_active:
            refuse(userid, request)
            raise AuthenticationFailed(_("Wrong user name or password"))
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


#: A user's right token is never refused for others' wrong ones: it cannot be guessed, so nothing is gained by waiting.
AUTHENTICATION = [BearerAuthentication, PasswordAuthentication, SessionAuthentication]


def refuse(name: str, request: Request) -> None:
    """Count a sign-in that failed; raises Throttled where there were too many in this minute."""
    if rates.hit("sign-in", _key(name, request)) > monitoring_settings.API_FAILED_SIGN_INS:
        raise Throttled(rates.seconds_left())


def _key(name: str, request: Request) -> str:
    # Behind a proxy all have its address; the name keeps one client's mistakes from everybody else.
    return f"{request.META.get('REMOTE_ADDR') or ''} {name}"
