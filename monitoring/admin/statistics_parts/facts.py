"""What a task's own definition says of it, as the workers told it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from ... import formatting
from ...queries.registered_on import Registrations
from ...queries.worker_parts.registered import RegisteredTask


@dataclass(frozen=True)
class Fact:
    label: str
    words: str


def facts(registered: Registrations) -> list[Fact]:
    """Limits, retries and acknowledgement, where all workers that have the task say the same; no answer, no facts."""
    tasks = [row.task for row in registered.rows]
    if not tasks:
        return []
    return [
        Fact(label, _agreed(tasks, words))
        for label, words in (
            (_("Rate limit"), lambda task: task.rate_limit or _("none")),
            (_("Time limits"), _time_limits),
            (_("Retries"), _retries),
            (_("Acknowledged"), _acknowledged),
        )
    ] + [Fact(_("Registered on"), _registered(registered))]


def _agreed(tasks: list[RegisteredTask], words: Callable[[RegisteredTask], str]) -> str:
    said = sorted({words(task) for task in tasks})
    return said[0] if len(said) == 1 else _("differs by worker")


def _time_limits(task: RegisteredTask) -> str:
    soft, hard = task.soft_time_limit, task.time_limit
    parts = [
        words % {"time": formatting.duration(seconds)}
        for words, seconds in ((_("soft %(time)s"), soft), (_("hard %(time)s"), hard))
        if seconds is not None
    ]
    return ", ".join(parts) or _("none")


def _retries(task: RegisteredTask) -> str:
    if task.max_retries is None:
        return _("not known")
    return _("at most %(count)s") % {"count": formatting.number(task.max_retries)}


def _acknowledged(task: RegisteredTask) -> str:
    if task.acks_late is None:
        return _("not known")
    return _("late") if task.acks_late else _("early")


def _registered(registered: Registrations) -> str:
    return _("%(known)s of %(count)s workers") % {
        "known": formatting.number(len(registered.rows)),
        "count": formatting.number(registered.asked),
    }
