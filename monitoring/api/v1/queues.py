"""Queues and the broker, as they were last read, and how long queues were over time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ...models import Broker, Queue
from ...queries.queues import broker, depths, is_growing, is_stuck, queue, queues, seconds_to_clear
from ..operations import Operation
from ..shapes import ModelShape, NumberField, Shape, TimeField
from ..views import MonitoringView
from . import ranges

#: Of a history.
LONGEST = timedelta(days=90)
#: What is worked out of a queue's row.
_DERIVED = {"is_stuck": is_stuck, "is_growing": is_growing, "seconds_to_clear": seconds_to_clear}


class QueueShape(ModelShape):
    """A queue. Null: the broker does not say. Users of limited visibility get no names of workers."""

    workers = serializers.ListField(child=serializers.CharField(), help_text="Online ones that consume it.")
    named_by = serializers.ListField(child=serializers.CharField(), help_text="What names it.")
    settings = serializers.JSONField(help_text="Its arguments, as the broker has them.")
    is_stuck = serializers.BooleanField(help_text="Messages wait and nothing consumes them.")
    is_growing = serializers.BooleanField()
    seconds_to_clear = NumberField(allow_null=True, help_text="If it goes on shrinking as it does.")

    class Meta:
        model = Queue
        fields = [
            "name", "exists", "ready", "unacked", "consumers", "publish_rate", "deliver_rate", "ack_rate", "growth",
            "oldest_sent_at", "unconsumed_since", "first_seen", "named_at", "read_at", "settings", "named_by",
            "workers", *_DERIVED,
        ]  # fmt: skip


class BrokerShape(ModelShape):
    """The broker. Sizes are in bytes."""

    alarms = serializers.ListField()

    class Meta:
        model = Broker
        fields = [
            "product", "version", "address", "connections", "channels", "memory_used", "memory_limit", "disk_free",
            "alarms", "problem", "error", "tried_at", "read_at",
        ]  # fmt: skip
        extra_kwargs = {
            name: {"required": True} for name in ("product", "version", "address", "problem", "error")
        }


class QueuesShape(Shape):
    broker = BrokerShape(allow_null=True, help_text="Null before it was read, and for limited users.")
    results = QueueShape(many=True, help_text="Those in trouble first.")


class DepthsShape(Shape):
    """Means of what was read in each stretch of `step` seconds; null: not read."""

    step = serializers.IntegerField()
    times = serializers.ListField(child=TimeField())
    ready = serializers.ListField(child=NumberField(allow_null=True))
    unacked = serializers.ListField(child=NumberField(allow_null=True))


class QueuesView(MonitoringView):
    """GET: all queues, and the broker."""

    permission = "monitoring.view_queue"
    tag = "queues"
    operations = {"GET": Operation("List queues", QueuesShape)}

    def get(self, request: Request) -> Response:
        found = [_told(each) for each in queues(self.visibility)]
        return Response(QueuesShape({"broker": broker(self.visibility), "results": found}).data)


class QueueView(MonitoringView):
    """GET: one queue by its name."""

    permission = "monitoring.view_queue"
    tag = "queues"
    operations = {"GET": Operation("One queue", QueueShape, errors=(404,))}

    def get(self, request: Request, name: str) -> Response:
        return Response(QueueShape(_told(_queue(self, name))).data)


class QueueHistoryView(MonitoringView):
    """GET: how many messages waited."""

    permission = "monitoring.view_queue"
    tag = "queues"
    operations = {
        "GET": Operation(
            "Length over time", DepthsShape, errors=(400, 404), parameters=ranges.parameters("6h")
        )
    }

    def get(self, request: Request, name: str) -> Response:
        since, until = ranges.read_range(self.asked)
        if until - since > LONGEST:
            raise ValidationError({"from": [_("At most %(days)s days") % {"days": LONGEST.days}]})
        _queue(self, name)
        found = depths(self.visibility, since, until, [name])
        unknown: list[float | None] = [None] * len(found.times)
        told = {
            "step": found.step,
            "times": found.times,
            "ready": found.ready.get(name, unknown),
            "unacked": found.unacked.get(name, unknown),
        }
        return Response(DepthsShape(told).data)


def _queue(view: MonitoringView, name: str) -> Queue:
    found = queue(view.visibility, name)
    if found is None:
        raise Http404(_("There is no such queue, or not any more"))
    return found


def _told(found: Queue) -> dict[str, Any]:
    stored = {name: getattr(found, name) for name in QueueShape.Meta.fields if name not in _DERIVED}
    return stored | {name: derive(found) for name, derive in _DERIVED.items()}
