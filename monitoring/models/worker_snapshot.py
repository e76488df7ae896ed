"""What a worker last answered when it was asked."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import IdentifierField


class Problem(models.TextChoices):
    """Why a question has no answer."""

    SILENT = "silent", _("did not answer in time")
    REFUSED = "refused", _("refused to answer")
    UNREACHABLE = "unreachable", _("could not be asked, since the broker cannot be reached")
    TOO_LARGE = "too large", _("gave an answer that is too large to be kept")


class WorkerSnapshot(models.Model):
    """The newest answer of one worker to one question (``inspection/kinds.py``), redacted and of bounded size.

    `asked_at` dates the newest question that has come to an end, `answered_at` the content; where they differ, the
    worker did not answer since, and `problem` says what happened instead, with its own `words` where it said any.
    """

    pk = models.CompositePrimaryKey("hostname", "kind")
    hostname = IdentifierField(_("host name"))
    kind = IdentifierField(_("kind"))
    content = models.JSONField(_("content"), null=True)
    items = models.PositiveIntegerField(
        _("items"), null=True, help_text=_("Of an answer that is a list: how many it had, before it was cut.")
    )
    asked_at = models.DateTimeField(_("asked"))
    answered_at = models.DateTimeField(_("answered"), null=True)
    problem = models.CharField(_("problem"), max_length=20, choices=Problem, blank=True)
    words = models.TextField(_("words"), blank=True)

    class Meta:
        verbose_name = _("worker snapshot")
        verbose_name_plural = _("worker snapshots")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.hostname}"
