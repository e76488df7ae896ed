"""What a task's state means, as a sentence below its name."""

from __future__ import annotations

from django.utils.translation import gettext as _

from .. import formatting, rejection
from ..models import Task
from .failure_words import meaning_of


def state_words(task: Task) -> str:
    """Empty where the exception says more."""
    if task.state == "REVOKED":
        if task.expired:
            return _("Expired before a worker started it.")
        if task.terminated:
            signal = formatting.signal_name(task.signum) or _("a signal")
            return _("Revoked while it ran: its process got %(signal)s.") % {"signal": signal}
        return _("Revoked before it ran.")
    if task.state == "FAILURE" and (task.exception or task.exception_type):
        meaning = meaning_of(task.exception_type or "")
        return f"{meaning}." if meaning else ""
    words = {
        "PENDING": _("Sent; no worker has reported that it has it."),
        "RECEIVED": _("A worker has it; it waits for a process or for its time."),
        "STARTED": _("Running now."),
        "RETRY": _("Failed, will run again."),
        "SUCCESS": "",
        "FAILURE": _("Ended with an exception that was not reported."),
        "REJECTED": f"{meaning_of(rejection.TYPE)}.",
        "LOST": _("Its worker is gone, and nobody knows how it ended."),
    }
    return words.get(task.state, "")
