"""The log of workers coming and going."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import IdentifierField


class WorkerEvent(models.Model):
    """One ``worker-online`` or ``worker-offline``, exactly once: the primary key is the event's identity.

    A worker also says that it is online when it has lost its broker and found it again. A process that has just begun
    has processed nothing yet, which tells the two apart.
    """

    pk = models.CompositePrimaryKey("hostname", "timestamp", "type", "tie")
    hostname = IdentifierField(_("host name"))
    timestamp = models.DateTimeField(_("time"), help_text=_("By the worker's clock."))
    type = IdentifierField(_("type"))
    tie = models.BigIntegerField(editable=False)
    pid = models.BigIntegerField(_("process id"), null=True)
    processed = models.BigIntegerField(_("processed"), null=True, help_text=_("Tasks since it started."))

    class Meta:
        verbose_name = _("worker event")
        verbose_name_plural = _("worker events")
        default_permissions = ()
        indexes = [
            # Restarts of all workers since some time; upkeep deletes the oldest.
            models.Index(fields=["timestamp"], name="monitoring_worker_event_time"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.hostname}"
