"""Groups of failures, and the matrix of exceptions by window."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ...models import FailureTriage
from ...queries.failures import PERIODS, WINDOWS, Group, failure_group, failures
from ..operations import Operation, Parameter
from ..shapes import Chosen, ModelShape, NumberField, Shape, TimeField
from ..views import MonitoringView

PERIOD = Parameter("period", "Up to the last minute that was counted.", choices=tuple(PERIODS), default="24h")
NAME = Parameter("name", "Of this task only.", example="shop.tasks.pay")
#: Parts of the example's traceback.
_PAYLOAD = ("path", "line", "function")
_PAYLOAD_WORDS = "Only with `monitoring.view_payload`."


class TriageShape(ModelShape):
    """What people have decided about it."""

    class Meta:
        model = FailureTriage
        fields = [
            "acknowledged_at", "acknowledged_by", "muted_at", "muted_until", "muted_by", "assignee", "note", "noted_by",
            "noted_at",
        ]  # fmt: skip


class FailureGroupShape(Chosen, Shape):
    """Failures that are alike: of one task, exception and place."""

    fingerprint = serializers.CharField(required=False)
    name = serializers.CharField(required=False)
    exception_type = serializers.CharField(required=False)
    standing = serializers.CharField(
        required=False, help_text="`new`, `came back`, `spiking`, `ongoing`, `recovered` or `muted`."
    )
    count = serializers.IntegerField(required=False, help_text="In the period.")
    first_seen = TimeField(required=False)
    last_seen = TimeField(required=False)
    last_hour = serializers.IntegerField(required=False)
    usual_hour = NumberField(required=False, allow_null=True, help_text="Null: too little is known.")
    acknowledged = serializers.BooleanField(required=False)
    own_code = serializers.BooleanField(required=False, help_text="Whether it was raised in your own code.")
    example_id = serializers.CharField(required=False, help_text="The newest such task.")
    triage = TriageShape(required=False)
    path = serializers.CharField(required=False, help_text=_PAYLOAD_WORDS)
    line = serializers.IntegerField(required=False, help_text=_PAYLOAD_WORDS)
    function = serializers.CharField(required=False, help_text=_PAYLOAD_WORDS)


class MatrixRowShape(Shape):
    """How often tasks failed with an exception type in each window."""

    exception_type = serializers.CharField()
    counts = serializers.DictField(child=serializers.IntegerField(), help_text=f"By {', '.join(WINDOWS)}.")


class FailuresShape(Shape):
    start = TimeField()
    end = TimeField()
    total = serializers.IntegerField(help_text="Every failure of the period.")
    ungrouped = serializers.IntegerField(help_text="Stored before failures were grouped.")
    left_out = serializers.IntegerField(help_text="Groups beyond those that are answered.")
    groups = FailureGroupShape(many=True, help_text="Most failures first.")
    matrix = MatrixRowShape(many=True)


class BucketShape(Shape):
    """How many failed in the stretch of time that begins at `start`."""

    start = TimeField()
    count = serializers.IntegerField()


class FailureGroupDetailShape(FailureGroupShape):
    """A group with how often it failed when."""

    buckets = BucketShape(many=True, required=False)


class FailuresView(MonitoringView):
    """GET: all groups of a period."""

    permission = "monitoring.view_failures"
    tag = "failures"
    operations = {
        "GET": Operation("Groups of failures", FailuresShape, errors=(400,), parameters=(PERIOD, NAME))
    }

    def get(self, request: Request) -> Response:
        found = failures(self.visibility, self.asked["period"], timezone.now(), self.asked.get("name") or "")
        groups = sorted(found.groups, key=lambda group: (-group.count, group.fingerprint))
        told = {
            "start": found.window.start,
            "end": found.window.end,
            "total": found.total,
            "ungrouped": found.ungrouped,
            "left_out": found.left_out,
            "groups": [told_of(group, with_payload=self.with_payload) for group in groups],
            "matrix": [
                {"exception_type": kind, "counts": dict(zip(WINDOWS, counts, strict=True))}
                for kind, counts in found.matrix
            ],
        }
        return Response(FailuresShape(told).data)


class FailureGroupView(MonitoringView):
    """GET: one group."""

    permission = "monitoring.view_failures"
    tag = "failures"
    operations = {
        "GET": Operation(
            "One group of failures", FailureGroupDetailShape, errors=(400, 404), parameters=(PERIOD,)
        )
    }

    def get(self, request: Request, fingerprint: str) -> Response:
        found = failure_group(self.visibility, fingerprint, self.asked["period"], timezone.now())
        if found is None:
            raise Http404(_("There is no such group of failures, or not any more"))
        group, counts = found
        told = told_of(group, with_payload=self.with_payload)
        told["buckets"] = [{"start": start, "count": count} for start, count in sorted(counts)]
        return Response(FailureGroupDetailShape(told).data)


def told_of(group: Group, *, with_payload: bool) -> dict[str, Any]:
    """A group as :class:`FailureGroupShape` has it."""
    names = [name for name in FailureGroupShape().get_fields() if with_payload or name not in _PAYLOAD]
    of_history = {"last_hour": group.history.last_hour, "usual_hour": group.history.usual_hour}
    return {name: of_history[name] if name in of_history else getattr(group, name) for name in names}
