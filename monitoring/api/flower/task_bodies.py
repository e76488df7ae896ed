"""The JSON bodies of the routes that start tasks: args, kwargs and Celery's options, as Flower reads them. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from .parameters import BadParameter, moment, number

#: Options that are numbers, also where they were written as text.
_NUMBERS = ("countdown", "priority", "soft_time_limit", "time_limit")
#: Options that are yes or no.
_FLAGS = ("add_to_parent", "ignore_result", "retry")
_OTHER_TASKS = "it starts other tasks; start them by themselves"
_FAMILY = "Celery itself says what family and attempt a task is of"
_OBJECT = "it is no data, but an object of a running process"
#: Options of `apply_async` that no request can give, and why.
NOT_TAKEN = {
    **dict.fromkeys(("link", "link_error", "chain", "chord"), _OTHER_TASKS),
    **dict.fromkeys(("group_id", "group_index", "parent_id", "root_id", "retries"), _FAMILY),
    **dict.fromkeys(
        ("connection", "declare", "producer", "publisher", "result_cls", "router", "task_type"), _OBJECT
    ),
    "reply_to": "ask for the result at task/result",
    "route_name": "routes are those of the task; name a queue",
}


@dataclass(frozen=True)
class Start:
    """`parameters` are those of the verb ``send_task``; `timeout` in seconds, None where none was given."""

    parameters: dict[str, Any]
    timeout: float | None = None


def read_start(body: bytes, zone: tzinfo, now: datetime | None = None) -> Start:
    """What to start. Times without a zone are in `zone`, the Celery app's. Raises BadParameter."""
    try:
        options = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError) as error:
        raise BadParameter(str(error)) from error
    if not isinstance(options, dict):
        raise BadParameter("invalid options")
    args, kwargs = options.pop("args", []), options.pop("kwargs", {})
    if not isinstance(args, list):
        raise BadParameter("args must be an array")
    if not isinstance(kwargs, dict):
        raise BadParameter("kwargs must be an object")
    timeout = options.pop("timeout", None)
    try:
        timeout = None if timeout is None else number(timeout)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadParameter("Invalid timeout") from error
    for name, value in options.items():
        if name in NOT_TAKEN and value is not None:
            raise BadParameter(f"{name} is not taken: {NOT_TAKEN[name]}")
    try:
        read = {name: _option(name, value, zone, now) for name, value in options.items() if value is not None}
    except (TypeError, ValueError, OverflowError) as error:
        raise BadParameter("Invalid option") from error
    return Start({"args": args, "kwargs": kwargs, **read}, timeout)


def _option(name: str, value: Any, zone: tzinfo, now: datetime | None) -> Any:
    if name in _NUMBERS:
        return number(value)
    if name in _FLAGS and not isinstance(value, bool):
        raise TypeError(value)
    if name == "eta":
        return _moment(value, zone).isoformat()
    if name == "expires":
        try:
            return number(value)
        except ValueError:
            return (_moment(value, zone) - (now or datetime.now(UTC))).total_seconds()
    return value


def _moment(text: str, zone: tzinfo) -> datetime:
    """As Flower writes times (``2026-11-29 12:00:00.0``), or ISO, which ``send-task`` passes on to Celery."""
    try:
        found = moment(text)
    except ValueError:
        found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)
