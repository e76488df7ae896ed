"""``/api/task/apply``, ``async-apply`` and ``send-task``: start a task, and wait for its result, or not."""

from __future__ import annotations

from typing import Any

from django.http import RawPostDataException
from rest_framework.request import Request
from rest_framework.response import Response

from ...celery_app import watched_app
from ...control.contract import Outcome, Result
from ...control.parameters import InvalidParameters
from ...control.perform import authorise, perform
from ...control.task_verbs.apply import why_not_these
from ...control.task_verbs.task_names import TaskName, names
from ...control.tasks import is_identifier
from ...control.verbs import VERBS
from ...ingest.fields import MAX_IDENTIFIER
from ...queries.outcomes import outcome, outcome_within
from ...queries.results import NotRead
from ..problems import problem
from .parameters import BadParameter
from .task_bodies import Start, read_start
from .task_result import LONGEST, as_flower
from .views import FlowerView

VERB = "send_task"


class StartTask(FlowerView):
    """POST, with a JSON body. `waits` for the result; `any_name`: nobody needs to have registered the task,
    and its arguments are not compared with what is known of it here."""

    waits = False
    any_name = False

    def post(self, request: Request, name: str) -> Response:
        verb = VERBS[VERB]
        authorise(verb, self.actor, [name])
        app: Any = watched_app()
        start = read_start(_body(request), app.timezone)
        if self.any_name and not is_identifier(name):
            return problem(400, f"The name of a task has at most {MAX_IDENTIFIER} characters, and no null")
        if name not in (verb.find([name], self.visibility) if self.any_name else names(self.visibility)):
            return problem(404, f"Unknown task '{name}'")
        if start.timeout is not None and not self.waits:
            return problem(400, "timeout is for apply, which waits for the result")
        if not self.any_name and (words := why_not_these(TaskName(name), start.parameters)):
            return problem(400, words)
        try:
            result = perform(VERB, [name], self.actor, start.parameters, patience=0).results[name]
        except InvalidParameters as error:
            return problem(400, _named(error), errors=error.errors)
        if not result.made:
            return self._not_sent(name, result)
        return Response(self._answer(app, result.made, start))

    def _answer(self, app: Any, task_id: str, start: Start) -> dict[str, Any]:
        """Once it is sent nothing may fail any more: whoever is told that it did starts it again."""
        try:
            if not self.waits:
                found = outcome(self.visibility, app, task_id, with_payload=self.with_payload)
                return {"task-id": task_id, "state": found.state}
            seconds = LONGEST if start.timeout is None else min(max(start.timeout, 0.0), LONGEST)
            found = outcome_within(self.visibility, app, task_id, seconds, with_payload=self.with_payload)
        except NotRead as error:
            return {"task-id": task_id, "state": "PENDING", "words": f"No result: {error.detail or error}"}
        return as_flower(task_id, found)

    def _not_sent(self, name: str, result: Result) -> Response:
        if result.outcome in (Outcome.UNCONFIRMED, Outcome.FAILED):
            return problem(503, result.words, outcome=str(result.outcome))
        verb = VERBS[VERB]
        found = verb.find([name], self.visibility)
        is_forbidden = name not in found or bool(verb.why_not(found[name]))
        return problem(403 if is_forbidden else 400, result.words)


def _named(error: InvalidParameters) -> str:
    """What is wrong, with the option that it is wrong with: a body may have a dozen."""
    return " ".join(
        words if option == "__all__" else f"{option}: {words}"
        for option, found in error.errors.items()
        for words in found
    )


def _body(request: Request) -> bytes:
    try:
        body: bytes = request._request.body
    except RawPostDataException as error:
        # A form with files, which was read where Django looks for its CSRF token.
        raise BadParameter("The body has to be JSON") from error
    return body
