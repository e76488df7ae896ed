"""THE table of verbs: what users can do, which permission it needs, what it says. Everything goes through it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from . import delete_record, purge, tasks
from .contract import Verb
from .failure_verbs import acknowledge, annotate, mute
from .phrases import counted
from .schedule_verbs import run, switch
from .task_verbs import abort, apply, discard, rerun, revoke, stamps
from .worker_verbs import consumers, events, limits, pool, presence

DELETE = Verb(
    name="delete",
    label=_("Delete record"),
    permission="monitoring.delete_task",
    target_kind="task",
    destroys=True,
    question=lambda count: (
        ngettext("Delete the record of %(count)s task?", "Delete the records of %(count)s tasks?", count)
        % {"count": counted(count)}
    ),
    consequence=_(
        "The task and all its events are gone from every list for good. Nothing is sent to a worker or a broker, and "
        "totals keep counting what happened."
    ),
    button=lambda count: (
        ngettext("Delete %(count)s record", "Delete %(count)s records", count) % {"count": counted(count)}
    ),
    safe_button=_("Keep them"),
    happens=_("will be deleted, with all their events"),
    did=_("deleted the record"),
    find=tasks.find,
    why_not=delete_record.why_not,
    why_not_in=delete_record.why_not_in,
    act=delete_record.delete,
    local=True,
)

VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        # On tasks
        revoke.REVOKE,
        revoke.TERMINATE,
        abort.ABORT,
        rerun.RERUN,
        DELETE,
        # On what is no object: stamps, ids and names of tasks
        stamps.REVOKE_BY_STAMP,
        revoke.REVOKE_ID,
        apply.APPLY,
        apply.SEND,
        # On schedules
        run.RUN,
        switch.ENABLE,
        switch.DISABLE,
        # On workers
        presence.PING,
        presence.REFRESH,
        pool.GROW,
        pool.SHRINK,
        pool.AUTOSCALE,
        pool.RESTART,
        consumers.ADD,
        consumers.CANCEL,
        limits.RATE,
        limits.TIME,
        events.ENABLE,
        events.DISABLE,
        presence.SHUTDOWN,
        # On queues
        purge.PURGE,
        discard.DISCARD,
        # On groups of failures
        acknowledge.ACKNOWLEDGE,
        acknowledge.UNACKNOWLEDGE,
        mute.MUTE,
        mute.UNMUTE,
        annotate.ASSIGN,
        annotate.NOTE,
    )
}
