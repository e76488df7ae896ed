"""What one user chose for the task list: columns in their order, and the view that it opens with."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class TaskListChoice(models.Model):
    """One row per user who chose anything. Empty means: as at first."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, verbose_name=_("user"), related_name="+"
    )
    columns = models.JSONField(_("columns"), default=list)
    default_view = models.CharField(
        _("default view"),
        max_length=50,
        blank=True,
        help_text=_("Key of a shipped view, or id of a saved one."),
    )

    class Meta:
        verbose_name = _("choice for the task list")
        verbose_name_plural = _("choices for the task list")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)
