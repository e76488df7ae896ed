"""What the API tells of a worker."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ...models import Worker
from ..shapes import ModelShape, NumberField, Shape, TimeField

_PAYLOAD = "Null without `monitoring.view_payload`."


class WorkerShape(ModelShape):
    """A worker. Figures are null for users of limited visibility, and queues are those that they may see."""

    queues = serializers.ListField(child=serializers.CharField(), allow_null=True)
    load_average = serializers.ListField(
        child=NumberField(), allow_null=True, help_text="Over 1, 5 and 15 minutes."
    )

    class Meta:
        model = Worker
        fields = [
            "hostname", "online", "last_heartbeat", "started_at", "stopped_at", "up_since", "first_seen", "active",
            "processed", "failed", "load_average", "frequency", "software", "pid", "pool", "concurrency", "queues",
            "clock_skew", "restarts", "inspected_at",
        ]  # fmt: skip
        extra_kwargs = {
            "hostname": {"validators": []},
            **{name: {"required": True} for name in ("online", "restarts")},
        }


class WorkersShape(Shape):
    results = WorkerShape(many=True, help_text="Offline ones first, then by name; at most 1,000.")


class SaidShape(Shape):
    """When a worker said something."""

    asked_at = TimeField(allow_null=True, help_text="Null: it was never asked.")
    answered_at = TimeField(allow_null=True, help_text="Null: it never answered.")
    problem = serializers.CharField(help_text="What came of the newest question instead of an answer.")
    is_hidden = serializers.BooleanField(help_text="Not for users of limited visibility.")


class ContentShape(SaidShape):
    """What a worker last said to an inspect command, redacted."""

    content = serializers.JSONField()


class HeldTaskShape(Shape):
    """A task in a worker's hands."""

    task_id = serializers.CharField()
    name = serializers.CharField(allow_null=True)
    args = serializers.JSONField(help_text=_PAYLOAD)
    kwargs = serializers.JSONField(help_text=_PAYLOAD)
    queue = serializers.CharField(allow_null=True)
    priority = serializers.IntegerField(allow_null=True)
    redelivered = serializers.BooleanField(allow_null=True)
    acknowledged = serializers.BooleanField(allow_null=True)
    started_at = TimeField(allow_null=True)
    eta = TimeField(allow_null=True)
    pid = serializers.IntegerField(allow_null=True)


class HeldShape(SaidShape):
    """The tasks that a worker runs, has taken, or waits to run, as it last said."""

    tasks = HeldTaskShape(many=True)
    total = serializers.IntegerField(allow_null=True)


class RevokedShape(SaidShape):
    """The ids that a worker would refuse to run, as it last said."""

    task_ids = serializers.ListField(child=serializers.CharField())
    total = serializers.IntegerField(allow_null=True)


class HoldsShape(Shape):
    """What is in its hands."""

    active = HeldShape()
    reserved = HeldShape()
    scheduled = HeldShape()
    revoked = RevokedShape()


class WorkerDetailShape(WorkerShape):
    """A worker with what it last answered; the verb `refresh` asks it anew."""

    answers = serializers.DictField(child=ContentShape(), help_text="By inspect command: `stats`, `conf` ...")
    holds = HoldsShape()

    class Meta(WorkerShape.Meta):
        fields = [*WorkerShape.Meta.fields, "answers", "holds"]


class MarkShape(Shape):
    """The worker came online or went offline."""

    at = TimeField()
    type = serializers.CharField()
    pid = serializers.IntegerField(allow_null=True)
    is_start = serializers.BooleanField(help_text="Its process began then.")


def _series() -> Any:
    return serializers.ListField(child=NumberField(allow_null=True))


class WorkerHistoryShape(Shape):
    """Series of one length, oldest first: a value is of the `step` seconds from its time on; null: not known."""

    step = serializers.IntegerField()
    times = serializers.ListField(child=TimeField())
    active = _series()
    most_active = _series()
    load_1 = _series()
    load_5 = _series()
    load_15 = _series()
    processed_per_second = _series()
    events_per_second = _series()
    clock_skew = _series()
    marks = MarkShape(many=True)


EXAMPLE: dict[str, Any] = {
    "hostname": "celery@pay-1",
    "online": True,
    "last_heartbeat": "2026-11-29T14:03:12.104000Z",
    "started_at": "2026-11-23T10:00:00.000000Z",
    "stopped_at": None,
    "up_since": "2026-11-23T10:00:00.000000Z",
    "first_seen": "2026-11-23T10:00:00.000000Z",
    "active": 3,
    "processed": 1204331,
    "failed": 12,
    "load_average": [3.1, 2.9, 2.5],
    "frequency": 2.0,
    "software": "py-celery 5.7.0 Linux",
    "pid": 4121,
    "pool": "prefork",
    "concurrency": 16,
    "queues": ["payments"],
    "clock_skew": 0.01,
    "restarts": 0,
    "inspected_at": "2026-11-29T14:03:00.000000Z",
}
