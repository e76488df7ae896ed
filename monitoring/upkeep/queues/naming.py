"""Which queues there are: whatever names one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import celery

from monitoring.models import Queue, Task, Worker

#: Newest tasks whose queues count as named by their sending.
NEWEST = 2_000
#: Queues that are read at most.
MOST = 500
#: How long a queue that nothing names any more is still read.
KEPT = timedelta(days=7)


def named_queues(
    using: str, app: celery.Celery, workers: Iterable[Worker], now: datetime
) -> Mapping[str, set[str]]:
    """By name who names it now: ``worker``, ``configuration``, ``sent``; nobody for those named in the last days.

    Cost: the newest NEWEST tasks by the index of the list, and the table of queues.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for name in (*app.amqp.queues.keys(), app.conf.task_default_queue):
        found[str(name)].add("configuration")
    for worker in workers:
        for name in worker.queues or ():
            found[str(name)].add("worker")
    newest = Task.objects.using(using).order_by("-first_seen", "-task_id").values("queue")[:NEWEST]
    for name in {row["queue"] for row in newest if row["queue"]}:
        found[name].add("sent")
    for name in Queue.objects.using(using).filter(named_at__gt=now - KEPT).values_list("pk", flat=True):
        found.setdefault(name, set())
    # Those that something names first; the rest by name.
    kept = sorted(found, key=lambda name: (not found[name], name))[:MOST]
    return {name: found[name] for name in kept}
