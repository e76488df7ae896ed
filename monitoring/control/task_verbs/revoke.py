"""Revoke tasks: those that wait never run; those that run are ended, if that is asked for."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ...formatting import number
from ...models.task import State
from ...queries import control
from ...queries.visibility import Visibility
from ...queries.workers import online_hostnames
from .. import phrases
from ..broadcast import broadcast
from ..contract import Outcome, Result, Results, Verb
from ..delete_record import ENDED
from ..parameters import Parameters, ParametersForm
from ..tasks import is_identifier
from .answers import summed_up, terminated
from .targets import CHUNK, Phrases, TaskTarget, ended, ended_in, find

PERMISSION = "monitoring.revoke_task"
#: Pools that can end a running task (celery/concurrency: `terminate_job`).
ENDING = frozenset({"prefork", "gevent", "eventlet"})
#: Seconds between two looks.
PAUSE = 0.25

SIGNALS = [
    ("SIGTERM", _("SIGTERM: end the process that runs it")),
    ("SIGKILL", _("SIGKILL: end it at once, whatever it does")),
    ("SIGINT", _("SIGINT: as Ctrl-C")),
    ("SIGQUIT", _("SIGQUIT")),
    ("SIGUSR1", _("SIGUSR1: raise SoftTimeLimitExceeded in the task")),
    ("SIGUSR2", _("SIGUSR2")),
]


class SignalForm(ParametersForm):
    signal = forms.ChoiceField(
        label=_("Signal"),
        choices=SIGNALS,
        initial="SIGTERM",
        required=False,
        help_text=_("To a prefork process."),
    )

    def clean_signal(self) -> str:
        return self.cleaned_data["signal"] or "SIGTERM"


def _runs(state: str) -> str:
    if state != State.STARTED:
        return ""
    return _now("It runs already, which a revoke does not stop: terminate it instead")


def _cannot_be_ended(target: TaskTarget) -> str:
    if target.task.state != State.STARTED or target.pool is None or target.pool in ENDING:
        return ""
    return _now("It runs in a %(pool)s pool, which cannot end a running task") % {"pool": target.pool}


def _revoke(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
    answers = broadcast("revoke", {"task_id": list(ids), "terminate": False}, expected=online_hostnames())
    outcome, words = summed_up(answers)
    return {task_id: Result(task_id, outcome, words, answers=answers) for task_id in ids}


def _terminate(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
    before = control.states(visibility, ids)
    arguments = {"task_id": list(ids), "terminate": True, "signal": parameters.get("signal", "SIGTERM")}
    answers = broadcast("revoke", arguments, expected=online_hostnames())
    results = {}
    for task_id in ids:
        state, holder = before.get(task_id, (None, None))
        outcome, words = summed_up(answers, holder)
        ending = terminated(answers, holder)
        if (
            outcome is Outcome.DONE
            and state == State.STARTED
            and ending is not None
            and task_id not in ending
        ):
            outcome = Outcome.FAILED
            words = _now("%(worker)s does not run it (any more); it is flagged as revoked") % {
                "worker": holder
            }
        results[task_id] = Result(task_id, outcome, words, answers=answers)
    return results


def _observe(results: Results, visibility: Visibility, parameters: Parameters, until: float) -> Results:
    """Until the tasks are REVOKED here, as the events of their workers say. Cost: their primary keys, at each look."""
    states: dict[str, str] = {}
    while time.monotonic() < until:
        found = control.states(visibility, [key for key in results if states.get(key) not in ENDED])
        states |= {key: state for key, (state, _worker) in found.items()}
        if all(states.get(key) in ENDED for key in results):
            break
        time.sleep(min(PAUSE, max(0.0, until - time.monotonic())))
    return {key: _seen(result, states.get(key)) for key, result in results.items()}


def _seen(result: Result, state: str | None) -> Result:
    if state == State.REVOKED:
        return replace(result, outcome=Outcome.DONE, observed=True, words=_now("Observed: it is REVOKED"))
    if state in ENDED:
        words = _now("%(words)s; it ended as %(state)s before")
    elif state == State.STARTED:
        words = _now("%(words)s; not seen revoked yet: it still runs")
    else:
        words = _now(
            "%(words)s; not seen revoked yet: a task that waits is revoked when its worker comes to it"
        )
    return replace(result, observed=False, words=words % {"words": result.words, "state": state})


def _verb(words: Any, **fields: Any) -> Verb:
    defaults: dict[str, Any] = {
        "permission": PERMISSION,
        "target_kind": "task",
        "destroys": True,
        "find": find,
        "observe": _observe,
        "chunk": CHUNK,
        "lasts": _("Workers keep it in memory: one that restarts without --statedb has forgotten it."),
    }
    return Verb(**{**defaults, **words.fields(), **fields})


REVOKE = _verb(
    Phrases(
        question=_("Revoke %(targets)s?"),
        consequence=_(
            "Every worker is told to drop it: it will never run. Tasks that run already are left alone."
        ),
        button=_("Revoke %(targets)s"),
        safe_button=_("Let it run"),
    ),
    name="revoke",
    label=_("Revoke"),
    happens=_("will be revoked"),
    did=_("revoked"),
    why_not=lambda target: ended(target) or _runs(target.task.state),
    why_not_in=lambda state: ended_in(state) or _runs(state),
    act=_revoke,
)

TERMINATE = _verb(
    Phrases(
        question=_("Terminate %(targets)s?"),
        question_so=_("Terminate %(targets)s with %(signal)s?"),
        consequence=_(
            "A running task is ended wherever it is: what it has done stays done, and what it holds is not cleaned up. "
            "One that waits is revoked."
        ),
        button=_("Terminate %(targets)s"),
        safe_button=_("Let it run"),
    ),
    name="terminate",
    label=_("Revoke and terminate"),
    happens=_("will be ended if they run, and revoked if not"),
    did=_("terminated"),
    did_so=lambda parameters: (
        _now("terminated with %(signal)s") % {"signal": parameters.get("signal", "SIGTERM")}
    ),
    form=SignalForm,
    pools=ENDING,
    why_not=lambda target: ended(target) or _cannot_be_ended(target),
    why_not_in=ended_in,
    act=_terminate,
)


def _ids(count: int) -> str:
    return ngettext("%(count)s task id", "%(count)s task ids", count) % {"count": number(count)}


class IdForm(SignalForm):
    terminate = forms.BooleanField(
        label=_("Terminate it if it runs"),
        required=False,
        help_text=_("Only pools that can: prefork, gevent."),
    )


def _find_unseen(ids: Sequence[str], visibility: Visibility) -> Mapping[str, str]:
    """Ids, known or not: a task may have been sent a moment ago, or before anything was recorded.

    A limited user has those of tasks that they may see: nobody knows what another id stands for.
    """
    known = control.states(visibility, ids)
    return {key: key for key in ids if is_identifier(key) and (key in known or visibility.is_everything)}


def _revoke_unseen(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
    arguments = {
        "task_id": list(ids),
        "terminate": bool(parameters.get("terminate")),
        "signal": parameters.get("signal", "SIGTERM"),
    }
    answers = broadcast("revoke", arguments, expected=online_hostnames())
    outcome, words = summed_up(answers)
    return {key: Result(key, outcome, words, answers=answers) for key in ids}


REVOKE_ID = _verb(
    phrases.Phrases(
        _ids,
        lambda target: _now("the task %(id)s") % {"id": target},
        question=_("Revoke %(targets)s?"),
        consequence=_(
            "Every worker is told to drop it, whatever is known of it here: it will never run (again)."
        ),
        button=_("Revoke %(targets)s"),
        safe_button=_("Let it run"),
    ),
    name="revoke_id",
    label=_("Revoke by id"),
    target_kind="task_id",
    happens=_("will be revoked"),
    did=_("revoked"),
    form=IdForm,
    find=_find_unseen,
    why_not=lambda target: "",
    act=_revoke_unseen,
    observe=None,
)
