"""How a worker did, minute by minute."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import IdentifierField


class WorkerSample(models.Model):
    """One minute of one host name: the join of the heartbeats of that minute (``ingest/worker_samples.py``).

    `active` to `load_15` are what the first of them said, the other columns extremes over all of them, so that
    heartbeats that come late, again or in another order give the same row. `events` is added by upkeep.
    """

    pk = models.CompositePrimaryKey("hostname", "minute")
    hostname = IdentifierField(_("host name"))
    minute = models.DateTimeField(_("minute"), help_text=_("Its beginning, by the worker's clock."))

    first_ts = models.BigIntegerField(null=True, editable=False)
    first_tie = models.BigIntegerField(null=True, editable=False)
    active = models.BigIntegerField(_("active"), null=True, help_text=_("Tasks that it ran."))
    processed = models.BigIntegerField(_("processed"), null=True, help_text=_("Tasks since it started."))
    load_1 = models.FloatField(_("load average over 1 minute"), null=True)
    load_5 = models.FloatField(_("load average over 5 minutes"), null=True)
    load_15 = models.FloatField(_("load average over 15 minutes"), null=True)

    most_active = models.BigIntegerField(_("most active"), null=True)
    # Two processes under one name: these differ, minute after minute.
    least_pid = models.BigIntegerField(_("least process id"), null=True)
    greatest_pid = models.BigIntegerField(_("greatest process id"), null=True)
    clock_skew = models.FloatField(
        _("clock skew"),
        null=True,
        help_text=_(
            "Seconds from a heartbeat's own time to its receipt, at least; below zero: the clock is ahead."
        ),
    )
    events = models.PositiveBigIntegerField(
        _("events"), default=0, help_text=_("Of tasks, stored in this minute by the monitor's clock.")
    )

    class Meta:
        verbose_name = _("worker sample")
        verbose_name_plural = _("worker samples")
        default_permissions = ()
        indexes = [
            # The list of workers reads the newest minutes of all of them; upkeep deletes the oldest.
            models.Index(fields=["minute"], name="monitoring_sample_minute"),
        ]

    def __str__(self) -> str:
        return f"{self.hostname} {self.minute:%Y-%m-%d %H:%M}"
