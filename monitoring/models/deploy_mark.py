"""When something was deployed: drawn on charts."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DeployMark(models.Model):
    """A moment and a word for it, such as a version. Written by ``control/marks.py``."""

    at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)
    label = models.CharField(_("label"), max_length=100)

    class Meta:
        verbose_name = _("deploy mark")
        verbose_name_plural = _("deploy marks")
        default_permissions = ("add",)

    def __str__(self) -> str:
        return f"{self.label} {self.at:%Y-%m-%d %H:%M}"
