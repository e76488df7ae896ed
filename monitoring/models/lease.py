"""Who may do what only one process may do at a time."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Lease(models.Model):
    """One row per thing that one process holds: ``upkeep``, and ``consume`` where a broker keeps nothing for us.

    A holder renews it well before `expires_at`, by the database's clock; after that anybody may take it.
    """

    name = models.CharField(_("name"), max_length=50, primary_key=True)
    holder = models.TextField(_("holder"), blank=True, help_text=_("Id of the consumer; empty: nobody."))
    acquired_at = models.DateTimeField(_("acquired"), null=True)
    expires_at = models.DateTimeField(_("expires"), null=True)

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder or '-'}"
