"""Rows as the consumer would have written them, made directly."""

from __future__ import annotations

import itertools
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.utils import timezone

from monitoring.models import DeadLetter, FailureGroup, FailureSighting, Gap, Queue, Task, TaskEvent, Worker
from monitoring.time_steps import MINUTE, start_of
from monitoring.upkeep.statistics.counting import count_minutes
from monitoring.upkeep.statistics.storing import store_buckets

_ties = itertools.count(1)


def make_task(task_id: str | None = None, using: str = "default", **fields: Any) -> Task:
    """A task that succeeded a moment ago, unless told otherwise."""
    first_seen: datetime = fields.pop("first_seen", None) or timezone.now() - timedelta(minutes=3)
    defaults: dict[str, Any] = {
        "name": "shop.tasks.send_email",
        "state": "SUCCESS",
        "worker": "celery@web-1",
        "queue": "default",
        "args": "(48213,)",
        "kwargs": "{'template': 'order_shipped'}",
        "runtime": 0.24,
        "retries": 0,
        "updated_at": first_seen + timedelta(minutes=1),
    }
    return Task.objects.using(using).create(
        task_id=task_id or str(uuid.uuid4()), first_seen=first_seen, **{**defaults, **fields}
    )


def make_event(
    task: Task,
    kind: str,
    after: float = 0,
    worker: str = "celery@web-1",
    using: str = "default",
    **payload: Any,
) -> TaskEvent:
    """An event `after` seconds after the task was first seen."""
    return TaskEvent.objects.using(using).create(
        task_id=task.task_id,
        timestamp=task.first_seen + timedelta(seconds=after),
        type=kind,
        tie=next(_ties),
        worker=worker,
        clock=next(_ties),
        payload=payload,
    )


def make_worker(hostname: str = "celery@web-1", using: str | None = None, **fields: Any) -> Worker:
    now = timezone.now()
    defaults: dict[str, Any] = {
        "online": True,
        "first_seen": now - timedelta(days=6),
        "started_at": now - timedelta(days=6, hours=4),
        "last_heartbeat": now,
        "frequency": 2.0,
        "active": 3,
        "processed": 1_204_331,
        "load_average": [3.1, 2.9, 2.5],
        "software": "py-celery 5.7.0 Linux",
        "pid": 4121,
        "pool": "prefork",
        "concurrency": 16,
        "queues": ["default"],
        "inspected_at": now - timedelta(minutes=5),
    }
    return Worker.objects.using(using).create(hostname=hostname, **{**defaults, **fields})


def make_queue(name: str = "default", using: str | None = None, **fields: Any) -> Queue:
    """A queue that was read a moment ago."""
    now = timezone.now()
    known = {"exists": True, "ready": 0, "first_seen": now, "named_at": now, "read_at": now}
    return Queue.objects.using(using).create(name=name, **{**known, **fields})


def make_dead_letter(**fields: Any) -> DeadLetter:
    defaults: dict[str, Any] = {
        "received_at": timezone.now(),
        "reason": "not JSON: JSONDecodeError",
        "size": 1234,
        "digest": "ab" * 32,
        "content_type": "application/json",
        "routing_key": "task.multi",
        "headers": {"hostname": "celery@web-1"},
    }
    return DeadLetter.objects.create(**{**defaults, **fields})


def make_failure_group(fingerprint: str = "f" * 16, queue: str = "default", **fields: Any) -> FailureGroup:
    """A group that was seen once, a while ago, in one queue; it has no statistics."""
    at = timezone.now() - timedelta(hours=2)
    defaults = {"name": "shop.pay", "exception_type": "KeyError", "first_seen": at, "last_seen": at}
    FailureSighting.objects.create(
        fingerprint=fingerprint, queue=queue, worker="celery@web-1", first_seen=at, last_seen=at
    )
    return FailureGroup.objects.create(fingerprint=fingerprint, **{**defaults, **fields})


def make_gap(**fields: Any) -> Gap:
    now = timezone.now()
    defaults: dict[str, Any] = {
        "started_at": now - timedelta(minutes=10),
        "ended_at": now - timedelta(minutes=3),
        "reason": "no consumer was connected",
    }
    return Gap.objects.create(**{**defaults, **fields})


def count_statistics(using: str = "default") -> None:
    """Count every minute in which a task ended or was retried, as upkeep does."""
    ended = Task.objects.using(using).filter(finished_at__isnull=False).values_list("finished_at", flat=True)
    retried = TaskEvent.objects.using(using).filter(type="task-retried").values_list("timestamp", flat=True)
    minutes = {start_of(moment, MINUTE) for moment in [*ended, *retried] if moment is not None}
    with transaction.atomic(using=using):
        store_buckets(using, count_minutes(using, minutes))


def make_user(username: str = "viewer", *permissions: str, is_staff: bool = True) -> User:
    """A user with permissions by codename of this app, such as ``view_task``."""
    user = User.objects.create_user(username, password=username, is_staff=is_staff)
    found = Permission.objects.filter(content_type__app_label="monitoring", codename__in=permissions)
    assert {permission.codename for permission in found} == set(permissions)
    user.user_permissions.set(found)
    return user


VIEWER_PERMISSIONS = (
    "view_apitoken",
    "view_failures",
    "view_monitor",
    "view_task",
    "view_payload",
    "view_worker",
    "view_deadletter",
    "view_gap",
    "view_schedule",
    "view_config",
    "view_statistic",
    "view_queue",
)
