"""A running event consumer, as it reports itself."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Consumer(models.Model):
    """One row per process of ``run_event_consumer``, rewritten about once a second while it runs.

    Counts are since the process started. `horizon` is the time up to which everything it was given is committed; what
    did not happen is judged only up to the least horizon of all consumers that are connected.
    """

    consumer_id = models.CharField(_("id"), max_length=255, primary_key=True)
    hostname = models.TextField(_("host name"))
    pid = models.PositiveIntegerField(_("process id"))
    broker = models.TextField(_("broker"), blank=True, help_text=_("Address without its password."))
    started_at = models.DateTimeField(_("started"))
    reported_at = models.DateTimeField(_("reported"))
    stopped_at = models.DateTimeField(_("stopped"), null=True, help_text=_("Set when it left in good order."))
    connected = models.BooleanField(_("connected"), default=False)
    listening_until = models.DateTimeField(
        _("listening until"), null=True, help_text=_("When it was last seen to be subscribed to the events.")
    )
    events = models.PositiveBigIntegerField(
        _("events"), default=0, help_text=_("Committed, redelivered ones too.")
    )
    batches = models.PositiveBigIntegerField(_("batches"), default=0)
    dropped = models.PositiveBigIntegerField(
        _("dropped"), default=0, help_text=_("Events of no task or worker.")
    )
    dead_letters = models.PositiveBigIntegerField(_("dead letters"), default=0)
    gaps = models.PositiveBigIntegerField(_("gaps"), default=0)
    reconnects = models.PositiveBigIntegerField(_("reconnects"), default=0)
    events_per_second = models.FloatField(_("events per second"), default=0.0)
    batches_per_second = models.FloatField(_("batches per second"), default=0.0)
    batch_seconds = models.FloatField(
        _("batch seconds"), null=True, help_text=_("Time to write the last batch.")
    )
    lag = models.FloatField(_("lag"), null=True, help_text=_("Seconds from the newest event to its commit."))
    queue_length = models.PositiveBigIntegerField(
        _("queue length"), null=True, help_text=_("Messages waiting.")
    )
    horizon = models.DateTimeField(_("horizon"), null=True)
    last_event_at = models.DateTimeField(_("last event"), null=True)
    last_error = models.TextField(_("last error"), blank=True)
    last_error_at = models.DateTimeField(_("last error at"), null=True)

    class Meta:
        verbose_name = _("event consumer")
        verbose_name_plural = _("event consumers")
        ordering = ["-reported_at"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.consumer_id
