"""The live monitor's place in the admin: a page without a table of its own."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Monitor(models.Model):
    """No rows, no table: it gives the page a name, an address and a permission (``monitoring.view_monitor``)."""

    class Meta:
        managed = False
        verbose_name = _("live monitor")
        verbose_name_plural = _("live monitor")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
