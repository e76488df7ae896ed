"""What Flower can do to workers, and to tasks on a worker: THE table of routes, each a verb of ``control/verbs.py``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from ...conf import monitoring_settings
from ...control.contract import Outcome, Result
from ...control.parameters import InvalidParameters, Parameters
from ...control.perform import authorise, perform
from ...control.task_verbs.task_names import names
from ...control.verbs import VERBS
from ...queries.workers import worker
from ..problems import problem
from .parameters import Given
from .views import FlowerView, beside, is_sent


@dataclass(frozen=True)
class Command:
    """`done` is the message of a 200, `failed` that of a 403; both may have ``{target}``, ``{worker}``, ``{words}`` of
    the worker, and the parameters in braces. `read` reads the verb's parameters."""

    verb: str
    done: str
    failed: str
    read: Callable[[Given], dict[str, Any]] = lambda given: {}
    #: Worker, or task on the worker of ``workername``.
    of_task: bool = False
    #: Nobody answers it: sent is success.
    unanswered: bool = False


def _n(given: Given) -> dict[str, Any]:
    return {"n": given.whole("n", 1)}


def _autoscale(given: Given) -> dict[str, Any]:
    return {"min": given.whole("min", required=True), "max": given.whole("max", required=True)}


def _queue(given: Given) -> dict[str, Any]:
    return {"queue": given.text("queue", required=True)}


def _time_limits(given: Given) -> dict[str, Any]:
    limits = {"hard": given.number("hard"), "soft": given.number("soft")}
    return {name: seconds for name, seconds in limits.items() if seconds is not None}


def _rate_limit(given: Given) -> dict[str, Any]:
    return {"rate_limit": given.text("ratelimit", required=True)}


COMMANDS: dict[str, Command] = {
    "worker/shutdown": Command(
        "shutdown", "Shutting down!", "Failed to shut down '{worker}': {reason}", unanswered=True
    ),
    "worker/pool/restart": Command(
        "pool_restart", "Restarting '{worker}' worker's pool", "Failed to restart the '{worker}' pool: {reason}"
    ),
    "worker/pool/grow": Command(
        "pool_grow", "Growing '{worker}' worker's pool by {n}",
        "Failed to grow '{worker}' worker's pool: {reason}", _n,
    ),
    "worker/pool/shrink": Command(
        "pool_shrink", "Shrinking '{worker}' worker's pool by {n}",
        "Failed to shrink '{worker}' worker's pool: {reason}", _n,
    ),
    "worker/pool/autoscale": Command(
        "autoscale", "Autoscaling '{worker}' worker (min={min}, max={max})",
        "Failed to autoscale '{worker}' worker: {reason}", _autoscale,
    ),
    "worker/queue/add-consumer": Command(
        "add_consumer", "{words}", "Failed to add '{queue}' consumer to '{worker}' worker: {reason}", _queue
    ),
    "worker/queue/cancel-consumer": Command(
        "cancel_consumer", "{words}",
        "Failed to cancel '{queue}' consumer from '{worker}' worker: {reason}", _queue,
    ),
    "task/timeout": Command(
        "time_limit", "{words}", "Failed to set timeouts: '{reason}'", _time_limits, of_task=True
    ),
    "task/rate-limit": Command(
        "rate_limit", "{words}", "Failed to set rate limit: '{reason}'", _rate_limit, of_task=True
    ),
}  # fmt: skip


class WorkerCommand(FlowerView):
    """POST of one command; 404 for a worker or task that nobody knows, 403 where it is refused or not answered.

    Waits for the worker's answer and then for the effect, each for at most ``CONTROL_TIMEOUT``.
    """

    command: Command = Command("", "", "")

    def post(self, request: Request, name: str) -> Response:
        command = self.command
        host, parameters = name, {}
        if command.of_task:
            host, parameters = self.given.text("workername"), {"task_name": name}
        authorise(VERBS[command.verb], self.actor, [host or name], parameters=parameters)
        if command.of_task:
            self.given.text("workername", required=True)
            parameters |= command.read(self.given)
            if name not in names(self.visibility):
                return problem(404, f"Unknown task '{name}'")
        if worker(self.visibility, host) is None:
            return problem(404, f"Unknown worker '{host}'")
        if not command.of_task:
            parameters = command.read(self.given)
        try:
            result = self._performed(host, parameters)
        except InvalidParameters as error:
            if set(error.errors) != {"rate_limit"}:
                raise
            # Flower asks the worker, which refuses in these words (celery/worker/control.py, ``rate_limit``).
            refusal = command.failed.format(worker=host, reason="Invalid rate limit string", **parameters)
            return problem(403, refusal, errors=error.errors)
        is_done = is_sent(result) if command.unanswered else result.outcome is Outcome.DONE
        words = {"worker": host, "reason": result.words, "words": _said(result, host), **parameters}
        if not is_done:
            return problem(403, command.failed.format(**words), **beside(result))
        return Response({"message": command.done.format(**words), **beside(result)})

    def _performed(self, host: str, parameters: Parameters) -> Result:
        report = perform(
            self.command.verb, [host], self.actor, parameters, patience=monitoring_settings.CONTROL_TIMEOUT
        )
        return report.results[host]


def _said(result: Result, host: str) -> str:
    """The worker's own words, as Flower passes them on; what was seen where it did not answer."""
    answer = result.answers.get(host)
    return answer.words if answer is not None and answer.words else result.words
