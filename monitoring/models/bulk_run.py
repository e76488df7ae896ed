"""A verb at work on many tasks, chunk by chunk."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from .audit_entry import AuditEntry


class RunState(models.TextChoices):
    ASKED = "asked", _("not confirmed")
    RUNNING = "running", _("running")
    STOPPED = "stopped", _("stopped")
    DONE = "done", _("done")


class BulkRun(models.Model):
    """What was asked, and how far it is. Only a request of its user moves it on (``control/bulk.py``).

    It acts on tasks that matched when it was asked: those of `task_ids`, or those that match `query` (all tasks where
    it is empty) and were first seen up to `asked_at`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user_id = models.TextField(_("user id"))
    verb = models.CharField(_("verb"), max_length=50)
    parameters = models.JSONField(_("parameters"), default=dict)
    reason = models.TextField(_("reason"), blank=True)
    asked_at = models.DateTimeField(_("asked"))
    task_ids = models.JSONField(_("task ids"), null=True)
    query = models.TextField(_("filter"), blank=True)
    dry_run = models.JSONField(_("dry run"), default=dict)

    state = models.CharField(_("state"), max_length=10, choices=RunState, default=RunState.ASKED)
    words = models.TextField(_("in words"), blank=True, help_text=_("Why it stopped."))
    chunks = models.PositiveIntegerField(_("chunks done"), default=0)
    place = models.TextField(_("place"), blank=True, help_text=_("Where the next chunk begins."))
    claimed_until = models.DateTimeField(null=True, help_text=_("A chunk is under way, up to then."))
    done = models.PositiveBigIntegerField(_("done"), default=0)
    left_out = models.PositiveBigIntegerField(_("left out"), default=0)
    failed = models.PositiveBigIntegerField(_("failed"), default=0)
    seconds = models.FloatField(_("seconds"), default=0.0, help_text=_("That it acted."))
    audit = models.ForeignKey(AuditEntry, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("bulk run")
        verbose_name_plural = _("bulk runs")
        default_permissions = ()
        # Serves the trimming of old runs, and a user's runs that are under way.
        indexes = [models.Index(fields=["user_id", "asked_at"], name="monitoring_run_by_user")]

    def __str__(self) -> str:
        return f"{self.verb} {self.pk}"


class BulkChunk(models.Model):
    """The result of each task of one chunk: ``[[task id, outcome, words], ...]``."""

    run = models.ForeignKey(BulkRun, models.CASCADE, related_name="results")
    number = models.PositiveIntegerField(_("number"))
    results = models.JSONField(_("results"), default=list)

    class Meta:
        verbose_name = _("chunk of a bulk run")
        verbose_name_plural = _("chunks of bulk runs")
        ordering = ["number"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="monitoring_chunk_once")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.number}"
