"""Groups of failed tasks: what failed alike, where it was seen, and what people have decided about it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import IdentifierField


class FailureGroup(models.Model):
    """What all tasks of one fingerprint (tracebacks/fingerprint.py) have in common, and the newest that is known.

    Upkeep writes it beside the statistics, whose `StatisticFailure` has how many there were, and when. It outlives the
    tasks, and so holds nothing of what any of them was called with or said. `path`, `line`, `function` are where the
    example was raised; empty where its traceback has no frame.
    """

    fingerprint = IdentifierField(_("fingerprint"), primary_key=True)
    name = IdentifierField(_("task name"), default="")
    exception_type = IdentifierField(_("exception type"), default="")
    path = models.TextField(_("file"), default="")
    line = models.PositiveIntegerField(_("line"), default=0)
    function = models.TextField(_("function"), default="")
    own_code = models.BooleanField(_("in your own code"), default=False)
    first_seen = models.DateTimeField(_("first seen"))
    last_seen = models.DateTimeField(_("last seen"))
    first_version = models.TextField(
        _("first version"),
        default="",
        db_default="",
        help_text=_("The newest deploy mark when it was first seen."),
    )
    last_version = models.TextField(
        _("last version"),
        default="",
        db_default="",
        help_text=_("The newest deploy mark when it was last seen."),
    )
    example_id = IdentifierField(_("example"), default="", help_text=_("Id of the newest such task."))
    example_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("group of failures")
        verbose_name_plural = _("groups of failures")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.exception_type} {self.name}"


class FailureSighting(models.Model):
    """When failures of one fingerprint were first and last seen in one queue and on one worker."""

    fingerprint = IdentifierField(_("fingerprint"))
    queue = IdentifierField(_("queue"), default="")
    worker = IdentifierField(_("worker"), default="")
    first_seen = models.DateTimeField(_("first seen"))
    last_seen = models.DateTimeField(_("last seen"))

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint", "queue", "worker"], name="monitoring_failure_sighting_once"
            )
        ]
        # What is old enough to be forgotten.
        indexes = [models.Index(fields=["last_seen"], name="monitoring_sighting_by_time")]

    def __str__(self) -> str:
        return f"{self.fingerprint} {self.worker}"


class FailureTriage(models.Model):
    """What people have decided about the failures of one fingerprint. Only verbs write it; none is nothing decided.

    It stands in the default database and refers to users by id and name, and to the group by its fingerprint.
    """

    fingerprint = IdentifierField(_("fingerprint"), primary_key=True)
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True)
    acknowledged_by = models.TextField(_("acknowledged by"), default="")
    muted_at = models.DateTimeField(_("muted"), null=True)
    muted_until = models.DateTimeField(_("muted until"), null=True)
    muted_by = models.TextField(_("muted by"), default="")
    assignee_id = models.TextField(_("id of the assignee"), default="")
    assignee = models.TextField(_("assigned to"), default="")
    note = models.TextField(_("note"), default="")
    noted_by = models.TextField(_("note by"), default="")
    noted_at = models.DateTimeField(_("noted"), null=True)

    class Meta:
        verbose_name = _("triage of failures")
        verbose_name_plural = _("triage of failures")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)
