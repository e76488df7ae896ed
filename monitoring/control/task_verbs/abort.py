"""Abort a task that looks whether it was (``celery.contrib.abortable``): a word in the result backend, no command."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import celery
from celery import states
from celery.contrib.abortable import ABORTED, AbortableTask
from celery.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from ...celery_app import watched_app
from ...conf import monitoring_settings
from ...queries import control
from ...queries.visibility import Visibility
from ...queries.workers import online_hostnames
from ..bounded import BackendUnavailable, within
from ..broadcast import Said, ask
from ..contract import Outcome, Result, Results, Verb
from ..delete_record import ENDED
from ..parameters import Parameters
from ..tasks import find as find_tasks
from .revoke import PAUSE, PERMISSION
from .targets import Phrases, TaskTarget, ended, ended_in, find

#: Backends from which nobody but the sender can read a state.
UNREADABLE = frozenset({"DisabledBackend", "RPCBackend"})
#: What a task has that is an AbortableTask; workers tell of any attribute.
MARK = "is_aborted"


def _why_not(target: TaskTarget) -> str:
    if words := ended(target):
        return words
    if _backend_kinds(watched_app()) & UNREADABLE:
        return _now("It would look into the result backend, and this project has none that it could")
    if _is_abortable_here(watched_app(), target.task.name) is False:
        return _not_abortable()
    return ""


def _backend_kinds(app: Any) -> set[str]:
    """Names of its result backend's classes; as of none where its driver is not installed here."""
    try:
        return {kind.__name__ for kind in type(app.backend).__mro__}
    except (ImportError, ImproperlyConfigured):
        return set(UNREADABLE)


def _not_abortable() -> str:
    return _now("It is no abortable task: it never looks whether it was aborted")


def _is_abortable_here(app: celery.Celery, name: str | None) -> bool | None:
    """Whether a task is abortable, as this process has it; None: it has no such task."""
    task = app.tasks.get(name) if name else None
    return None if task is None else isinstance(task, AbortableTask)


def _abortable_there(names: Collection[str]) -> set[str]:
    """Those of the tasks that some worker says are abortable."""
    question = ("registered", {"taskinfoitems": [MARK]})
    answers = ask([question], online_hostnames())["registered"] if names and online_hostnames() else {}
    lines = [
        str(line)
        for answer in answers.values()
        if answer.said is Said.ACKNOWLEDGED and isinstance(answer.value, list)
        for line in answer.value
    ]
    return {name for name in names if any(line.startswith(f"{name} [{MARK}=") for line in lines)}


def _abort(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
    app = watched_app()
    names = {key: task.name or "" for key, task in find_tasks(ids, visibility).items()}
    here = {name: _is_abortable_here(app, name) for name in set(names.values())}
    there = _abortable_there([name for name, known in here.items() if known is None])
    fit = [key for key, name in names.items() if here[name] or name in there]
    written, failure = _written(app, fit)
    words = {
        Outcome.DONE: _now("Marked as aborted"),
        Outcome.LEFT_OUT: _now("It has already ended"),
        Outcome.UNCONFIRMED: _now("Nobody knows whether it was marked: %(words)s") % {"words": failure},
        Outcome.FAILED: failure,
    }
    results = {key: Result(key, Outcome.LEFT_OUT, _not_abortable()) for key in ids}
    for key in fit:
        outcome = written.get(key, Outcome.FAILED)
        results[key] = Result(key, outcome, words[outcome])
    return results


def _written(app: Any, ids: Sequence[str]) -> tuple[dict[str, Outcome], str]:
    """Write ABORTED for tasks without a result. Those that are missing in the answer had no turn, and why.

    Raises BackendUnavailable where nothing was written.
    """
    written: dict[str, Outcome] = {}
    given_up = threading.Event()

    def write() -> None:
        for key in ids:
            if app.backend.get_state(key) in states.READY_STATES:
                written[key] = Outcome.LEFT_OUT
                continue
            # First this and then the look: whoever gives up meanwhile knows of it, or it is not written any more.
            written[key] = Outcome.UNCONFIRMED
            if given_up.is_set():
                return
            app.backend.store_result(key, result=None, state=ABORTED, traceback=None)
            written[key] = Outcome.DONE

    try:
        if ids:
            within(monitoring_settings.CONTROL_TIMEOUT, write)
    except BackendUnavailable as error:
        given_up.set()
        found = dict(written)
        if set(found.values()) <= {Outcome.LEFT_OUT}:
            raise
        return found, str(error)
    return written, ""


def _observe(results: Results, visibility: Visibility, parameters: Parameters, until: float) -> Results:
    """Until the tasks have ended. Cost: their primary keys, at each look."""
    done: dict[str, str] = {}
    while len(done) < len(results) and time.monotonic() < until:
        found = control.states(visibility, [key for key in results if key not in done])
        done |= {key: state for key, (state, _worker) in found.items() if state in ENDED}
        time.sleep(min(PAUSE, max(0.0, until - time.monotonic())))
    return {
        key: replace(
            result,
            observed=key in done,
            words=_now("Observed: it has ended as %(state)s") % {"state": done[key]}
            if key in done
            else _now("%(words)s; it has not ended yet: it looks when it comes to it")
            % {"words": result.words},
        )
        for key, result in results.items()
    }


ABORT = Verb(
    name="abort",
    label=_("Abort"),
    permission=PERMISSION,
    target_kind="task",
    destroys=True,
    **Phrases(
        question=_("Abort %(targets)s?"),
        consequence=_(
            "It ends by itself when it next looks, in its own way. Its result is ABORTED until then."
        ),
        button=_("Abort %(targets)s"),
        safe_button=_("Let it run"),
    ).fields(),
    happens=_("will be marked as aborted"),
    did=_("aborted"),
    find=find,
    why_not=_why_not,
    why_not_in=ended_in,
    act=_abort,
    observe=_observe,
    chunk=100,
)
