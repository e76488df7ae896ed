"""A task in short, opened below its row."""

from __future__ import annotations

from typing import Any

from .. import formatting
from ..models import Task
from .state_words import state_words

#: Characters of arguments, of a result and of an exception's message; the task's own page has all of them.
LONGEST = 2_000


def task_peek(task: Task, with_payload: bool) -> dict[str, Any]:
    """What parts/task_peek.html needs. Without `with_payload` nothing that the task carries."""
    context: dict[str, Any] = {
        "task": task,
        "with_payload": with_payload,
        "state_words": state_words(task),
        "attempt": (task.retries or 0) + 1,
    }
    if with_payload:
        _, message = formatting.exception_parts(task.exception or "")
        context["message"] = formatting.cut(message, LONGEST)
        context["carries"] = [
            formatting.cut(formatting.pretty(text), LONGEST)
            for text in (task.args, task.kwargs)
            if text and text not in ("()", "[]", "{}")
        ]
        context["arguments_known"] = task.args is not None or task.kwargs is not None
        if task.state == "SUCCESS" and task.result is not None:
            context["result"] = formatting.cut(formatting.pretty(task.result), LONGEST)
    return context
