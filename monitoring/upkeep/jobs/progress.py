"""Progress that tasks keep in the result backend, as events of ours: ``update_state(state="PROGRESS", meta={...})``.

Celery sends no event for a custom state, so this is read from the rows of django-celery-results; there is nothing to do
where results are kept elsewhere. Cost: one read of at most MOST rows by that app's index on the time, and of as many
tasks by their key; a batch is written where something has changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.utils import timezone

from monitoring.celery_app import watched_app
from monitoring.conf import monitoring_settings
from monitoring.ingest.decoding import Decoder
from monitoring.ingest.events import Event
from monitoring.ingest.redaction_settings import configured_redactor
from monitoring.ingest.stores import store_for
from monitoring.ingest.stores.contract import Batch
from monitoring.live.changes import Changes
from monitoring.live.feed import append
from monitoring.models import Task
from monitoring.upkeep.lease import LeaseHolder

#: What ``CELERY_RESULT_BACKEND`` is called where django-celery-results keeps results in the database.
BACKENDS = ("django-db", "django_celery_results.backends:DatabaseBackend")
#: How far back reports are looked for, and how many at once; the next run sees newer ones of the same tasks.
RECENT, MOST = timedelta(minutes=1), 1_000


def run(lease: LeaseHolder) -> str:
    """Store the newest progress of each running task as a ``task-progress`` event, by the merge like any other."""
    if not apps.is_installed("django_celery_results") or watched_app().conf.result_backend not in BACKENDS:
        return "Nothing to do: the results are not in django-celery-results."
    reports = _reports()
    running = dict(
        Task.objects.using(lease.using)
        .filter(pk__in=list(reports), state="STARTED")
        .values_list("task_id", "progress_ts")
    )
    found = _events(reports[task_id] for task_id in running)
    events = [event for event in found if event.ts > (running[event.subject] or 0)]
    if events:
        with lease.transaction():
            store_for(lease.using).write(Batch(tasks=events))
        changes = Changes()
        changes.add(events, [])
        append(lease.using, changes)
    return f"Running tasks with new progress: {len(events)}."


def _reports() -> dict[str, dict[str, Any]]:
    """The newest report of each task, in the form of an event."""
    from django_celery_results.models import TaskResult

    rows = (
        TaskResult.objects.filter(status="PROGRESS", date_done__gt=timezone.now() - RECENT)
        .order_by("-date_done")
        .values_list("task_id", "worker", "date_done", "content_type", "result")[:MOST]
    )
    return {
        task_id: report
        for task_id, worker, reported_at, content_type, result in rows
        if (report := _report(task_id, worker, reported_at, content_type, result)) is not None
    }


def _report(
    task_id: str, worker: str | None, reported_at: datetime, content_type: str, result: str | None
) -> dict[str, Any] | None:
    """None where the meta is not what Celery's documentation shows ("Custom states"): current and total."""
    if content_type != "application/json":
        return None
    try:
        meta = json.loads(result or "")
    except (ValueError, RecursionError):
        return None
    if not isinstance(meta, dict) or not isinstance(meta.get("current"), int | float):
        return None
    message = meta.get("message", meta.get("status", ""))
    return {
        "type": "task-progress",
        "uuid": task_id,
        "hostname": worker or "django-celery-results",
        "timestamp": reported_at.timestamp(),
        "current": meta["current"],
        "total": meta.get("total"),
        "message": message if isinstance(message, str) else "",
    }


def _events(reports: Iterable[dict[str, Any]]) -> list[Event]:
    """Decoded as if a worker had sent them: redacted, bounded, with a digest that makes a repetition a no-op."""
    decoder = Decoder(
        configured_redactor(), monitoring_settings.MAX_TEXT_LENGTH, monitoring_settings.OWN_CODE
    )
    return decoder.decode(json.dumps(list(reports)), "application/json").tasks
