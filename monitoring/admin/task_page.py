"""The page of one task: what its template needs. Each part has a file of its own in ``task_parts/``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from .. import formatting
from ..models import Task
from ..queries.attempts import Attempt, attempts_of
from ..queries.audit import AuditFilter, audit_entries
from ..queries.events import events_of
from ..queries.failures import failures_like
from ..queries.families import family
from ..queries.phases import phases_of, sums
from ..queries.reruns import lineage
from ..queries.runs import runs
from ..queries.visibility import Visibility
from .attempt_rows import attempt_rows
from .audit_rows import audit_row
from .state_words import state_words
from .task_parts.alike import others_alike
from .task_parts.exception import exception_part
from .task_parts.family import OVER, family_part
from .task_parts.folding import folded
from .task_parts.place_in_list import place_in_list
from .task_parts.result import fetched_result
from .task_parts.runs import runs_part
from .task_parts.trace import trace_url
from .task_parts.values import value
from .timeline import timeline
from .url_query import with_parameters

#: Rows of attempts and of the timeline that are all shown; of more, those at both ends.
ATTEMPTS = 12
EVENTS = 60
#: Entries of the audit log that the page shows.
AUDIT = 10


def task_page(request: HttpRequest, task: Task, visibility: Visibility, with_payload: bool) -> dict[str, Any]:
    """`request.GET`: ``attempt`` (number of the one whose exception is shown), ``all`` (parts to unfold: attempts,
    events, family), ``result=stored`` (fetch the full result), ``in`` (the list that the task was opened from).

    Cost: the questions of its queries, none of which depends on how many events, relatives or runs there are.
    """
    now = timezone.now()
    log = events_of(task)
    attempts = attempts_of(log.events)
    over = task.state in OVER
    until = (task.finished_at or task.updated_at) if over else now
    unfolded = request.GET.getlist("all")
    rows = attempt_rows(attempts, until, with_payload)
    relatives = family_part(family(visibility, task), task, attempts, now, "family" in unfolded, visibility)
    place = place_in_list(request)
    context: dict[str, Any] = {
        "task": task,
        "crumb": f"{formatting.split_name(task.name or '')[1]} {task.task_id[:8]}".strip(),
        "with_payload": with_payload,
        "state_words": state_words(task),
        "over": over,
        "total": (task.finished_at - task.first_seen).total_seconds() if over and task.finished_at else None,
        "elapsed": (until - task.attempt_started_at).total_seconds()
        if task.state == "STARTED" and task.attempt_started_at
        else None,
        "attempts": folded(rows, ATTEMPTS, "attempts" in unfolded),
        "sums": sums(attempts, until),
        "span": _span(attempts, until),
        "timeline": folded(timeline(log.events, attempts, with_payload), EVENTS, "events" in unfolded),
        "events_cut": log.cut,
        "family": relatives,
        "relatives": {each.task_id: each for each in relatives.family.members},
        "alike": others_alike(task),
        "trace_url": trace_url(task),
        "failed_like_this": failures_like(visibility, task, now)
        if request.user.has_perm("monitoring.view_failures")
        else 0,
        "runs": runs_part(runs(visibility, task), task),
        "lineage": lineage(visibility, task.task_id),
        "place": place,
        "unfold": {
            part: with_parameters(request, all=sorted({*unfolded, part}))
            for part in ("attempts", "events", "family")
        },
    }
    if request.user.has_perm("monitoring.view_auditentry"):
        wanted = AuditFilter(target=task.task_id, since=task.first_seen)
        found = audit_entries(request.user, visibility, wanted, None)
        context["audit"] = [audit_row(entry) for entry in found.rows[:AUDIT]]
    if with_payload:
        context["payload"] = _payload(request, task)
        context["exception"] = exception_part(task, attempts, request.GET.get("attempt"))
    return context


def _span(attempts: list[Attempt], until: datetime) -> tuple[datetime, float] | None:
    """When the clock of all attempts begins, and how many seconds it has."""
    phases = [phase for attempt in attempts for phase in phases_of(attempt, until)]
    if not phases:
        return None
    first = min(phase.start for phase in phases)
    return first, (max(phase.end for phase in phases) - first).total_seconds()


def _payload(request: HttpRequest, task: Task) -> dict[str, Any]:
    """Arguments and result as trees, and the message of the exception."""
    return {
        "args": value(task.args),
        "kwargs": value(task.kwargs),
        "result": value(task.result),
        "message": formatting.exception_parts(task.exception or "")[1],
        "fetched": fetched_result(task) if request.GET.get("result") == "stored" else None,
        "fetch_url": with_parameters(request, result="stored"),
    }
