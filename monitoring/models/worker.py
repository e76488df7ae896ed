"""A worker, by host name: what its heartbeats and its answers to inspection say."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import IdentifierField


class Worker(models.Model):
    """One row per host name (``celery@web-1``). Events fill it by merge rules; `inspected_at` dates the rest."""

    hostname = IdentifierField(_("host name"), primary_key=True)

    # Derived from the registers.
    online = models.BooleanField(_("online"), default=False)
    last_heartbeat = models.DateTimeField(_("last heartbeat"), null=True)
    started_at = models.DateTimeField(_("started"), null=True)
    stopped_at = models.DateTimeField(_("stopped"), null=True)

    first_seen = models.DateTimeField(_("first seen"))
    beat_ts = models.BigIntegerField(null=True, editable=False)
    beat_tie = models.BigIntegerField(null=True, editable=False)
    pid = models.BigIntegerField(_("process id"), null=True)
    clock = models.BigIntegerField(_("logical clock"), null=True)
    software = models.TextField(_("software"), null=True)
    load_ts = models.BigIntegerField(null=True, editable=False)
    load_tie = models.BigIntegerField(null=True, editable=False)
    frequency = models.FloatField(
        _("heartbeat interval"), null=True, help_text=_("Seconds between heartbeats.")
    )
    active = models.BigIntegerField(_("active"), null=True, help_text=_("Tasks that it runs now."))
    processed = models.BigIntegerField(_("processed"), null=True, help_text=_("Tasks since it started."))
    load_average = models.JSONField(_("load average"), null=True, help_text=_("Over 1, 5 and 15 minutes."))
    start_ts = models.BigIntegerField(null=True, editable=False)
    start_tie = models.BigIntegerField(null=True, editable=False)
    stop_ts = models.BigIntegerField(null=True, editable=False)
    stop_tie = models.BigIntegerField(null=True, editable=False)

    # What upkeep finds out.
    silent_ts = models.BigIntegerField(null=True, editable=False)
    silent_tie = models.BigIntegerField(null=True, editable=False)
    failed = models.PositiveBigIntegerField(_("failed"), null=True, help_text=_("Failed tasks, all in all."))
    clock_skew = models.FloatField(
        _("clock skew"),
        null=True,
        help_text=_(
            "Seconds from its heartbeats' own time to their receipt; well below zero: its clock is ahead."
        ),
    )
    duplicate_pids = models.JSONField(
        _("duplicate process ids"),
        null=True,
        help_text=_("Process ids of several workers that have this name at one time; null: there is one."),
    )
    restarts = models.PositiveIntegerField(
        _("restarts"), default=0, help_text=_("Processes that began in the last 24 hours, beside the first.")
    )

    # From `inspect stats` and `inspect active_queues`.
    pool = models.TextField(_("pool"), null=True)
    concurrency = models.PositiveIntegerField(_("concurrency"), null=True)
    queues = models.JSONField(_("queues"), null=True, help_text=_("Names of the queues that it consumes."))
    up_since = models.DateTimeField(
        _("up since"), null=True, help_text=_("When its process began, by the uptime that it said.")
    )
    inspected_at = models.DateTimeField(_("inspected"), null=True)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        ordering = ["hostname"]
        default_permissions = ("view",)
        permissions = [
            ("control_worker", _("Can change pools, consumers, limits and events of workers")),
            ("shutdown_worker", _("Can shut down workers")),
        ]

    def __str__(self) -> str:
        return str(self.hostname)
