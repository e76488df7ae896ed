"""How many events there were of each kind: exact, monotone, and kept when the tasks are gone."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import IdentifierField


class EventCount(models.Model):
    """What both tables of counts hold: events of one kind by task name, sender, queue and exception type.

    Unknown is the empty text. `runtime_*` are set for ``task-succeeded`` and `wait_*` (seconds in the queue) for
    ``task-started``, as a sum and as counts in the buckets of ``ingest/buckets.py``. `newest_ts` (microseconds since
    the epoch) is the time of the newest success or failure, and of the newest start whose `prefetch`, the seconds for
    which the worker had held the task, is known: a task without an ETA.
    """

    type = IdentifierField(_("type"))
    name = IdentifierField(_("task name"))
    worker = IdentifierField(_("worker"))
    queue = IdentifierField(_("queue"))
    exception_type = IdentifierField(_("exception type"))
    count = models.PositiveBigIntegerField(_("count"))
    runtime_sum = models.FloatField(_("run time"), default=0.0)
    runtime_buckets = models.JSONField(_("run time buckets"), null=True)
    wait_sum = models.FloatField(_("queue wait"), default=0.0)
    wait_buckets = models.JSONField(_("queue wait buckets"), null=True)
    newest_ts = models.BigIntegerField(_("newest"), null=True)
    prefetch = models.FloatField(_("prefetch time"), null=True)

    class Meta:
        abstract = True


class EventDelta(EventCount):
    """Counts that one batch adds; appended by consumers, which never wait for each other, and folded by upkeep.

    `task_id` is set while the task's name is not known yet: upkeep waits a minute for it.
    """

    task_id = IdentifierField(_("task id"), null=True)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("event delta")
        verbose_name_plural = _("event deltas")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.type} {self.name} +{self.count}"


class EventTotal(EventCount):
    """All events of one kind, name, sender, queue and exception type since the monitor was installed.

    `created_at` and `updated_at` are when the first and the newest of them were stored.
    """

    created_at = models.DateTimeField(_("created"))
    updated_at = models.DateTimeField(_("updated"))

    class Meta:
        verbose_name = _("event total")
        verbose_name_plural = _("event totals")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["type", "name", "worker", "queue", "exception_type"],
                name="monitoring_event_total_unique",
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.name}: {self.count}"
