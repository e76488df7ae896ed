"""Queues, as the broker last described them, and their history."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import IdentifierField


class Queue(models.Model):
    """One queue of tasks. Written by the upkeep job `queues` alone; null: the broker does not say.

    `unconsumed_since` is set only while it is certain that nothing consumes it.
    """

    name = IdentifierField(_("name"), primary_key=True)
    exists = models.BooleanField(_("exists"), null=True, help_text=_("Whether the broker knows it."))
    ready = models.PositiveBigIntegerField(_("ready"), null=True, help_text=_("Messages that wait."))
    unacked = models.PositiveBigIntegerField(
        _("unacknowledged"), null=True, help_text=_("Messages that workers have.")
    )
    consumers = models.PositiveIntegerField(
        _("consumers"), null=True, help_text=_("As the broker counts them.")
    )
    publish_rate = models.FloatField(_("published"), null=True, help_text=_("Messages per second."))
    deliver_rate = models.FloatField(_("delivered"), null=True, help_text=_("Messages per second."))
    ack_rate = models.FloatField(_("acknowledged"), null=True, help_text=_("Messages per second."))
    growth = models.FloatField(
        _("growth"), null=True, help_text=_("Messages per second by which what waits has grown lately.")
    )
    oldest_sent_at = models.DateTimeField(
        _("oldest sent"),
        null=True,
        help_text=_("When the message that waits longest was sent, by its event."),
    )
    settings = models.JSONField(
        _("settings"), default=dict, help_text=_("Its arguments, as the broker has them.")
    )
    #: Of "worker", "configuration", "sent", "broker".
    named_by = models.JSONField(_("named by"), default=list)
    workers = models.JSONField(_("workers"), default=list, help_text=_("Online ones that consume it."))
    unconsumed_since = models.DateTimeField(_("unconsumed since"), null=True)
    last_worker = IdentifierField(
        _("last worker"), default="", help_text=_("That consumed it, and no longer does.")
    )
    last_worker_at = models.DateTimeField(_("last consumed"), null=True)
    first_seen = models.DateTimeField(_("first seen"))
    named_at = models.DateTimeField(_("last named"), help_text=_("When anything last named it."))
    read_at = models.DateTimeField(_("read"), null=True)

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        ordering = ["name"]
        default_permissions = ("view",)
        permissions = [("purge_queue", _("Can delete messages that wait in queues"))]

    def __str__(self) -> str:
        return str(self.name)


class QueueSample(models.Model):
    """What was read of a queue in `step` seconds from `start` on: minutes, kept for a week, and hours for a year."""

    pk = models.CompositePrimaryKey("name", "step", "start")
    name = IdentifierField(_("name"))
    step = models.PositiveIntegerField(_("step"), help_text=_("Seconds: 60 or 3600."))
    start = models.DateTimeField(_("start"))
    readings = models.PositiveIntegerField(_("readings"), default=0)
    ready_sum = models.PositiveBigIntegerField(default=0)
    ready_most = models.PositiveBigIntegerField(_("most ready"), default=0)
    ready_last = models.PositiveBigIntegerField(_("last ready"), default=0)
    unacked_sum = models.PositiveBigIntegerField(null=True)
    consumers_least = models.PositiveIntegerField(null=True)

    class Meta:
        verbose_name = _("queue sample")
        verbose_name_plural = _("queue samples")
        default_permissions = ()
        indexes = [
            # Charts of all queues together, and upkeep, which deletes the oldest.
            models.Index(fields=["step", "start"], name="monitoring_queuesample_start"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.start:%Y-%m-%d %H:%M}"


class Broker(models.Model):
    """The broker, in its one row; null: it does not say. Sizes are in bytes."""

    product = models.TextField(_("product"), blank=True)
    version = models.TextField(_("version"), blank=True)
    address = models.TextField(_("address"), blank=True, help_text=_("Without its password."))
    #: What its adapter can: ``peek``, ``remove``, ``rates``, ``unacked``, ``consumers``, ``listing``.
    abilities = models.JSONField(default=list)
    connections = models.PositiveIntegerField(_("connections"), null=True)
    channels = models.PositiveIntegerField(_("channels"), null=True)
    memory_used = models.PositiveBigIntegerField(_("memory used"), null=True)
    memory_limit = models.PositiveBigIntegerField(_("memory limit"), null=True)
    disk_free = models.PositiveBigIntegerField(_("free disk"), null=True)
    alarms = models.JSONField(_("alarms"), default=list)
    problem = models.TextField(_("problem"), blank=True, help_text=_("Why less is known than could be."))
    error = models.TextField(_("error"), blank=True, help_text=_("Why it could not be read the last time."))
    tried_at = models.DateTimeField(_("tried"), null=True)
    read_at = models.DateTimeField(_("read"), null=True)

    class Meta:
        verbose_name = _("broker")
        verbose_name_plural = _("brokers")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.product} {self.version}".strip()
