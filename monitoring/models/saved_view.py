"""A search of the task list that somebody keeps under a name."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

#: Longest query string that is kept: what browsers and servers take in an address.
MAX_QUERY = 4_000


class SavedView(models.Model):
    """Search, filters, sort and columns as the list's address has them, without the place in the list."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("owner"), related_name="+"
    )
    name = models.CharField(_("name"), max_length=100)
    query = models.TextField(_("query"), blank=True, max_length=MAX_QUERY)
    shared = models.BooleanField(_("shared"), default=False, help_text=_("Everybody who sees tasks sees it."))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name", "pk"]
        default_permissions = ()
        permissions = [("share_savedview", _("Can share saved views"))]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="monitoring_view_name_once")]

    def __str__(self) -> str:
        return self.name
