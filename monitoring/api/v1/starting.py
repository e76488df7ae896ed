"""Start a task: POST on the list of tasks."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ...control.contract import Outcome
from ...control.perform import authorise
from ...control.verbs import VERBS
from ..idempotency import PARAMETER, once
from ..operations import Operation
from ..views import MonitoringView
from .verb_bodies import MAX_TARGET, body_of
from .verb_shapes import UsedShape
from .verbs import ERRORS, needs, told_of_one, use

APPLY = VERBS["apply"]


class StartBody(body_of(APPLY)):  # type: ignore[misc]  # a class made at run time
    """A task to start, by the name that workers have registered it under."""

    name = serializers.CharField(max_length=MAX_TARGET)


class StartedShape(UsedShape):
    """A task that was sent. It was sent once; `202`: nobody knows whether the broker took it."""

    task_id = serializers.CharField(help_text="Empty for a dry run.")


START = Operation(
    "Start a task",
    StartedShape,
    "The verb `apply` with the task's name as its target. With an `Idempotency-Key` a request that is sent twice "
    "starts one task.",
    status=201,
    statuses=(200, 202),
    errors=ERRORS,
    parameters=(PARAMETER,),
    body=StartBody,
    needs=needs(APPLY),
    body_example={
        "name": "shop.tasks.send_invoice",
        "args": [48213],
        "kwargs": {"copy": True},
        "queue": "mail",
    },
)


class StartTask(MonitoringView):
    """What the list of tasks takes a POST for. The verb checks its own permission."""

    def post(self, request: Request) -> Response:
        return once(request, lambda: self._start(request.data))

    def _start(self, body: Any) -> Response:
        name = body.get("name") if isinstance(body, dict) else None
        targets = [name] if isinstance(name, str) else []
        # Who may start nothing is told that, whatever is wrong with the rest.
        authorise(APPLY, self.actor, targets)
        if not targets or not 0 < len(targets[0]) <= MAX_TARGET:
            raise ValidationError({"name": [_("The name of a task is needed")]})
        report = use(APPLY, targets, self.actor, {key: body[key] for key in body if key != "name"})
        response, [result] = told_of_one(report), report.results.values()
        if response.status_code in (200, 202):
            response.data = {**response.data, "task_id": result.made}
        if result.outcome is Outcome.DONE and report.entry is not None:
            response.status_code = 201
        return response
