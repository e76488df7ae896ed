"""Tasks that were sent and that no worker has yet."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from ..models import Task
from .visibility import Visibility

#: Up to here they are counted.
MOST = 10_000


@dataclass(frozen=True)
class Waiting:
    """How many tasks wait, in how many queues; `at_least`: more than were counted.

    `by_broker`: the messages that the broker counted; else the tasks that were sent and not received, as events tell.
    """

    number: int
    queues: int
    at_least: bool = False
    by_broker: bool = False


def pending(visibility: Visibility) -> QuerySet[Task]:
    """Tasks of state PENDING, unordered: known only where ``task-sent`` events are on, none elsewhere."""
    return visibility.limit(Task.objects.filter(state="PENDING")).order_by()
