"""What was answered to a request that must not be done twice."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class IdempotencyKey(models.Model):
    """Written before anything is done, so that of two requests with one key one does it; the answer comes afterwards.

    Kept for a day. Without an answer its request is under way, or its process ended in the middle.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"), related_name="+"
    )
    key = models.CharField(_("key"), max_length=255)
    digest = models.CharField(_("digest"), max_length=64, help_text=_("SHA-256 of address and body."))
    at = models.DateTimeField(_("when"), db_index=True)
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    #: The text of its JSON.
    content = models.JSONField(_("answer"), null=True)

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="monitoring_key_once")]

    def __str__(self) -> str:
        return self.key
