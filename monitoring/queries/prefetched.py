"""Tasks that workers hold and have not started yet."""

from __future__ import annotations

from collections import Counter

from ..models import Task
from ..models.task import State
from .visibility import Visibility

#: Up to here they are counted.
MOST = 10_000


def prefetched(visibility: Visibility) -> dict[tuple[str, str], int]:
    """How many, by host name of the worker and task name; those that wait for their ETA are not among them.

    Nothing for a user whose visibility is limited. Cost: the tasks of state RECEIVED by the index of states, MOST of
    them; workers prefetch a few for each process.
    """
    if not visibility.is_everything:
        return {}
    held = Task.objects.filter(state=State.RECEIVED, eta__isnull=True, worker__isnull=False)
    pairs = held.order_by("-first_seen").values_list("worker", "name")[:MOST]
    return Counter((str(worker), name or "") for worker, name in pairs)
