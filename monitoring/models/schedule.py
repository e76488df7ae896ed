"""The schedules' place in the admin, and what upkeep has found out about them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import IdentifierField


class Schedule(models.Model):
    """No rows, no table: it gives the page a name, an address and permissions. What is scheduled stands elsewhere."""

    class Meta:
        managed = False
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")
        default_permissions = ("view",)
        permissions = [("run_schedule", _("Can switch schedules on and off and run them now"))]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)


class ScheduleWatch(models.Model):
    """Up to where a schedule has been judged. One row for each that is on.

    `definition` is what its times were then: a schedule that was changed is judged anew. `reference` is when it was
    last sent, or first watched.
    """

    name = IdentifierField(_("name"), primary_key=True)
    definition = models.TextField(_("definition"))
    reference = models.DateTimeField(_("reference"))

    class Meta:
        verbose_name = _("schedule watch")
        verbose_name_plural = _("schedule watches")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.name)


class MissedRuns(models.Model):
    """Runs of one schedule that were due one after the other and not sent in time.

    `count` is how many were not sent at all. `came_at` is when the next one was sent after all, `late` seconds after
    its time. Null: nothing has been sent since, or the schedule was switched off or changed before something was.
    """

    name = IdentifierField(_("schedule"))
    task = IdentifierField(_("task"))
    first_due = models.DateTimeField(_("first due"))
    newest_due = models.DateTimeField(_("newest due"))
    count = models.PositiveIntegerField(_("missed"))
    noticed_at = models.DateTimeField(_("noticed"))
    came_at = models.DateTimeField(_("came"), null=True)
    late = models.FloatField(_("late"), null=True, help_text=_("Seconds."))

    class Meta:
        verbose_name = _("missed runs")
        verbose_name_plural = _("missed runs")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["name", "first_due"], name="monitoring_missed_runs_once")
        ]
        # Those of the last day, on the page.
        indexes = [models.Index(fields=["newest_due"], name="monitoring_missed_runs_due")]

    def __str__(self) -> str:
        return f"{self.name} {self.first_due:%Y-%m-%d %H:%M:%S}"
