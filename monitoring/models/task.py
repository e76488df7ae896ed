"""A task: what the merge of all its events says. Nothing but the merge writes this table."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import IdentifierField


class State(models.TextChoices):
    """Celery's states, and LOST for a task that nobody knows any more."""

    PENDING = "PENDING", _("PENDING")
    RECEIVED = "RECEIVED", _("RECEIVED")
    STARTED = "STARTED", _("STARTED")
    RETRY = "RETRY", _("RETRY")
    SUCCESS = "SUCCESS", _("SUCCESS")
    FAILURE = "FAILURE", _("FAILURE")
    REVOKED = "REVOKED", _("REVOKED")
    REJECTED = "REJECTED", _("REJECTED")
    LOST = "LOST", _("LOST")


class Task(models.Model):
    """One row per task id.

    The columns come in three groups: extremes and registers, which ``ingest/registers.py`` defines and the merge
    fills, and derived ones, which follow from them (``ingest/states.py``). A register's key is its event's time in
    microseconds since the epoch (``*_ts``) and a digest of the event (``*_tie``). Durations are in seconds.
    """

    task_id = IdentifierField(_("task id"), primary_key=True)

    # Derived: what pages filter and show.
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.PENDING)
    worker = IdentifierField(
        _("worker"), null=True, help_text=_("Host name of the worker that the state comes from.")
    )
    exception = models.TextField(_("exception"), null=True)
    exception_type = IdentifierField(_("exception type"), null=True)
    traceback = models.TextField(_("traceback"), null=True)
    runtime = models.FloatField(_("run time"), null=True, help_text=_("Seconds that the newest attempt ran."))
    finished_at = models.DateTimeField(_("finished"), null=True)
    attempt_started_at = models.DateTimeField(_("attempt started"), null=True)
    fingerprint = IdentifierField(
        _("fingerprint"),
        null=True,
        help_text=_("Of a failed task: the same for all that failed like it."),
    )
    wait = models.FloatField(
        _("queue wait"),
        null=True,
        help_text=_("Seconds from the newest sending, or its ETA, to the newest start."),
    )

    # Extremes.
    retries = models.PositiveIntegerField(_("retries"), null=True)
    first_seen = models.DateTimeField(_("first seen"))
    updated_at = models.DateTimeField(_("updated"))
    sent_at = models.DateTimeField(_("sent"), null=True)
    received_at = models.DateTimeField(_("received"), null=True)
    started_at = models.DateTimeField(_("started"), null=True)

    # Register "info": what was sent or received last.
    info_ts = models.BigIntegerField(null=True, editable=False)
    info_tie = models.BigIntegerField(null=True, editable=False)
    name = IdentifierField(_("name"), null=True)
    args = models.TextField(_("args"), null=True)
    kwargs = models.TextField(_("kwargs"), null=True)
    root_id = IdentifierField(_("root id"), null=True)
    parent_id = IdentifierField(_("parent id"), null=True)
    eta = models.DateTimeField(_("ETA"), null=True)
    expires = models.DateTimeField(_("expires"), null=True)

    # Register "sent": only a sender knows how a task is routed.
    sent_ts = models.BigIntegerField(null=True, editable=False)
    sent_tie = models.BigIntegerField(null=True, editable=False)
    exchange = models.TextField(_("exchange"), null=True)
    routing_key = models.TextField(_("routing key"), null=True)
    sent_by = models.TextField(_("sent by"), null=True)

    # Register "route": the queue, as the sender or the plug-in for workers says.
    route_ts = models.BigIntegerField(null=True, editable=False)
    route_tie = models.BigIntegerField(null=True, editable=False)
    queue = IdentifierField(_("queue"), null=True)

    # Register "full": what the plug-in for workers tells of the newest receipt.
    full_ts = models.BigIntegerField(null=True, editable=False)
    full_tie = models.BigIntegerField(null=True, editable=False)
    arguments = models.TextField(_("full arguments"), null=True, help_text=_("JSON: args and kwargs."))
    arguments_are = models.CharField(
        _("full arguments are"),
        max_length=10,
        null=True,
        help_text=_("Exact, redacted, too large or not JSON."),
    )
    workflow = models.TextField(
        _("workflow"),
        null=True,
        help_text=_("JSON: names of callbacks, of a chord, of a chain; a group's id."),
    )

    # Register "trace": what the plug-in for workers tells of the newest receipt that belongs to a trace.
    trace_ts = models.BigIntegerField(null=True, editable=False)
    trace_tie = models.BigIntegerField(null=True, editable=False)
    trace_id = models.CharField(
        _("trace id"),
        max_length=32,
        null=True,
        help_text=_("Of the trace that it is a part of (OpenTelemetry)."),
    )

    # Registers of the newest receipt and start.
    received_ts = models.BigIntegerField(null=True, editable=False)
    received_tie = models.BigIntegerField(null=True, editable=False)
    received_worker = models.TextField(null=True, editable=False)
    start_ts = models.BigIntegerField(null=True, editable=False)
    start_tie = models.BigIntegerField(null=True, editable=False)
    start_worker = models.TextField(null=True, editable=False)

    # Registers of the newest retry, and of the newest end of each kind.
    retry_ts = models.BigIntegerField(null=True, editable=False)
    retry_tie = models.BigIntegerField(null=True, editable=False)
    retry_worker = models.TextField(null=True, editable=False)
    retry_exception = models.TextField(null=True, editable=False)
    retry_exception_type = models.TextField(null=True, editable=False)
    retry_traceback = models.TextField(null=True, editable=False)
    success_ts = models.BigIntegerField(null=True, editable=False)
    success_tie = models.BigIntegerField(null=True, editable=False)
    success_worker = models.TextField(null=True, editable=False)
    result = models.TextField(
        _("result"),
        null=True,
        help_text=_("What the newest success returned; kept while the task runs again."),
    )
    success_runtime = models.FloatField(null=True, editable=False)
    failure_ts = models.BigIntegerField(null=True, editable=False)
    failure_tie = models.BigIntegerField(null=True, editable=False)
    failure_worker = models.TextField(null=True, editable=False)
    failure_exception = models.TextField(null=True, editable=False)
    failure_exception_type = models.TextField(null=True, editable=False)
    failure_traceback = models.TextField(null=True, editable=False)
    failure_place = models.TextField(null=True, editable=False)
    revoke_ts = models.BigIntegerField(null=True, editable=False)
    revoke_tie = models.BigIntegerField(null=True, editable=False)
    revoke_worker = models.TextField(null=True, editable=False)
    terminated = models.BooleanField(_("terminated"), null=True)
    signum = models.TextField(_("signal"), null=True)
    expired = models.BooleanField(_("expired"), null=True)
    reject_ts = models.BigIntegerField(null=True, editable=False)
    reject_tie = models.BigIntegerField(null=True, editable=False)
    reject_worker = models.TextField(null=True, editable=False)
    requeue_ts = models.BigIntegerField(null=True, editable=False)
    requeue_tie = models.BigIntegerField(null=True, editable=False)
    requeue_worker = models.TextField(null=True, editable=False)

    # Register "progress": what the task itself reported last.
    progress_ts = models.BigIntegerField(null=True, editable=False)
    progress_tie = models.BigIntegerField(null=True, editable=False)
    progress = models.FloatField(_("progress"), null=True, help_text=_("From 0 to 1."))
    progress_current = models.FloatField(null=True)
    progress_total = models.FloatField(null=True)
    progress_message = models.TextField(_("progress message"), null=True)

    # No part of the merge: `finished_at` as it was before the newest change, and whether that change gave the task
    # another name or queue. The merge statement of PostgreSQL returns them from here, so that the minutes in which the
    # task was counted till then are counted again.
    previous_finished_at = models.DateTimeField(null=True, editable=False)
    is_renamed = models.BooleanField(null=True, editable=False)

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        ordering = ["-first_seen", "-task_id"]
        default_permissions = ("view", "delete")
        permissions = [
            ("view_payload", _("Can view arguments, results and tracebacks of tasks")),
            ("revoke_task", _("Can revoke, terminate and abort tasks")),
            ("rerun_task", _("Can run tasks again")),
            ("run_task", _("Can start any task")),
        ]
        # Every index costs ingest rate: each names the query that it serves. What has no value stands in none.
        indexes = [
            # The task list, newest first, and any filter that many of the newest tasks fulfil.
            models.Index(fields=["-first_seen", "-task_id"], name="monitoring_task_list"),
            # The list by a state, what waits, runs or failed. Most tasks succeeded, and stand in the one above.
            models.Index(
                fields=["state", "-first_seen"],
                name="monitoring_task_by_state",
                condition=~models.Q(state=State.SUCCESS),
            ),
            # The list by a name, worker, queue or exception type, and sorted by the first three.
            models.Index(fields=["name", "-first_seen"], name="monitoring_task_by_name"),
            models.Index(
                fields=["worker", "-first_seen"],
                name="monitoring_task_by_worker",
                condition=models.Q(worker__isnull=False),
            ),
            models.Index(
                fields=["queue", "-first_seen"],
                name="monitoring_task_by_queue",
                condition=models.Q(queue__isnull=False),
            ),
            models.Index(
                fields=["exception_type", "-first_seen"],
                name="monitoring_task_by_exception",
                condition=models.Q(exception_type__isnull=False),
            ),
            # The failures of one group: its page, and the list by a fingerprint.
            models.Index(
                fields=["fingerprint", "-first_seen"],
                name="monitoring_task_by_fingerprint",
                condition=models.Q(fingerprint__isnull=False),
            ),
            # The list sorted by these.
            models.Index(
                fields=["received_at"],
                name="monitoring_task_by_received",
                condition=models.Q(received_at__isnull=False),
            ),
            models.Index(
                fields=["finished_at"],
                name="monitoring_task_by_finished",
                condition=models.Q(finished_at__isnull=False),
            ),
            models.Index(
                fields=["runtime"],
                name="monitoring_task_by_runtime",
                condition=models.Q(runtime__isnull=False),
            ),
            # The family on a task's page. Partial: a task that no other one sent is no member, and costs nothing here.
            models.Index(
                fields=["root_id", "parent_id", "first_seen"],
                name="monitoring_task_family",
                condition=models.Q(parent_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name or _('unknown task')} {self.task_id}"
