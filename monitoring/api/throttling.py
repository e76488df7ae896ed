"""How often one user may ask: ``MONITORING["API_RATE"]`` requests a minute."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from ..conf import monitoring_settings
from . import rates


class UserThrottle(BaseThrottle):
    """Counts signed-in requests per user, whichever way they sign in; all tokens of a user count together."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        limit = monitoring_settings.API_RATE
        if limit is None or request.user is None or request.user.pk is None:
            return True
        return rates.hit("user", str(request.user.pk)) <= limit

    def wait(self) -> float:
        return float(rates.seconds_left())
