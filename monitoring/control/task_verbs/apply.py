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
from ..message_options import is_compression, serializers, wrong_headers
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


def why_not_these(target: TaskName, parameters: Parameters) -> str:
    """Why the task does not take these arguments, where its code is here. The workers' may be newer."""
    task: Any = watched_app().tasks.get(target.name)
    if task is None or not getattr(task, "typing", False):
        return ""
    try:
        task.__header__(*parameters.get("args", []), **parameters.get("kwargs", {}))
    except TypeError as error:
        return _now("It does not take these arguments: %(error)s") % {"error": error}
    return ""


#: What is no option of the message. How to send it is not the caller's: a web request tries once, within
#: CONTROL_TIMEOUT, and says what came of it. There is no parent either.
_NO_OPTIONS = frozenset({"args", "kwargs", "retry", "retry_policy", "add_to_parent"})


def _options(parameters: Parameters) -> dict[str, Any]:
    options = {name: value for name, value in parameters.items() if name not in _NO_OPTIONS}
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
    """For programs: beside what pages ask for, what Celery's `apply_async` takes and a request can give."""

    exchange = forms.CharField(label=_("Exchange"), max_length=255, required=False)
    routing_key = forms.CharField(label=_("Routing key"), max_length=255, required=False)
    task_id = forms.CharField(
        label=_("Task id"), max_length=255, required=False, help_text=_("Empty: a new one.")
    )
    soft_time_limit = forms.FloatField(label=_("Soft time limit"), required=False, min_value=0.001)
    time_limit = forms.FloatField(label=_("Hard time limit"), required=False, min_value=0.001)
    headers = JSONField(
        label=_("Headers"), required=False, help_text=_("Of the message; none that Celery writes itself.")
    )
    shadow = forms.CharField(
        label=_("Shadow"),
        max_length=255,
        required=False,
        help_text=_("A name to be shown by, which has to be one that you may start."),
    )
    ignore_result = forms.NullBooleanField(label=_("Ignore the result"), required=False)
    serializer = forms.CharField(
        label=_("Serializer"),
        max_length=255,
        required=False,
        help_text=_("One that the Celery app accepts."),
    )
    compression = forms.CharField(
        label=_("Compression"), max_length=255, required=False, help_text=_("gzip, bzip2, ...")
    )
    retry = forms.NullBooleanField(
        label=_("Retry"), required=False, help_text=_("Changes nothing: it is sent once, or you are told.")
    )
    retry_policy = JSONField(label=_("Retry policy"), required=False, help_text=_("Changes nothing."))
    add_to_parent = forms.NullBooleanField(
        label=_("Add to the parent"), required=False, help_text=_("Changes nothing: there is no parent.")
    )

    def clean_headers(self) -> Any:
        headers = self.cleaned_data["headers"]
        if headers is None:
            return None
        if not isinstance(headers, dict):
            raise forms.ValidationError(_("Headers are a JSON object"))
        if wrong := wrong_headers(watched_app(), headers):
            raise forms.ValidationError(wrong)
        return headers

    def clean_retry_policy(self) -> Any:
        policy = self.cleaned_data["retry_policy"]
        if policy is not None and not isinstance(policy, dict):
            raise forms.ValidationError(_("A retry policy is a JSON object"))
        return policy

    def clean_serializer(self) -> str:
        name: str = self.cleaned_data["serializer"]
        known = serializers(watched_app())
        if name and name not in known:
            words = _("The Celery app accepts %(names)s") % {"names": ", ".join(known)}
            raise forms.ValidationError(words)
        return name

    def clean_compression(self) -> str:
        name: str = self.cleaned_data["compression"]
        if name and not is_compression(name):
            raise forms.ValidationError(_("There is no such compression here"))
        return name

    def clean_shadow(self) -> str:
        # It is the name of the task wherever it is seen, and it can be run again under it.
        name: str = self.cleaned_data["shadow"]
        if name and (not self.visibility.allows_name(name) or why_not(TaskName(name))):
            raise forms.ValidationError(_("This is the name of a task that you may not start"))
        return name

    def clean_task_id(self) -> str:
        task_id: str = self.cleaned_data["task_id"]
        if task_id and self.count > 1:
            raise forms.ValidationError(_("Several tasks cannot have one id"))
        return task_id

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        for name in ("exchange", "routing_key", "task_id", "headers"):
            # They lead around what may be seen: to other queues (some exchanges route by headers), and onto the rows
            # of other tasks.
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
        "act": _apply,
        "observe": observe_made,
        "is_answered": False,
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

APPLY = _apply_verb(
    name="apply", label=_("Start a task"), form=ApplyForm, find=find, why_not_so=why_not_these
)

#: As Celery's `send_task`: nothing that is known of the task here is looked at, since it may be of another version.
SEND = _apply_verb(name="send_task", label=_("Send a task by name"), form=SendForm, find=_find_any)
