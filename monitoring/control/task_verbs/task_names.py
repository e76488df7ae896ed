"""Names of tasks as targets: what can be started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from ...celery_app import watched_app
from ...conf import monitoring_settings
from ...queries import control
from ...queries.patterns import translate
from ...queries.visibility import Visibility
from ...queries.worker_parts.registered import registered_tasks


@dataclass(frozen=True)
class TaskName:
    """A task that some worker, or this process, has registered."""

    name: str


def names(visibility: Visibility) -> list[str]:
    """Every task that may be seen and that is registered anywhere. Cost: what all workers said of their tasks.

    Celery's own (``celery.chord``) are no tasks to be started by hand.
    """
    found = {str(name) for name in watched_app().tasks}
    for content in control.all_answers("registered"):
        found |= {task.name for task in registered_tasks(visibility, content)}
    return sorted(name for name in found if not name.startswith("celery.") and visibility.allows_name(name))


def find(ids: Sequence[str], visibility: Visibility) -> Mapping[str, TaskName]:
    known = set(names(visibility))
    return {name: TaskName(name) for name in ids if name in known}


def why_not(target: TaskName) -> str:
    """What ``MONITORING["RUN_TASKS"]`` leaves out."""
    patterns = monitoring_settings.RUN_TASKS
    if patterns is None or any(translate(pattern).match(target.name) for pattern in patterns):
        return ""
    return _("The settings of this site do not let it be started from here (RUN_TASKS)")
