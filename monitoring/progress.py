"""Report how far a running task is, from within it. Imports no Django models: workers load it."""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import current_task
from celery.exceptions import SoftTimeLimitExceeded

logger = logging.getLogger(__name__)

#: A loop may report each of a million steps; more than one report a second shows nobody anything.
SECONDS_BETWEEN_REPORTS = 1.0
#: A broker that takes longer than this, or fails, is left alone by this process for a while: no task waits again.
LONGEST_REPORT, SECONDS_LEFT_ALONE = 1.0, 30.0

_left_alone_until = 0.0


def report(current: float, total: float | None = None, message: str = "") -> None:
    """Send a `task-progress` event for the task that runs now: `current` of `total`, and what it is doing.

        for number, row in enumerate(rows, 1):
            import_row(row)
            report(number, len(rows), f"Importing {row.country}")

    At most one each SECONDS_BETWEEN_REPORTS is sent for an attempt; the first always is, and the first that reaches
    `total`. Does nothing outside of a task, and nothing in an eager one. Never raises and never retries: a broker that
    is away costs the report, and the time of one try each SECONDS_LEFT_ALONE. A soft time limit that comes meanwhile is
    meant for the task, and reaches it.
    """
    try:
        _report(current, total, message)
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        _leave_alone()
        logger.warning("Progress was not reported: %r", error)


def _report(current: float, total: float | None, message: str) -> None:
    task = current_task
    # A proxy: false where no task runs.
    if not task or not task.request.id or task.request.is_eager:
        return
    # The request lives as long as the attempt does, so each attempt reports anew.
    request: Any = task.request
    now = time.monotonic()
    is_complete = total is not None and current >= total
    if is_complete and getattr(request, "progress_is_complete", False):
        return
    sent_at: float | None = getattr(request, "progress_sent_at", None)
    if sent_at is not None and now - sent_at < SECONDS_BETWEEN_REPORTS and not is_complete:
        return
    if now < _left_alone_until:
        return
    request.progress_sent_at, request.progress_is_complete = now, is_complete
    task.send_event(
        "task-progress",
        retry=False,
        current=float(current),
        total=None if total is None else float(total),
        message=str(message),
    )
    # Celery's dispatcher keeps some faults of the connection to itself; how long they took shows them.
    if time.monotonic() - now > LONGEST_REPORT:
        _leave_alone()


def _leave_alone() -> None:
    global _left_alone_until  # noqa: PLW0603 # of the process, as the connection is
    _left_alone_until = time.monotonic() + SECONDS_LEFT_ALONE
