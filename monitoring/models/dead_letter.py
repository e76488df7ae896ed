"""What came from the event exchange and could not be decoded or stored."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class DeadLetter(models.Model):
    """Why, how large and which digest, never the body: it may hold secrets, and it is not redacted."""

    received_at = models.DateTimeField(_("received"), db_index=True)
    reason = models.TextField(_("reason"))
    size = models.PositiveBigIntegerField(_("size"), help_text=_("Bytes of the body."))
    digest = models.CharField(_("SHA-256"), max_length=64)
    content_type = models.TextField(_("content type"), blank=True)
    routing_key = models.TextField(_("routing key"), blank=True)
    headers = models.JSONField(_("headers"), default=dict)

    class Meta:
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        ordering = ["-received_at", "-pk"]
        default_permissions = ("view",)
        # Whether a message that was delivered again has been stored before.
        indexes = [models.Index(fields=["digest"], name="monitoring_deadletter_digest")]

    def __str__(self) -> str:
        return self.reason
