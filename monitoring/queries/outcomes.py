"""How a task ended and what it returned: what its events say, and the result backend where they do not."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import celery
from celery import states

from ..literals.whole import MAX_LENGTH
from ..models import Task
from ..models.task import State
from .results import Entry, NotRead, Why, stored_entry
from .tasks import task as find_task
from .visibility import Visibility

#: Seconds between two looks.
PAUSE = 0.25
#: States after which nothing is expected any more.
ENDED = frozenset({State.SUCCESS, State.FAILURE, State.REVOKED, State.REJECTED, State.LOST})


@dataclass(frozen=True)
class Outcome:
    """`state`: Celery's, PENDING for a task that nobody knows, LOST for one that is. `value`: what it returned, as JSON
    where the result backend has it, else the text of its event; of a failure the exception's text. Redacted, and None
    without the permission to see it, as `traceback`. `is_end`: it will not change by itself. `is_cut`: `value` is
    not all of what was returned, because the backend cannot be read, or holds more than is read of one."""

    state: str
    value: Any = None
    traceback: str | None = None
    is_end: bool = False
    is_cut: bool = False


def outcome(visibility: Visibility, app: celery.Celery, task_id: str, *, with_payload: bool) -> Outcome:
    """How a task is doing. Cost: a primary key, and a read of the result backend where the task has not failed.

    Of a task that is not known here only users who may see all tasks learn what the backend says. Raises
    :class:`.results.NotRead` where the backend cannot be reached.
    """
    task = find_task(visibility, task_id)
    if task is not None and task.state in ENDED:
        return _of_events(app, task) if with_payload else Outcome(task.state, is_end=True)
    entry = None
    if task is not None or visibility.is_everything:
        try:
            entry = stored_entry(app, task_id)
        except NotRead as error:
            if error.why is not Why.TOO_LONG:
                raise
            # Its events, which are on their way, will say how it ended.
    if entry is not None and entry.state in states.READY_STATES:
        return _of_backend(entry) if with_payload else Outcome(entry.state, is_end=True)
    if task is None or task.state == State.RECEIVED:
        # No state of a result; Celery says PENDING until a task starts.
        return Outcome(State.PENDING)
    return Outcome(task.state)


def outcome_within(
    visibility: Visibility, app: celery.Celery, task_id: str, seconds: float, *, with_payload: bool
) -> Outcome:
    """The same, once the task has ended, at the latest after `seconds`. Cost: the same for each look."""
    until = time.monotonic() + seconds
    while True:
        found = outcome(visibility, app, task_id, with_payload=with_payload)
        left = until - time.monotonic()
        if found.is_end or left <= 0:
            return found
        time.sleep(min(PAUSE, left))


def _of_events(app: celery.Celery, task: Task) -> Outcome:
    if task.state == State.SUCCESS:
        try:
            entry = stored_entry(app, task.task_id, quietly=True)
        except NotRead:
            return Outcome(task.state, task.result, is_end=True, is_cut=True)
        if entry is not None and entry.state == states.SUCCESS:
            return Outcome(task.state, _finite(entry.value), is_end=True)
        return Outcome(task.state, task.result, is_end=True, is_cut=_is_cut(task.result or ""))
    if task.state == State.REVOKED:
        why = "expired" if task.expired else "terminated" if task.terminated else "revoked"
        return Outcome(task.state, f"TaskRevokedError('{why}')", is_end=True)
    return Outcome(task.state, task.exception, task.traceback, is_end=True)


def _of_backend(entry: Entry) -> Outcome:
    value = entry.value
    if entry.state in states.PROPAGATE_STATES and isinstance(value, dict) and "exc_type" in value:
        # celery/backends/base.py, ``prepare_exception``.
        message = value.get("exc_message")
        inside = ", ".join(repr(part) for part in message) if isinstance(message, list) else repr(message)
        value = f"{value['exc_type']}({inside})"
    return Outcome(entry.state, _finite(value), entry.traceback, is_end=True)


def _is_cut(text: str) -> bool:
    """Whether Celery cut the repr of a result (``resultrepr_maxsize``): it ends in an ellipsis and what closes it."""
    return len(text) >= MAX_LENGTH and "..." in text[-8:]


def _finite(value: Any) -> Any:
    """Python writes NaN and infinity into JSON, which no other reader takes: they become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return value
