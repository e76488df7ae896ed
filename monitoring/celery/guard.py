"""Nothing of ours may reach a task: what fails is left out, and said once in a while."""

from __future__ import annotations

import logging
import time
from contextlib import suppress

from celery.exceptions import SoftTimeLimitExceeded

logger = logging.getLogger("monitoring.celery")

#: Seconds between two warnings of one hook.
SECONDS_BETWEEN_WARNINGS = 60.0

#: Raised into whatever runs at that moment, and meant for the task: a hook lets it through.
FOR_THE_TASK = (SoftTimeLimitExceeded,)

_warned_at: dict[str, float] = {}


def warn(hook: str, error: BaseException) -> None:
    """Say that a hook failed, without its values: they may be secrets. Never raises."""
    with suppress(Exception):
        now = time.monotonic()
        if now - _warned_at.get(hook, -SECONDS_BETWEEN_WARNINGS) >= SECONDS_BETWEEN_WARNINGS:
            _warned_at[hook] = now
            logger.warning("The monitoring plug-in could not %s: %s", hook, type(error).__name__)
