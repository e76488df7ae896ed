"""``/api/task/result/<id>``: state and result of a task."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from ...celery_app import watched_app
from ...queries.outcomes import Outcome, outcome_within
from ...queries.results import NotRead, has_backend
from ..problems import problem
from .views import FlowerView

#: Seconds that one request waits for a result at most: a web server has only so many threads.
LONGEST = 60.0


def as_flower(task_id: str, found: Outcome) -> dict[str, Any]:
    """``{"task-id", "state"[, "result"[, "traceback"]]}``: a result of what has ended, a traceback of what failed.

    ``"result_is_cut": true`` stands beside a result that is only the beginning of its text.
    """
    answer: dict[str, Any] = {"task-id": task_id, "state": found.state}
    if found.is_end:
        answer["result"] = found.value
        if found.is_cut:
            answer["result_is_cut"] = True
        if found.state == "FAILURE":
            answer["traceback"] = found.traceback
    return answer


class TaskResult(FlowerView):
    """GET, with ``timeout`` in seconds; 503 without a result backend, or where it cannot be reached."""

    permission = "monitoring.view_task"

    def get(self, request: Request, name: str) -> Response:
        seconds = min(max(self.given.number("timeout") or 0.0, 0.0), LONGEST)
        app = watched_app()
        if not has_backend(app):
            return problem(503, "The project has no result backend")
        try:
            found = outcome_within(self.visibility, app, name, seconds, with_payload=self.with_payload)
        except NotRead as error:
            return problem(503, f"Broker or result backend unavailable ({error.detail})")
        return Response(as_flower(name, found))
