"""Tasks as targets of verbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from ..ingest.fields import MAX_IDENTIFIER
from ..models import Task
from ..queries.selection import tasks_by_id
from ..queries.visibility import Visibility
from .contract import Outcome, Result


def find(ids: Sequence[str], visibility: Visibility) -> Mapping[str, Task]:
    """Those of the tasks that exist and may be seen: one that may not looks as if it did not exist."""
    return tasks_by_id(visibility, ids)


def is_identifier(text: str) -> bool:
    """Whether a task could have this id or name at all, as far as the monitor would record it."""
    return bool(text) and "\0" not in text and len(text) <= MAX_IDENTIFIER


def gone(task_id: str) -> Result:
    return Result(task_id, Outcome.LEFT_OUT, not_there_words())


def not_there_words(target_kind: str = "task") -> str:
    """Why nothing is done to a target that `find` does not answer."""
    match target_kind:
        case "worker":
            return _("There is no such worker, or not any more")
        case "task_id":
            return _("There is no such task among those that you may see")
        case "queue":
            return _("There is no such queue, or not any more")
        case "failure":
            return _("There is no such group of failures")
        case "task_name":
            return _("No worker that is known has registered a task of this name")
        case "schedule":
            return _("There is no such schedule, or not any more")
        case "stamp":
            return _("A stamp is a header and its value (tenant=acme), for users who may see all tasks")
        case _:
            return _("There is no such task, or not any more")
