"""How a worker did, hour by hour and day by day: kept when the minutes are gone."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import IdentifierField

#: Whoever changes a minute of an hour that has been over for so long marks the hour, and upkeep counts an hour for the
#: first time when it has been over for the other. What lies between is how far the clocks of consumers and database may
#: be apart, and how long a transaction may take.
LATE, SETTLED = timedelta(minutes=5), timedelta(minutes=15)


class WorkerRollup(models.Model):
    """What one host name's samples of `step` seconds from `start` on add up to (worker_figures.py).

    Hours (UTC, by the worker's clock) are counted from the minutes, days added up from hours. A `_sum` is over the
    minutes in which the figure was known, as many as `_count` says; those of load averages and clock skew are in
    millionths.
    """

    pk = models.CompositePrimaryKey("hostname", "step", "start")
    hostname = IdentifierField(_("host name"))
    step = models.PositiveIntegerField(_("step"), help_text=_("Seconds: 3600 or 86400."))
    start = models.DateTimeField(_("start"))

    minutes = models.PositiveIntegerField(_("minutes"), help_text=_("That there were samples of."))
    events_sum = models.BigIntegerField()
    active_count = models.PositiveIntegerField()
    active_sum = models.BigIntegerField()
    most_active = models.BigIntegerField(_("most active"), null=True)
    load_1_count = models.PositiveIntegerField()
    load_1_sum = models.BigIntegerField()
    load_5_count = models.PositiveIntegerField()
    load_5_sum = models.BigIntegerField()
    load_15_count = models.PositiveIntegerField()
    load_15_sum = models.BigIntegerField()
    clock_skew_count = models.PositiveIntegerField()
    clock_skew_sum = models.BigIntegerField()
    done_count = models.PositiveIntegerField()
    done_sum = models.BigIntegerField()

    frozen = models.BooleanField(
        default=False, help_text=_("What it was counted from is deleted: it is never counted again.")
    )

    class Meta:
        verbose_name = _("worker rollup")
        verbose_name_plural = _("worker rollups")
        default_permissions = ()
        indexes = [
            # Upkeep: the newest hour that is counted, the hours of a day, the oldest to delete.
            models.Index(fields=["step", "start"], name="monitoring_rollup_start"),
        ]

    def __str__(self) -> str:
        return f"{self.hostname} {self.start:%Y-%m-%d %H:%M} +{self.step} s"


class WorkerRollupMark(models.Model):
    """An hour that has to be counted anew, since something came late. Appended by consumers, taken by upkeep.

    Nothing is unique: consumers that append never wait for each other.
    """

    hour = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.hour)
