"""A stretch of time in which events may have passed unrecorded."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Gap(models.Model):
    """From when to when, and why. Pages, API and metrics show it, so that absence is not mistaken for silence."""

    started_at = models.DateTimeField(_("from"))
    ended_at = models.DateTimeField(_("to"))
    reason = models.TextField(_("reason"))

    class Meta:
        verbose_name = _("gap")
        verbose_name_plural = _("gaps")
        ordering = ["-started_at", "-pk"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M:%S} - {self.ended_at:%Y-%m-%d %H:%M:%S}"
