"""What happened in each minute, hour and day: kept when the tasks it was counted from are gone."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import IdentifierField
from .task import State

#: The column that counts each outcome.
OUTCOMES: dict[str, str] = {
    State.SUCCESS: "succeeded",
    State.FAILURE: "failed",
    State.REVOKED: "revoked",
    State.REJECTED: "rejected",
    State.LOST: "lost",
    State.RETRY: "retried",
}


class Grain(models.IntegerChoices):
    """What one row of statistics tells of. Each task is counted once in each grain."""

    ALL = 0, _("all tasks")
    TASK = 1, _("a task name and queue")
    QUEUE = 2, _("a queue")
    WORKER = 3, _("a worker")


class Statistic(models.Model):
    """The tasks that ended in the `step` seconds from `start` on, and the attempts that were retried in them.

    Steps of 60 seconds are counted from the tasks; those of five minutes, an hour, six hours and a day (UTC) are sums
    of the ones below. Columns that the grain does not tell of, and what is not known, are empty texts. `runtimes` and
    `waits` are histograms (log_histogram.py) of the tasks that ended, and the sums beside them are in microseconds.
    """

    grain = models.PositiveSmallIntegerField(_("grain"), choices=Grain)
    step = models.PositiveIntegerField(_("step"), help_text=_("Seconds."))
    start = models.DateTimeField(_("start"))
    name = IdentifierField(_("task name"), default="")
    queue = IdentifierField(_("queue"), default="")
    worker = IdentifierField(_("worker"), default="")

    succeeded = models.PositiveBigIntegerField(_("succeeded"), default=0)
    failed = models.PositiveBigIntegerField(_("failed"), default=0)
    revoked = models.PositiveBigIntegerField(_("revoked"), default=0)
    rejected = models.PositiveBigIntegerField(_("rejected"), default=0)
    lost = models.PositiveBigIntegerField(_("lost"), default=0)
    retried = models.PositiveBigIntegerField(_("retried"), default=0)

    runtime_count = models.PositiveBigIntegerField(default=0)
    runtime_sum = models.PositiveBigIntegerField(default=0)
    runtimes = models.BinaryField(default=b"")
    wait_count = models.PositiveBigIntegerField(default=0)
    wait_sum = models.PositiveBigIntegerField(default=0)
    waits = models.BinaryField(default=b"")

    frozen = models.BooleanField(
        default=False, help_text=_("Of a minute's row for all tasks: the minute is never counted again.")
    )

    class Meta:
        verbose_name = _("statistics")
        verbose_name_plural = _("statistics")
        default_permissions = ("view",)
        constraints = [
            # Every question: one grain, one step, a range of time; and the job's, which replaces whole buckets.
            models.UniqueConstraint(
                fields=["grain", "step", "start", "name", "queue", "worker"],
                name="monitoring_statistic_unique",
            )
        ]

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} +{self.step} s {self.name}{self.worker}"
