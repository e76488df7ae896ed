"""Who did what: one row per use of a verb, and per attempt that was refused."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Ending(models.TextChoices):
    """How a use of a verb ended. STARTED that stays so: its process ended in the middle."""

    STARTED = "started", _("started")
    DONE = "done", _("done")
    PARTLY = "partly", _("partly done")
    NOTHING = "nothing", _("nothing to do")
    STOPPED = "stopped", _("stopped")
    FAILED = "failed", _("failed")
    REFUSED = "refused", _("refused")


class AuditEntry(models.Model):
    """Written before anything is done, so that a crash leaves a trace, and completed afterwards.

    It stands in the default database and refers to users and targets by id and name, never by foreign key: it outlives
    them all. Nothing in the admin changes or deletes it.
    """

    at = models.DateTimeField(_("when"))
    user_id = models.TextField(_("user id"), blank=True, help_text=_("Empty: nobody was signed in."))
    user_name = models.TextField(_("who"), blank=True)
    via = models.CharField(_("via"), max_length=20, default="admin")
    address = models.TextField(_("address"), blank=True, help_text=_("As the web server saw it."))
    verb = models.CharField(_("verb"), max_length=50)
    target_kind = models.CharField(_("kind of target"), max_length=20)
    targets = models.JSONField(_("targets"), default=list, help_text=_("Their ids; the first hundred."))
    target_count = models.PositiveBigIntegerField(_("number of targets"), default=0)
    query = models.TextField(
        _("filter"), blank=True, help_text=_("Of the list, where all that match were meant.")
    )
    parameters = models.JSONField(_("parameters"), default=dict, help_text=_("Without secrets."))
    reason = models.TextField(_("reason"), blank=True)
    ending = models.CharField(_("result"), max_length=10, choices=Ending, default=Ending.STARTED)
    done = models.PositiveBigIntegerField(_("done"), default=0)
    left_out = models.PositiveBigIntegerField(_("left out"), default=0)
    failed = models.PositiveBigIntegerField(_("failed"), default=0)
    words = models.TextField(_("in words"), blank=True, help_text=_("Why it was refused or stopped."))
    results = models.JSONField(
        _("results"), default=list, help_text=_("Target, outcome, words and seconds; the first hundred.")
    )
    answers = models.JSONField(
        _("answers"),
        default=list,
        help_text=_("Of each worker, the last: host name, answer, words, seconds."),
    )
    duration = models.FloatField(_("duration"), null=True, help_text=_("Seconds that it acted."))

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-at", "-pk"]
        default_permissions = ("view",)
        # Serves the audit page. One row per use: any other filter may read on.
        indexes = [models.Index(fields=["-at", "-id"], name="monitoring_audit_list")]

    def __str__(self) -> str:
        return f"{self.user_name}: {self.verb}"
