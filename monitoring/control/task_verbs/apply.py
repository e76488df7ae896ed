"""Start any registered task."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from ...celery_app import watched_app
from ...models.task import State
from ...queries import control
from ...queries.visibility import Visibility
from .. import phrases
from ..connecting import ConnectionLost, ControlUnavailable
from ..contract import Outcome, Result, Results, Verb
from ..parameters import JSONField, Parameters, ParametersForm
from ..sending import send_task
from ..tasks import is_identifier
from .revoke import PAUSE
from .task_names import TaskName, find, why_not


class ApplyForm(ParametersForm):
    args = JSONField(
        label=_("Arguments"), required=False, help_text=_('A JSON list, such as [48213, "EUR"].')
    )
    kwargs = JSONField(
        label=_("Keyword arguments"),
        required=False,
        help_text=_('A JSON object, such as {"order_id": 48213}.'),
    )
    queue = forms.CharField(
        label=_("Queue"), max_length=255, required=False, help_text=_("Empty: as the project routes it.")
    )
    countdown = forms.FloatField(
        label=_("Countdown"),
        required=False,
        min_value=0,
        max_value=315_360_000,
        help_text=_("Seconds to wait first."),
    )
    eta = forms.DateTimeField(label=_("Not before"), required=False, help_text=_("Instead of a countdown."))
    expires = forms.FloatField(
        label=_("Expires"),
        required=False,
        min_value=0.001,
        max_value=315_360_000,
        help_text=_("Seconds after which it is revoked if it has not started."),
    )
    priority = forms.IntegerField(
        label=_("Priority"),
        required=False,
        min_value=0,
        max_value=255,
        help_text=_("On RabbitMQ the greatest comes first, on Redis the least (0 to 9)."),
    )

    def clean_args(self) -> Any:
        args = self.cleaned_data["args"]
        if args is not None and not isinstance(args, list):
            raise forms.ValidationError(_("Arguments are a JSON list"))
        return args

    def clean_kwargs(self) -> Any:
        kwargs = self.cleaned_data["kwargs"]
        if kwargs is not None and not isinstance(kwargs, dict):
            raise forms.ValidationError(_("Keyword arguments are a JSON object"))
        return kwargs

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("countdown") is not None and values.get("eta") is not None:
            raise forms.ValidationError(_("Either a countdown or a time, not both"))
        if self.visibility.queues is not None and not self.visibility.allows_queue(
            values.get("queue") or None
        ):
            raise forms.ValidationError({"queue": [_("Choose one of the queues that you may see")]})
        return values

    def suggestions(self) -> dict[str, list[str]]:
        """Queues that a worker consumes."""
        return {"queue": sorted(q for q in control.consumed_queues() if self.visibility.allows_queue(q))}


def _signature(target: TaskName, parameters: Parameters) -> str:
    """Why the task does not take these arguments, where its code is here."""
    task: Any = watched_app().tasks.get(target.name)
    if task is None or not getattr(task, "typing", False):
        return ""
    try:
        task.__header__(*parameters.get("args", []), **parameters.get("kwargs", {}))
    except TypeError as error:
        return _now("It does not take these arguments: %(error)s") % {"error": error}
    return ""


def _options(parameters: Parameters) -> dict[str, Any]:
    options = {name: value for name, value in parameters.items() if name not in ("args", "kwargs")}
    if "eta" in options:
        options["eta"] = datetime.fromisoformat(options["eta"])
    return options


def _apply(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
    app, results = watched_app(), {}
    args, kwargs = parameters.get("args", []), parameters.get("kwargs", {})
    for name in ids:
        try:
            task_id = send_task(app, name, args, kwargs, **_options(parameters))
        except ConnectionLost as error:
            results[name] = Result(name, Outcome.UNCONFIRMED, str(error))
            continue
        except ControlUnavailable as error:
            if not results:
                raise
            # What was sent before is told all the same.
            results[name] = Result(name, Outcome.FAILED, str(error))
            continue
        except Exception as error:  # arguments or options that Celery or the broker refuses: this one only
            words = _now("Not sent: %(error)s") % {"error": type(error).__name__}
            results[name] = Result(name, Outcome.FAILED, words)
            continue
        words = _now("Sent as %(id)s") % {"id": task_id}
        results[name] = Result(name, Outcome.DONE, words, made=task_id)
    return results


def observe_made(results: Results, visibility: Visibility, parameters: Parameters, until: float) -> Results:
    """Until a worker has the task. Cost: its primary key, at each look."""
    seen: dict[str, tuple[str, str | None]] = {}
    while len(seen) < len(results) and time.monotonic() < until:
        found = control.states(visibility, [result.made for result in results.values() if result.made])
        seen = {key: place for key, place in found.items() if place[0] != State.PENDING}
        time.sleep(min(PAUSE, max(0.0, until - time.monotonic())))
    return {
        name: replace(result, observed=result.made in seen, words=_words(result, seen.get(result.made)))
        if result.made
        else result
        for name, result in results.items()
    }


def _words(result: Result, place: tuple[str, str | None] | None) -> str:
    if place is None:
        return _now("%(words)s; no worker has taken it yet") % {"words": result.words}
    state, worker = place
    text = (
        _now("%(words)s. Observed: %(state)s on %(worker)s")
        if worker
        else _now("%(words)s. Observed: %(state)s")
    )
    return text % {"words": result.words, "state": state, "worker": worker}


def _facts(
    targets: Sequence[TaskName], parameters: Parameters, visibility: Visibility
) -> Sequence[tuple[str, str]]:
    queue = parameters.get("queue")
    if not queue or queue in control.consumed_queues():
        return ()
    words = _now("no worker that is online consumes it: the task waits until one does")
    return [(_now("Queue %(queue)s") % {"queue": queue}, words)]


class SendForm(ApplyForm):
    """For programs: beside what pages ask for, how the message is routed and limited."""

    exchange = forms.CharField(label=_("Exchange"), max_length=255, required=False)
    routing_key = forms.CharField(label=_("Routing key"), max_length=255, required=False)
    task_id = forms.CharField(
        label=_("Task id"), max_length=255, required=False, help_text=_("Empty: a new one.")
    )
    soft_time_limit = forms.FloatField(label=_("Soft time limit"), required=False, min_value=0.001)
    time_limit = forms.FloatField(label=_("Hard time limit"), required=False, min_value=0.001)

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        for name in ("exchange", "routing_key", "task_id"):
            # They lead around what may be seen: to other queues, and onto the rows of other tasks.
            if values.get(name) and not self.visibility.is_everything:
                raise forms.ValidationError({name: [_("This is for users who may see all tasks")]})
        return values


def _find_any(ids: Sequence[str], visibility: Visibility) -> Mapping[str, TaskName]:
    """Every name that may be seen: nobody needs to have registered it."""
    return {name: TaskName(name) for name in ids if is_identifier(name) and visibility.allows_name(name)}


def _apply_verb(**fields: Any) -> Verb:
    defaults: dict[str, Any] = {
        "permission": "monitoring.run_task",
        "target_kind": "task_name",
        "destroys": False,
        "happens": _("will be sent"),
        "did": _("ran"),
        "why_not": why_not,
        "why_not_so": _signature,
        "act": _apply,
        "observe": observe_made,
        "chunk": 20,
    }
    return Verb(**{**defaults, **_PHRASES.fields(), **fields})


_PHRASES = phrases.Phrases(
    phrases.tasks,
    lambda target: str(target.name),
    question=_("Run %(targets)s?"),
    consequence=_("It is sent as a new task, with exactly these arguments."),
    button=_("Run %(targets)s"),
    safe_button=_("Leave it"),
    facts=_facts,
)

APPLY = _apply_verb(name="apply", label=_("Start a task"), form=ApplyForm, find=find)

SEND = _apply_verb(name="send_task", label=_("Send a task by name"), form=SendForm, find=_find_any)
