"""What is known of a task's arguments, and whether it is exact. Sources, in this order:

1. what the plug-in for workers told of the newest receipt,
2. the worker, while it holds the task (``query_task``),
3. the result backend, where the app keeps arguments there (``result_extended``) and they are real values,
4. the repr of Celery's events, where its text proves that it is whole.

The second and third cost a question to somebody else: only a form for one task asks them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import celery
from django.utils.translation import gettext as _

from ..arguments import Standing, read, write
from ..ingest.redaction_settings import configured_redactor
from ..ingest.states import CLOCK_TOLERANCE
from ..literals.tree import Kind, Node
from ..literals.tree import read as read_tree
from ..literals.whole import NotWhole, whole_args, whole_kwargs
from ..models import Task
from ..models.task import State
from ..queries.results import stored_arguments
from .broadcast import Said, ask
from .connecting import ControlUnavailable


class Source(StrEnum):
    """Where exact arguments come from."""

    PLUG_IN = "plug-in"
    WORKER = "worker"
    BACKEND = "backend"
    REPR = "repr"


@dataclass(frozen=True)
class Known:
    """Args and kwargs as JSON has them. Without a `source` they are not exact, and `why` says in words why not.

    `unread` names those of the two of which nothing can be read. `rest_is_exact`: they are not exact only for what was
    redacted in them, so that each value without a mark is.
    """

    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)
    source: Source | None = None
    why: str = ""
    unread: frozenset[str] = frozenset()
    rest_is_exact: bool = False


def stored_here(task: Task) -> Known:
    """From the database alone; `task` has the columns of ``queries/reruns.py``."""
    told = _told_by_plug_in(task)
    if told is not None and told.source is not None:
        return told
    return _from_repr(task, told)


def looked_for(task: Task, app: celery.Celery) -> Known:
    """From everywhere. Cost: CONTROL_TIMEOUT at most for a worker that holds the task, and one read of the backend."""
    known = stored_here(task)
    if known.source is Source.PLUG_IN:
        return known
    return _held_by_worker(task) or _in_backend(task, app) or known


def _told_by_plug_in(task: Task) -> Known | None:
    if task.arguments_are is None:
        return None
    if not task.arguments:
        if task.arguments_are == Standing.TOO_LARGE:
            return Known(why=_("They are larger than the plug-in for workers tells"))
        return Known(why=_("They hold something that JSON would change"))
    try:
        args, kwargs = read(task.arguments)
    except ValueError:
        return Known(why=_("What the plug-in for workers told cannot be read"))
    # A later delivery, by a worker without the plug-in, may have brought others.
    is_newest = (task.full_ts, task.full_tie) == (task.received_ts, task.received_tie)
    is_newest = is_newest and (task.sent_ts or 0) <= (task.full_ts or 0) + CLOCK_TOLERANCE
    if task.arguments_are != Standing.EXACT:
        return _redacted(args, kwargs, rest_is_exact=is_newest)
    if not is_newest:
        return Known(args, kwargs, why=_("They are those of an earlier delivery of the task"))
    return Known(args, kwargs, Source.PLUG_IN)


def _redacted(args: list[Any], kwargs: dict[str, Any], *, rest_is_exact: bool) -> Known:
    why = _("Secrets in them were redacted, and are not known here")
    return Known(args, kwargs, why=why, rest_is_exact=rest_is_exact)


def _held_by_worker(task: Task) -> Known | None:
    if task.worker is None or task.state not in (State.RECEIVED, State.STARTED, State.RETRY):
        return None
    try:
        answer = ask([("query_task", {"ids": [task.task_id]})], [task.worker])["query_task"][task.worker]
    except ControlUnavailable:
        return None
    if answer.said is not Said.ACKNOWLEDGED:
        return None
    match answer.value:
        case {task.task_id: [str(), {"args": list() as args, "kwargs": dict() as kwargs}]}:
            return _exact(args, kwargs, Source.WORKER)
    return None


def _in_backend(task: Task, app: celery.Celery) -> Known | None:
    found = stored_arguments(app, task)
    return _exact(*found, Source.BACKEND) if found is not None else None


def _exact(args: list[Any], kwargs: dict[str, Any], source: Source) -> Known:
    """What came from outside goes through redaction as everything does."""
    text, standing = write(args, kwargs, configured_redactor(), came_as_json=False)
    try:
        found = read(text or "")
    except ValueError:  # nested too deep, where there is a text
        return Known(why=_("They hold something that JSON would change"))
    if standing is not Standing.EXACT:
        return _redacted(*found, rest_is_exact=True)
    return Known(*found, source)


def _from_repr(task: Task, told: Known | None) -> Known:
    """Exact where the text is whole; else what of it can be read, for somebody to look at."""
    if told is not None and (told.args or told.kwargs):
        return told
    try:
        if told is not None or task.args is None or task.kwargs is None:
            raise NotWhole
        return Known(whole_args(task.args), whole_kwargs(task.kwargs), Source.REPR)
    except NotWhole:
        why = told.why if told is not None else _("Only a text of them is known, and it may not be whole")
        args, kwargs = _guessed(task.args), _guessed(task.kwargs)
        return Known(
            args if isinstance(args, list) else [],
            kwargs if isinstance(kwargs, dict) else {},
            why=why,
            unread=frozenset(
                name
                for name, found, kind in (("args", args, list), ("kwargs", kwargs, dict))
                if not isinstance(found, kind)
            ),
        )


def _guessed(text: str | None) -> Any:
    node = read_tree(text) if text else None
    return _as_json(node) if node is not None else None


def _as_json(node: Node) -> Any:
    match node.kind:
        case Kind.LIST | Kind.TUPLE | Kind.SET:
            return [_as_json(child) for child in node.children]
        case Kind.DICT:
            return {_plain(child.key): _as_json(child) for child in node.children}
        case Kind.WORD:
            return {"true": True, "false": False}.get(node.text.lower())
        case Kind.NUMBER:
            try:
                return json.loads(node.text)
            except ValueError:
                return node.text
    return _plain(node.text)


def _plain(text: str) -> str:
    quoted = len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]
    return text[1:-1].replace("\\'", "'") if quoted else text


def lost(task: Task) -> Mapping[str, Any]:
    """What hung on the task, as the plug-in told; empty where nothing did, or nobody knows."""
    try:
        found = json.loads(task.workflow or "{}")
    except ValueError:
        return {}
    # The schedule that sent it is nothing that it leads to.
    return (
        {key: value for key, value in found.items() if key != "schedule"} if isinstance(found, dict) else {}
    )
