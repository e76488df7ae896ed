"""Schedules: when they are next due, how they went, and what was missed."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ...models import Task
from ...queries.schedules import ScheduleState, schedule, schedules
from ..operations import Operation
from ..shapes import ModelShape, NumberField, Shape, TimeField
from ..views import MonitoringView


class RunShape(ModelShape):
    """A task that a schedule sent."""

    class Meta:
        model = Task
        fields = ["task_id", "state", "first_seen", "started_at", "finished_at", "runtime"]
        extra_kwargs = {"state": {"required": True}, "task_id": {"validators": []}}


class MissedShape(Shape):
    """Runs that were due one after the other and not sent in time; `came_at`: when one was sent after all."""

    first_due = TimeField()
    newest_due = TimeField()
    count = serializers.IntegerField()
    came_at = TimeField(allow_null=True)
    late = NumberField(allow_null=True, help_text="Seconds.")


class ScheduleShape(Shape):
    """A schedule. Null: not known."""

    name = serializers.CharField()
    task = serializers.CharField()
    enabled = serializers.BooleanField()
    words = serializers.CharField(help_text="`Every day at 05:30`.")
    crontab = serializers.CharField(help_text="Empty where it is none.")
    queue = serializers.CharField(allow_null=True)
    standing = serializers.CharField(
        help_text="`well`, `running`, `missed`, `failing`, `late`, `off`, `over` or `unreadable`."
    )
    next_due = TimeField(allow_null=True, help_text="In the past: it is overdue.")
    last_sent_at = TimeField(allow_null=True)
    missed_count = serializers.IntegerField(help_text="Of the last 24 hours.")
    overdue = MissedShape(allow_null=True)
    missed = MissedShape(many=True)
    not_judged = serializers.CharField(allow_null=True, help_text="Why nothing is known of missed runs.")
    problem = serializers.CharField()
    runs = RunShape(many=True, help_text="Newest first.")


class BeatShape(Shape):
    """Whether beat sends."""

    is_alive = serializers.BooleanField(
        allow_null=True, help_text="Null: nothing that was due can be judged."
    )
    last_sent_at = TimeField(allow_null=True)
    last_name = serializers.CharField()
    sent_by = serializers.CharField()
    overdue = serializers.IntegerField()
    judged = serializers.IntegerField()
    since = TimeField(allow_null=True)


class SchedulesShape(Shape):
    checked_at = TimeField()
    problem = serializers.CharField(help_text="Why they could not be read, else empty.")
    is_cut = serializers.BooleanField(help_text="There are more than are answered.")
    beat = BeatShape()
    results = ScheduleShape(many=True)


class SchedulesView(MonitoringView):
    """GET: all schedules."""

    permission = "monitoring.view_schedule"
    tag = "schedules"
    operations = {"GET": Operation("List schedules", SchedulesShape)}

    def get(self, request: Request) -> Response:
        found = schedules(self.visibility)
        told = {
            "checked_at": found.checked_at,
            "problem": found.problem,
            "is_cut": found.is_cut,
            "beat": found.beat,
            "results": [_told(state) for state in found.schedules],
        }
        return Response(SchedulesShape(told).data)


class ScheduleView(MonitoringView):
    """GET: one schedule by its name."""

    permission = "monitoring.view_schedule"
    tag = "schedules"
    operations = {"GET": Operation("One schedule", ScheduleShape, errors=(404,))}

    def get(self, request: Request, name: str) -> Response:
        found = schedule(self.visibility, name) if "\0" not in name else None
        if found is None:
            raise Http404(_("There is no such schedule, or not any more"))
        return Response(ScheduleShape(_told(found)).data)


def _told(state: ScheduleState) -> dict[str, Any]:
    return {name: getattr(state, name) for name in ScheduleShape().get_fields()}
