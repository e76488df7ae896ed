"""A task as JSON: every field, its attempts and its events, for people who want to see or keep all of it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from ... import formatting
from ...models import Task
from ...queries.attempts import Attempt, attempts_of
from ...queries.events import events_of

#: What only readers with the permission to view payload get.
PAYLOAD = frozenset({"args", "kwargs", "result", "exception", "traceback", "progress_message"})


def raw_task(task: Task, with_payload: bool) -> dict[str, Any]:
    """JSON-like but for datetimes. Without `with_payload`, of an exception only its class, and of events no payload."""
    log = events_of(task)
    return {
        "task": {
            field.attname: getattr(task, field.attname)
            for field in Task._meta.concrete_fields
            if field.editable and (with_payload or field.attname not in PAYLOAD)
        },
        "attempts": [_attempt(attempt, with_payload) for attempt in attempts_of(log.events)],
        "events": [
            {
                "type": event.type,
                "timestamp": event.timestamp,
                "worker": event.worker,
                "clock": event.clock,
                **({"payload": event.payload} if with_payload else {}),
            }
            for event in log.events
        ],
        "events_left_out": log.cut,
        "payload_hidden": not with_payload,
    }


def _attempt(attempt: Attempt, with_payload: bool) -> dict[str, Any]:
    shown = {field.name: getattr(attempt, field.name) for field in fields(Attempt) if field.name != "events"}
    if not with_payload:
        shown["exception"] = formatting.exception_parts(attempt.exception or "")[0]
        del shown["traceback"]
    return {**shown, "wait": attempt.wait, "runtime": attempt.runtime}
