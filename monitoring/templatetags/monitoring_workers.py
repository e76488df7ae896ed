"""What templates say of workers."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from .. import formatting, worker_versions
from ..models import Worker

register = template.Library()

#: Seconds from which on the clock of a host is called wrong: more than a heartbeat waits for its turn.
WRONG_CLOCK = 5.0


@register.filter
def celery_version(worker: Worker) -> str:
    """``5.7.0``; empty where the worker has not said which Celery it runs."""
    return worker_versions.celery_version(worker.software)


@register.filter
def is_full(worker: Worker) -> bool:
    """Whether it runs as many tasks as it can at once."""
    return (
        bool(worker.concurrency) and worker.active is not None and worker.active >= (worker.concurrency or 0)
    )


@register.filter
def clock_words(worker: Worker) -> str:
    """That the clock of its host is wrong, by how much; empty where it is right or nobody knows."""
    skew = worker.clock_skew
    if skew is None or abs(skew) < WRONG_CLOCK:
        return ""
    words = (
        _("Its clock is %(span)s behind the monitor's: its times are too early here.")
        if skew > 0
        else _("Its clock is %(span)s ahead of the monitor's: its times are too late here.")
    )
    return words % {"span": formatting.duration(abs(skew))}
