"""What runs on a clock, and how it went."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class UpkeepJob(models.Model):
    """One row per job of ``upkeep/``: its last run, how it ended, and when it is due again."""

    name = models.CharField(_("name"), max_length=50, primary_key=True)
    started_at = models.DateTimeField(_("last started"), null=True)
    finished_at = models.DateTimeField(_("last finished"), null=True)
    duration = models.FloatField(_("duration"), null=True, help_text=_("Seconds of the last run."))
    succeeded = models.BooleanField(_("succeeded"), null=True)
    outcome = models.TextField(
        _("outcome"), blank=True, help_text=_("What the last run did, or why it failed.")
    )
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    due_at = models.DateTimeField(_("due"), null=True)

    class Meta:
        verbose_name = _("upkeep job")
        verbose_name_plural = _("upkeep jobs")
        ordering = ["name"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.name
