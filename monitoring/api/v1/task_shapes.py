"""What the API tells of a task."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ...models import Task
from ...queries.task_columns import TASK_COLUMNS
from ..shapes import Chosen, ModelShape, NumberField, Shape, TimeField

_PAYLOAD = "Only with `monitoring.view_payload`."


class TaskShape(Chosen, ModelShape):
    """A task. Only the fields that were asked for are there; durations are in seconds."""

    class Meta:
        model = Task
        fields = list(TASK_COLUMNS)
        extra_kwargs: dict[str, dict[str, Any]] = {
            name: {"required": False, **({"help_text": _PAYLOAD} if column.payload else {})}
            for name, column in TASK_COLUMNS.items()
        }


class TaskPageShape(Shape):
    """A page of tasks. `next` and `previous` are addresses of the pages beside it."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    estimated_count = serializers.IntegerField()
    count_is = serializers.ChoiceField(
        choices=["exact", "estimated", "at_least"], help_text="How `estimated_count` is meant."
    )
    looked_back_to = TimeField(
        allow_null=True,
        help_text="There was not time for all: tasks first seen before this were not looked at yet; `next` goes on.",
    )
    results = TaskShape(many=True)


class EventShape(Chosen, Shape):
    """An event as its worker or sender sent it."""

    timestamp = TimeField()
    type = serializers.CharField(help_text="As Celery names it: `task-started`.")
    worker = serializers.CharField()
    clock = serializers.IntegerField(allow_null=True)
    payload = serializers.JSONField(required=False, help_text=_PAYLOAD)


class AttemptShape(Chosen, Shape):
    """One delivery of the task to a worker, put together from its events; null: not known."""

    origin = serializers.CharField(
        help_text="`first`, `retry`, `redelivered`, `requeued`, `sent again` or `unknown`."
    )
    retries = serializers.IntegerField(allow_null=True)
    sent_at = TimeField(allow_null=True)
    received_at = TimeField(allow_null=True)
    started_at = TimeField(allow_null=True)
    ended_at = TimeField(allow_null=True)
    ended_as = serializers.CharField(
        allow_null=True, help_text="A state, or `requeued`, `cancelled`, `vanished`."
    )
    eta = TimeField(allow_null=True)
    worker = serializers.CharField(allow_null=True)
    pid = serializers.IntegerField(allow_null=True)
    wait = NumberField(allow_null=True)
    runtime = NumberField(allow_null=True)
    exception = serializers.CharField(allow_null=True, required=False, help_text=_PAYLOAD)
    traceback = serializers.CharField(allow_null=True, required=False, help_text=_PAYLOAD)


class RelativeShape(ModelShape):
    """A member of a family."""

    class Meta:
        model = Task
        fields = [
            "task_id", "name", "state", "worker", "runtime", "retries", "first_seen", "started_at", "finished_at",
            "root_id", "parent_id",
        ]  # fmt: skip
        extra_kwargs = {"state": {"required": True}}


class FamilyShape(Shape):
    """Everyone of the same root, the task itself among them, by when they were first seen."""

    root_id = serializers.CharField()
    total = serializers.IntegerField(help_text="How many there are, as far as they were counted (`more`).")
    more = serializers.BooleanField()
    whole = serializers.BooleanField(
        help_text="All that may be seen are in `members`; else ancestors, siblings and children."
    )
    members = RelativeShape(many=True)


class RerunShape(Shape):
    """A task by its id; `state` null: nothing was heard of it (yet)."""

    task_id = serializers.CharField()
    at = TimeField()
    state = serializers.CharField(allow_null=True)


class LineageShape(Shape):
    rerun_of = RerunShape(allow_null=True)
    rerun_as = RerunShape(many=True, help_text="Newest first.")
    more = serializers.BooleanField(help_text="There are more than these.")


class TaskDetailShape(TaskShape):
    """A task with its log and its family."""

    events = EventShape(many=True, required=False, help_text="Oldest first; the newest 1,000.")
    events_cut = serializers.BooleanField(required=False, help_text="There are older ones.")
    attempts = AttemptShape(many=True, required=False)
    family = FamilyShape(required=False)

    reruns = LineageShape(required=False, help_text="What it is a rerun of, and what it was run again as.")

    class Meta(TaskShape.Meta):
        fields = [*TaskShape.Meta.fields, "events", "events_cut", "attempts", "family", "reruns"]


#: Of the answer with everything.
EXAMPLE: dict[str, Any] = {
    "task_id": "9f31c2d4-0f4e-4c5e-9f0a-52c1b8f3a7d0",
    "state": "FAILURE",
    "name": "shop.tasks.charge",
    "worker": "celery@pay-1",
    "queue": "payments",
    "exception_type": "GatewayTimeout",
    "first_seen": "2026-11-29T14:03:12.104000Z",
    "runtime": None,
    "retries": 3,
}
