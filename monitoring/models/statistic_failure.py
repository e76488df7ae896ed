"""What tasks failed with, beside the statistics."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import IdentifierField


class StatisticFailure(models.Model):
    """How many tasks of one name and queue failed alike in the `step` seconds from `start` on.

    The counts of a bucket add up to the `failed` of its `Statistic`. Unknown is the empty text.
    """

    step = models.PositiveIntegerField(_("step"), help_text=_("Seconds."))
    start = models.DateTimeField(_("start"))
    name = IdentifierField(_("task name"), default="")
    queue = IdentifierField(_("queue"), default="")
    exception_type = IdentifierField(_("exception type"), default="")
    fingerprint = IdentifierField(_("fingerprint"), default="", db_default="")
    count = models.PositiveBigIntegerField(_("count"), default=0)

    class Meta:
        verbose_name = _("statistics of failures")
        verbose_name_plural = _("statistics of failures")
        default_permissions = ()
        constraints = [
            # The most failing tasks, and exceptions by window; and the job's, which replaces whole buckets.
            models.UniqueConstraint(
                fields=["step", "start", "name", "queue", "exception_type", "fingerprint"],
                name="monitoring_statistic_failure_unique",
            )
        ]
        # The history of one group of failures.
        indexes = [models.Index(fields=["fingerprint", "step", "start"], name="monitoring_failure_history")]

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} +{self.step} s {self.name} {self.exception_type}"
