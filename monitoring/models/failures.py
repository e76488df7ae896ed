"""The failures page's place in the admin: a page without a table of its own."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Failures(models.Model):
    """No rows, no table: it gives the page a name, an address and a permission (``monitoring.view_failures``).

    ``monitoring.manage_alerts`` is for those who answer for what goes wrong: they acknowledge, mute, assign and
    annotate groups of failures.
    """

    class Meta:
        managed = False
        verbose_name = _("failures")
        verbose_name_plural = _("failures")
        default_permissions = ("view",)
        permissions = [("manage_alerts", _("Can acknowledge, mute, assign and annotate what goes wrong"))]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
