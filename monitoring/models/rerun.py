"""Which task was run again as which."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import IdentifierField


class Rerun(models.Model):
    """One row for each task that was sent again under a new id; written before it is sent.

    A retry is no rerun: it keeps its id. Refers to tasks by id alone, since it may be there before the new task's first
    event, and outlives both.
    """

    task_id = IdentifierField(_("new task id"), primary_key=True)
    rerun_of = IdentifierField(_("rerun of"))
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("rerun")
        verbose_name_plural = _("reruns")
        default_permissions = ()
        # Serves the page of a task, and the look whether it was run again already.
        indexes = [models.Index(fields=["rerun_of"], name="monitoring_rerun_of")]

    def __str__(self) -> str:
        return f"{self.rerun_of} {self.task_id}"
