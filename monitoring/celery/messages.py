"""What a worker knows of a task that it was given: its queue, its full arguments, and what is to follow it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from monitoring.arguments import Standing, Written, write
from monitoring.ingest.redaction import Redactor

#: Names of callbacks and of members of a chain that one event carries, and characters of each.
MAX_NAMES, MAX_NAME_LENGTH = 20, 255
#: A body of more than this many times the limit of arguments is not looked at.
_LARGEST_BODY = 4
#: The header that OpenTelemetry and others send along (https://www.w3.org/TR/trace-context/): its second part is the
#: id of the trace.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


def queue_of(request: Any, consumer: Any) -> str | None:
    """The queue that the task came from; None where that cannot be told.

    RabbitMQ names the subscription that a message was delivered for. Elsewhere the queue follows from where it was
    published: straight into a queue, or to the one consumed queue that is bound there.
    """
    tags = consumer.task_consumer._active_tags
    tag = (request.message.delivery_info or {}).get("consumer_tag")
    for name, active in tags.items():
        if active == tag:
            return str(name)
    if len(tags) == 1:
        return str(next(iter(tags)))
    delivered = request.delivery_info or {}
    exchange, routing_key = delivered.get("exchange") or "", delivered.get("routing_key")
    if not exchange:
        return str(routing_key) if routing_key in tags else None
    bound = [
        name
        for name, queue in consumer.task_consumer._queues.items()
        if queue.exchange is not None and (queue.exchange.name, queue.routing_key) == (exchange, routing_key)
    ]
    return str(bound[0]) if len(bound) == 1 else None


def arguments_of(request: Any, redactor: Redactor, limit: int) -> Written:
    """The arguments as the task is given them, without secrets."""
    body = request.body
    if isinstance(body, bytes | str) and len(body) > _LARGEST_BODY * limit:
        return None, Standing.TOO_LARGE
    return write(
        request.args,
        request.kwargs,
        redactor,
        limit,
        came_as_json=request.content_type in ("application/json", "application/x-json"),
    )


def workflow_of(request: Any) -> str | None:
    """What the task belongs to and what hangs on it, as JSON; None for a task on its own.

    ``{"schedule": name, "group": id, "chord": name, "callbacks": [name], "errbacks": [name], "chain": [name, in
    order]}``, each only where there is any. The schedule is what django-celery-beat says in a header.
    """
    embed = request._payload[2] or {}
    schedule = request.request_dict.get("periodic_task_name")
    found = {
        "schedule": schedule[:MAX_NAME_LENGTH] if isinstance(schedule, str) else None,
        "group": request.group,
        "chord": _name(embed["chord"]) if embed.get("chord") else None,
        "callbacks": _names(embed.get("callbacks")),
        "errbacks": _names(embed.get("errbacks")),
        "chain": _names(reversed(embed.get("chain") or ())),
    }
    found = {key: value for key, value in found.items() if value}
    return json.dumps(found) if found else None


def trace_of(request: Any) -> str | None:
    """The id of the trace that the task belongs to, as its sender's header ``traceparent`` says; None without one."""
    said = request.request_dict.get("traceparent")
    found = _TRACEPARENT.fullmatch(said) if isinstance(said, str) else None
    return found[1] if found else None


def _names(signatures: Iterable[Any] | None) -> list[str]:
    return [_name(signature) for signature in list(signatures or ())[:MAX_NAMES]]


def _name(signature: Any) -> str:
    return str(signature["task"])[:MAX_NAME_LENGTH]
