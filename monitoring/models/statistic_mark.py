"""Which minutes have to be counted anew. Appended by consumers, taken by upkeep."""

from __future__ import annotations

from django.db import models

from .fields import IdentifierField


class StatisticMark(models.Model):
    """A minute that a batch touched, or a task whose retries were counted by what a batch has changed.

    One of the two is set. Nothing is unique: consumers that append never wait for each other.
    """

    minute = models.DateTimeField(null=True)
    task_id = IdentifierField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.minute or self.task_id)
