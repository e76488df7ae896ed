"""Events in words, with what passed between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from .. import formatting
from ..models import TaskEvent
from ..queries.attempts import Attempt, Origin
from ..templatetags.monitoring_format import clock_words

#: The state whose colour an event's dot has.
STATES = {
    "task-sent": "PENDING",
    "task-received": "RECEIVED",
    "task-started": "STARTED",
    "task-progress": "STARTED",
    "task-retried": "RETRY",
    "task-cancelled": "RETRY",
    "task-succeeded": "SUCCESS",
    "task-failed": "FAILURE",
    "task-revoked": "REVOKED",
    "task-rejected": "REJECTED",
    "task-lost": "LOST",
}
#: Longest text of one line, in characters; the raw event has all of it.
LINE = 160
#: Longest raw event on the page, in characters; the view of the raw task has all.
RAW = 4_000


@dataclass(frozen=True)
class Entry:
    """One event: `title` is bold, `detail` follows it, `gap` is what passed since the event before."""

    event: TaskEvent
    state: str
    offset: str
    title: str
    detail: str
    gap: str
    raw: str


def timeline(events: Sequence[TaskEvent], attempts: Sequence[Attempt], with_payload: bool) -> list[Entry]:
    """`events`: oldest first. Without `with_payload` no text that a task carries is in any entry."""
    belongs = {id(event): (number, each) for number, each in enumerate(attempts, 1) for event in each.events}
    entries = []
    before: TaskEvent | None = None
    for event in events:
        number, attempt = belongs.get(id(event), (None, None))
        title, detail = _words(event, number, attempt, with_payload)
        entries.append(
            Entry(
                event,
                STATES.get(event.type, "PENDING"),
                _offset(event, events[0].timestamp),
                title,
                formatting.cut(detail, LINE),
                _gap(before, event),
                formatting.cut(_raw(event), RAW) if with_payload else "",
            )
        )
        before = event
    return entries


def _offset(event: TaskEvent, first: datetime) -> str:
    if event.timestamp == first:
        return timezone.localtime(first).strftime("%H:%M:%S.%f")[:-4]
    return f"+{formatting.duration((event.timestamp - first).total_seconds())}"


def _gap(before: TaskEvent | None, event: TaskEvent) -> str:
    """What passed since the event before, and what the task did meanwhile where the two say so."""
    if before is None:
        return ""
    passed = formatting.duration((event.timestamp - before.timestamp).total_seconds())
    kind = (before.type.removeprefix("task-"), event.type.removeprefix("task-"))
    if kind == ("sent", "received"):
        return _("%(time)s queued") % {"time": passed}
    if kind == ("received", "started"):
        return _("%(time)s in worker") % {"time": passed}
    if before.type in ("task-started", "task-progress"):
        return _("%(time)s running") % {"time": passed}
    return _("%(time)s later") % {"time": passed}


def _words(
    event: TaskEvent, number: int | None, attempt: Attempt | None, with_payload: bool
) -> tuple[str, str]:
    """The bold word and what follows it."""
    payload, worker = event.payload, event.worker
    match event.type:
        case "task-sent":
            queue = payload.get("queue")
            detail = _("by %(client)s") % {"client": worker}
            if queue:
                detail = _("to queue %(queue)s by %(client)s") % {"queue": queue, "client": worker}
            return (_("Sent again") if payload.get("retries") else _("Sent")), detail
        case "task-received":
            return _received(event, attempt)
        case "task-started":
            return _("Started"), _started(event, number)
        case "task-progress":
            return _("Progress"), _progress(payload, with_payload)
        case "task-retried":
            return _("Retry"), _exception(payload, with_payload)
        case "task-succeeded":
            return _("Succeeded"), _("on %(worker)s") % {"worker": worker}
        case "task-failed":
            return _("Failed"), _exception(payload, with_payload)
        case "task-revoked":
            return _("Revoked"), _revoked(payload)
        case "task-rejected":
            if payload.get("requeue"):
                return _("Put back"), _("into its queue by the task itself")
            return _("Rejected"), _("by %(worker)s") % {"worker": worker}
        case "task-cancelled":
            return _("Given up"), _("because %(worker)s lost its connection to the broker") % {
                "worker": worker
            }
        case "task-lost":
            return _("Lost"), _("no worker knows it any more")
    return event.type, _("from %(worker)s") % {"worker": worker}


def _received(event: TaskEvent, attempt: Attempt | None) -> tuple[str, str]:
    detail = _("by %(worker)s") % {"worker": event.worker}
    again = attempt is not None and attempt.origin is not Origin.FIRST
    if attempt is not None and attempt.origin is Origin.REDELIVERED:
        detail = _("by %(worker)s: the broker delivered the same message once more") % {
            "worker": event.worker
        }
    if attempt is not None and attempt.eta is not None and attempt.eta > event.timestamp:
        detail = _("%(detail)s, due at %(time)s") % {"detail": detail, "time": clock_words(attempt.eta)}
    return (_("Received again") if again else _("Received")), detail


def _started(event: TaskEvent, number: int | None) -> str:
    words = {"worker": event.worker, "number": number, "pid": event.payload.get("pid")}
    if words["pid"] is None:
        return _("on %(worker)s, attempt %(number)s") % words
    return _("on %(worker)s, attempt %(number)s, pid %(pid)s") % words


def _progress(payload: dict[str, Any], with_payload: bool) -> str:
    words = ""
    if payload.get("current") is not None:
        words = _("%(current)s of %(total)s") % {
            "current": _count(payload["current"]),
            "total": _count(payload.get("total")),
        }
    message = payload.get("message")
    if message and with_payload:
        words = f"{words}: {message}" if words else str(message)
    return words


def _count(value: Any) -> str:
    if value is None:
        return "?"
    return formatting.number(value) if isinstance(value, int | float) else str(value)


def _exception(payload: dict[str, Any], with_payload: bool) -> str:
    name, message = formatting.exception_parts(str(payload.get("exception") or ""))
    if not with_payload:
        return name
    return f"{name}: {message}" if name and message else name or message


def _revoked(payload: dict[str, Any]) -> str:
    if payload.get("expired"):
        return _("because it had expired")
    if payload.get("terminated"):
        return _("and its process terminated with %(signal)s") % {
            "signal": formatting.signal_name(str(payload.get("signum") or "")) or "?"
        }
    return ""


def _raw(event: TaskEvent) -> str:
    """The event as it came, but for args and kwargs of sendings and receipts, which the log does not keep."""
    return formatting.pretty_json(
        {
            "type": event.type,
            "uuid": event.task_id,
            "timestamp": event.timestamp.isoformat(),
            "hostname": event.worker,
            "clock": event.clock,
            **event.payload,
        }
    )
