"""What deleted tasks still count for, until the minutes that they were counted in are frozen."""

from __future__ import annotations

from django.db import models

from .fields import IdentifierField


class StatisticDeletion(models.Model):
    """The end of a deleted task, or one of its retries: what a recount of its minute would lack otherwise.

    `outcome` is the state that the task ended in, or RETRY; `tie` that of the retry's event, 0 for an end.
    """

    task_id = IdentifierField()
    at = models.DateTimeField()
    outcome = models.CharField(max_length=8)
    tie = models.BigIntegerField(default=0)
    name = IdentifierField(default="")
    queue = IdentifierField(default="")
    worker = IdentifierField(default="")
    exception_type = IdentifierField(default="")
    fingerprint = IdentifierField(default="", db_default="")
    runtime = models.FloatField(null=True)
    wait = models.FloatField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            # A task that a redelivery brings back and that is deleted again counts once.
            models.UniqueConstraint(
                fields=["task_id", "at", "outcome", "tie"], name="monitoring_statistic_deletion_once"
            )
        ]
        # The recount of a minute, and what is old enough to be frozen.
        indexes = [models.Index(fields=["at"], name="monitoring_deletion_by_time")]

    def __str__(self) -> str:
        return f"{self.outcome} {self.task_id}"
