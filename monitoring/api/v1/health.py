"""Whether the monitor can be believed: what the strip on every page says."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ...queries.status import Form, Silence, status
from ..operations import Operation
from ..shapes import NumberField, Shape, TimeField, as_mapping
from ..views import MonitoringView
from .log_pages import GapShape


class WaitingShape(Shape):
    """Tasks that were sent and that no worker has yet."""

    number = serializers.IntegerField()
    queues = serializers.IntegerField()
    at_least = serializers.BooleanField(help_text="More than were counted.")


class HealthShape(Shape):
    """Null: not known, or not for users of limited visibility. Durations are in seconds."""

    form = serializers.ChoiceField(
        choices=[form.value for form in Form],
        help_text="`receiving` is well; the others are worse, `silent` worst.",
    )
    silence = serializers.ChoiceField(choices=[silence.value for silence in Silence], allow_null=True)
    error = serializers.CharField(help_text="Of the consumer, where its broker does not let it in.")
    checked_at = TimeField()
    environment = serializers.CharField()
    last_event_at = TimeField(allow_null=True)
    lag = NumberField(allow_null=True)
    events_per_second = NumberField(allow_null=True)
    messages = serializers.IntegerField(allow_null=True, help_text="That wait in the monitor's own queue.")
    workers_online = serializers.IntegerField()
    workers_known = serializers.IntegerField()
    waiting = WaitingShape(allow_null=True)
    gap = GapShape(allow_null=True)


class HealthView(MonitoringView):
    """GET: the state of the monitor."""

    permission = "monitoring.view_monitor"
    tag = "health"
    operations = {
        "GET": Operation(
            "State of the monitor", HealthShape, "For people and dashboards; probes ask `/readyz`."
        )
    }

    def get(self, request: Request) -> Response:
        return Response(HealthShape(as_mapping(status(self.visibility))).data)
