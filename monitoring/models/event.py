"""The log of task events, one row per event. What attempts and the timeline are read from."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import IdentifierField, WrittenJSONField


class TaskEvent(models.Model):
    """One event of one task, exactly once: the primary key is the event's identity, so a redelivery changes nothing.

    On PostgreSQL the table is partitioned by day of `timestamp` (models/partitions.py).
    """

    pk = models.CompositePrimaryKey("task_id", "timestamp", "type", "tie")
    task_id = IdentifierField(_("task id"))
    timestamp = models.DateTimeField(
        _("time"), help_text=_("When the sender sent it, by the sender's clock.")
    )
    type = IdentifierField(_("type"), help_text=_("As Celery names it, such as task-started."))
    tie = models.BigIntegerField(
        editable=False, help_text=_("Digest that tells events of one instant apart.")
    )
    worker = IdentifierField(_("worker"), help_text=_("Host name of the sender; a client for task-sent."))
    clock = models.BigIntegerField(_("logical clock"), null=True)
    payload = WrittenJSONField(
        _("payload"),
        default=dict,
        help_text=_("Every other field of the event; of a sending or receipt all but args and kwargs."),
    )

    class Meta:
        verbose_name = _("task event")
        verbose_name_plural = _("task events")
        default_permissions = ("view",)
        indexes = [
            # The retries of a minute, for its statistics. Partial: all other events cost nothing here.
            models.Index(
                fields=["timestamp"],
                name="monitoring_event_retried",
                condition=models.Q(type="task-retried"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.task_id}"
