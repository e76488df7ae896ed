"""A bearer token of the API and of the metrics."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ApiToken(models.Model):
    """Lets a program act as a user, narrowed to `scopes`. The token itself is kept nowhere, only its digest.

    What it may do is what its scopes and its user's permissions have in common at that moment, and it sees what its
    user sees (``MONITORING["VISIBILITY"]``). It ends with its user, when it expires, or when it is revoked.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"), related_name="+"
    )
    name = models.CharField(_("name"), max_length=100, help_text=_("Of the program that uses it."))
    prefix = models.CharField(
        _("prefix"), max_length=16, unique=True, help_text=_("How the token begins, to tell it by.")
    )
    digest = models.CharField(
        _("digest"), max_length=64, editable=False, help_text=_("SHA-256 of the token.")
    )
    scopes = models.JSONField(_("scopes"), default=list, help_text=_("Permissions: monitoring.view_task ..."))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(
        _("last used"), null=True, editable=False, help_text=_("To a minute.")
    )
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created_at", "-pk"]
        default_permissions = ("view", "add")
        permissions = [("manage_apitoken", _("Can see and revoke everybody's API tokens"))]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def has_ended(self, now: datetime | None = None) -> bool:
        """Whether it was revoked or has expired."""
        now = now or timezone.now()
        return self.revoked_at is not None or (self.expires_at is not None and self.expires_at <= now)
