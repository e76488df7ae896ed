"""What the result backend knows about one task, as JSON."""

import json
from collections.abc import Mapping
from typing import Any

from celery import current_app
from celery.backends.base import BaseKeyValueStoreBackend, DisabledBackend

from tasksdemo.errors import NotWithThisResultBackend, ResultBackendUnavailable


def outcome(task_id: str) -> dict[str, Any]:
    """{"task_id", "status", "state", "result", "error"}; `status` and `state` are the same, as in Celery's AsyncResult.

    An id that nobody knows is PENDING: a result backend cannot tell it from a task that waits. `result` is null
    until the task has succeeded; `error` is {"type", "message"} of a failed, retried or revoked one, else null.
    Raises ResultBackendUnavailable, NotWithThisResultBackend.
    """
    # Not AsyncResult's properties: the state could change between two of them.
    meta = _meta(task_id)
    state, value = meta["status"], meta.get("result")
    failed = isinstance(value, BaseException)
    return {
        "task_id": task_id,
        "status": state,
        "state": state,
        "result": json_safe(value) if state == "SUCCESS" else None,
        "error": json_safe({"type": type(value).__name__, "message": str(value)}) if failed else None,
    }


def ask_result_backend() -> None:
    """Raise ResultBackendUnavailable where a task's result could not be stored or followed.

    Only of backends of the kind of Redis, which are a connection of their own: publishing a task subscribes to its
    result there, and goes on trying for 20 s when it cannot (celery/backends/asynchronous.py).
    """
    if isinstance(current_app.backend, BaseKeyValueStoreBackend):
        _meta("is anybody there")


def _meta(task_id: str) -> Mapping[str, Any]:
    if isinstance(current_app.backend, DisabledBackend):
        raise NotWithThisResultBackend("This project keeps no results: it has no result backend.")
    try:
        return current_app.backend.get_task_meta(task_id)
    except Exception as error:
        # Whatever the backend is made of: a database, Redis, RPC.
        raise ResultBackendUnavailable(str(error)) from error


def json_safe(value: Any) -> Any:
    """`value` as strict JSON can carry it: unknown types as their repr, NaN and infinities as text, no surrogates."""
    try:
        text = json.dumps(value, default=repr, ensure_ascii=False)
    except (TypeError, ValueError):  # keys that are no text, or a circle
        text = json.dumps(repr(value), ensure_ascii=False)
    return json.loads(text.encode("utf-8", "replace"), parse_constant=str)
