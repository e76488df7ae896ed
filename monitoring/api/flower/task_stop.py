"""``/api/task/revoke/<id>`` and ``/api/task/abort/<id>``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from ...celery_app import watched_app
from ...control.perform import authorise, perform
from ...control.verbs import VERBS
from ...models.task import State
from ...queries import control
from ...queries.results import has_backend
from ..problems import problem
from .views import FlowerView, beside, is_sent

#: Seconds that a task gets to become known: its events may be on their way from a client that has just sent it.
SEEN_WITHIN = 2.0
_PAUSE = 0.2


class _StopTask(FlowerView):
    def state(self, task_id: str) -> str | None:
        """The task's state; None where it may not be seen, or is not known in time. Cost: a primary key, each look."""
        until = time.monotonic() + SEEN_WITHIN
        while task_id not in (found := control.states(self.visibility, [task_id])):
            if time.monotonic() >= until:
                return None
            time.sleep(_PAUSE)
        return found[task_id][0]


class RevokeTask(_StopTask):
    """POST, with ``terminate`` and ``signal``. 200 whatever is known of the task, as Flower.

    `outcome` says what came of it. Waits for the workers' acknowledgements, at most ``CONTROL_TIMEOUT``.
    """

    def post(self, request: Request, name: str) -> Response:
        authorise(VERBS["revoke"], self.actor, [name])
        terminate = self.given.flag("terminate")
        signal = self.given.text("signal") or "SIGTERM"
        state = self.state(name)
        verb, parameters = _verb(state, terminate, signal)
        result = perform(verb, [name], self.actor, parameters, patience=0).results[name]
        if state is None and not is_sent(result):
            # A limited user, who learns no more than that.
            return problem(404, f"Unknown task '{name}'")
        return Response({"message": f"Revoked '{name}'", **beside(result)})


def _verb(state: str | None, terminate: bool, signal: str) -> tuple[str, Mapping[str, Any]]:
    if state is None:
        return "revoke_id", {"terminate": terminate, "signal": signal}
    if terminate:
        return "terminate", {"signal": signal}
    # A revoke does not stop what runs, but its next attempt.
    return ("revoke_id" if state == State.STARTED else "revoke"), {}


class AbortTask(_StopTask):
    """POST; 503 without a result backend, 403 for a task that does not look whether it was aborted, or has ended."""

    def post(self, request: Request, name: str) -> Response:
        authorise(VERBS["abort"], self.actor, [name])
        if not has_backend(watched_app()):
            return problem(503, "The project has no result backend")
        self.state(name)
        result = perform("abort", [name], self.actor, patience=0).results[name]
        if not is_sent(result):
            return problem(403, f"Failed to abort '{name}': {result.words}", **beside(result))
        return Response({"message": f"Aborted '{name}'", **beside(result)})
