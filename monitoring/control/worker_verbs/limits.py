"""Limits of a task on one worker: how many a second, and how long each may run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from ...queries.visibility import Visibility
from .. import looking, workers
from ..commands import sees, sends
from ..contract import Outcome, Results
from ..parameters import Parameters, ParametersForm
from ..phrases import told
from ..workers import WorkerTarget
from .pattern import Phrases, worker_verb

#: Pools that end a task which runs too long; of these, gevent only at the hard limit.
LIMITING = frozenset({"prefork", "gevent"})
#: As celery/utils/time.py, ``rate``, reads them.
_RATE = re.compile(r"\d{1,9}(\.\d{1,6})?(/[smh])?", re.ASCII)
_LASTS = _("Lasts until the worker restarts. Set it on the task to keep it.")


class TaskNameForm(ParametersForm):
    task_name = forms.CharField(label=_("Task"), max_length=255)

    def clean_task_name(self) -> str:
        name: str = self.cleaned_data["task_name"]
        if not self.visibility.allows_name(name):
            raise forms.ValidationError(_("This task is not among those that you may see"))
        return name

    def suggestions(self) -> dict[str, list[str]]:
        """The tasks that the workers have registered, where they have said."""
        names = {name for target in self.targets for name in target.registered or ()}
        return {"task_name": sorted(name for name in names if self.visibility.allows_name(name))}


class RateLimitForm(TaskNameForm):
    rate_limit = forms.CharField(
        label=_("Rate limit"),
        max_length=50,
        help_text=_(
            "10/s, 100/m or 500/h; a number alone is per second; 0 for none. Counted by each worker for itself."
        ),
    )

    def clean_rate_limit(self) -> str:
        text: str = self.cleaned_data["rate_limit"].replace(" ", "")
        if not _RATE.fullmatch(text):
            raise forms.ValidationError(
                _("A rate is a number, or one per second, minute or hour: 10/s, 100/m, 500/h")
            )
        return text


class TimeLimitForm(TaskNameForm):
    soft = forms.FloatField(
        label=_("Soft time limit"),
        required=False,
        min_value=0.001,
        max_value=10_000_000,
        help_text=_("Seconds until SoftTimeLimitExceeded is raised in the task. Empty: none."),
    )
    hard = forms.FloatField(
        label=_("Hard time limit"),
        required=False,
        min_value=0.001,
        max_value=10_000_000,
        help_text=_("Seconds until the process that runs the task is killed. Empty: none."),
    )

    restart_pool = forms.BooleanField(
        label=_("Restart the pool too"),
        required=False,
        help_text=_(
            "A worker looks at changed limits when it connects to the broker anew, or when its pool is restarted, "
            "which needs worker_pool_restarts = True."
        ),
    )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        soft, hard = values.get("soft"), values.get("hard")
        if soft is not None and hard is not None and soft >= hard:
            raise forms.ValidationError(_("The soft limit has to come before the hard one"))
        return values


def _soft_alone(target: WorkerTarget, parameters: Parameters) -> str:
    if target.worker.pool == "gevent" and "soft" in parameters and "hard" not in parameters:
        return _now("The gevent pool knows no soft time limit, only a hard one")
    return ""


def _rate_of(hosts: Sequence[str], parameters: Parameters, seconds: float) -> Mapping[str, str]:
    found = looking.task_attributes(["rate_limit"], parameters["task_name"], hosts, seconds)
    return {host: attributes.get("rate_limit", "0") for host, attributes in found.items()}


def _limits_of(
    hosts: Sequence[str], parameters: Parameters, seconds: float
) -> Mapping[str, tuple[float | None, float | None]]:
    names = ["soft_time_limit", "time_limit"]
    found = looking.task_attributes(names, parameters["task_name"], hosts, seconds)
    return {host: (_number(said.get(names[0])), _number(said.get(names[1]))) for host, said in found.items()}


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _limit_words(limits: tuple[float | None, float | None]) -> str:
    soft, hard = (f"{limit:g} s" if isinstance(limit, int | float) else _now("none") for limit in limits)
    return _now("soft limit %(soft)s, hard limit %(hard)s") % {"soft": soft, "hard": hard}


def _wanted(parameters: Parameters) -> tuple[float | None, float | None]:
    return parameters.get("soft"), parameters.get("hard")


def _set_limits(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
    """Set them, and make the worker look at them.

    A worker copies a task's limits when it makes its way of starting the task (celery/worker/request.py,
    ``create_request_cls``), and makes that anew with each connection and each restart of its pool. The command alone
    changes what the worker says, and nothing that runs.
    """
    limits = {"task_name": parameters["task_name"], "soft": None, "hard": None}
    limits |= {name: value for name, value in parameters.items() if name in ("soft", "hard")}
    results = sends("time_limit", lambda _parameters: limits)(ids, visibility, parameters)
    done = [host for host, result in results.items() if result.outcome is Outcome.DONE]
    if parameters.get("restart_pool") and done:
        restarted = sends("pool_restart", lambda _parameters: {"reload": False})(done, visibility, {})
        for host, result in restarted.items():
            if result.outcome is not Outcome.DONE:
                words = _now("The limits are set, but the pool was not restarted: %(words)s")
                results[host] = replace(result, words=words % {"words": result.words})
    return results


_look = sees(
    _limits_of, lambda before, now, parameters: now == _wanted(parameters), _limit_words, ["registered"]
)


def _see_limits(results: Results, visibility: Visibility, parameters: Parameters, until: float) -> Results:
    """Of a worker that was not made to look at them, the limits are not said to count."""
    asked = {host: result for host, result in results.items() if result.outcome is Outcome.DONE}
    found = results | _look(asked, visibility, parameters, until)
    if parameters.get("restart_pool"):
        return found
    words = _now(
        "%(words)s. It counts once the worker connects to the broker anew, or its pool is restarted."
    )
    return {host: replace(found[host], words=words % {"words": found[host].words}) for host in asked} | {
        host: result for host, result in found.items() if host not in asked
    }


RATE = worker_verb(
    Phrases(
        question=_("Limit the rate of a task on %(targets)s?"),
        question_so=_("Limit %(task_name)s to %(rate_limit)s on %(targets)s?"),
        consequence=_("Tasks above the limit wait in the worker, which takes them from other workers."),
        button=_("Limit the rate"),
        button_so=_("Limit it to %(rate_limit)s"),
        safe_button=_("Leave it as it is"),
    ),
    name="rate_limit",
    label=_("Rate limit"),
    did=_("limited the rate of a task"),
    did_so=told(_("set the rate limit of %(task_name)s to %(rate_limit)s")),
    lasts=_LASTS,
    form=RateLimitForm,
    act=sends("rate_limit"),
    observe=sees(
        _rate_of,
        lambda before, now, parameters: now == parameters["rate_limit"],
        lambda now: _now("its rate limit is now %(rate)s") % {"rate": now},
        ["registered"],
    ),
)

TIME = worker_verb(
    Phrases(
        question=_("Limit how long a task may run on %(targets)s?"),
        question_so=_("Set the time limits of %(task_name)s on %(targets)s?"),
        consequence=_(
            "It counts for tasks that start from now on. Where both limits are empty, there are none."
        ),
        button=_("Set the time limits"),
        safe_button=_("Leave them as they are"),
    ),
    name="time_limit",
    label=_("Time limits"),
    did=_("set the time limits of a task"),
    did_so=lambda parameters: (
        _now("set the time limits of %(task_name)s: %(limits)s")
        % {"task_name": parameters.get("task_name", ""), "limits": _limit_words(_wanted(parameters))}
    ),
    lasts=_LASTS,
    pools=LIMITING,
    form=TimeLimitForm,
    why_not=workers.unless_pool(LIMITING, _("it does not end tasks that run too long")),
    why_not_so=_soft_alone,
    act=_set_limits,
    observe=_see_limits,
)
