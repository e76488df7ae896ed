"""Who asks, and what they may do: the first thing to try with a new token."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ..operations import Operation
from ..shapes import Shape
from ..tokens import known_scopes
from ..views import MonitoringView


class WhoShape(Shape):
    """Who is signed in, by which token, with which of this app's permissions."""

    user = serializers.CharField()
    token = serializers.CharField(allow_null=True, help_text="How it begins.")
    permissions = serializers.ListField(child=serializers.CharField())


class WhoView(MonitoringView):
    """GET: who asks."""

    tag = "session"
    operations = {
        "GET": Operation(
            "Who you are",
            WhoShape,
            "And what you may do: with a token what its scopes and its user have in common.",
            example={"user": "ann", "token": "mon_4kq0x2vd", "permissions": ["monitoring.view_task"]},
        )
    }

    def get(self, request: Request) -> Response:
        told = {
            "user": self.actor.user.get_username(),
            "token": getattr(request.auth, "prefix", None),
            "permissions": [name for name in known_scopes() if self.actor.may(name)],
        }
        return Response(WhoShape(told).data)
