"""Notices runs of schedules that were missed or late, and remembers up to where it has looked.

Cost: that of ``queries/schedules.py``, an upsert of the schedules whose place has moved and of what was missed, both
small tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from monitoring.models import MissedRuns, ScheduleWatch
from monitoring.queries.schedule_judging import definition_of
from monitoring.queries.schedules import ScheduleState, Standing, schedules
from monitoring.queries.visibility import Visibility
from monitoring.queries.worker_presence import presence
from monitoring.upkeep.clock import read_clock
from monitoring.upkeep.lease import LeaseHolder

_NOT_WATCHED = frozenset({Standing.OFF, Standing.OVER, Standing.UNREADABLE})


def run(lease: LeaseHolder) -> str:
    """Judge every schedule that is on, up to the stream horizon.

    A schedule that is new, switched on or changed is watched from now on: what was due before is nobody's fault.
    """
    using = lease.using
    now = read_clock(using)
    found = schedules(Visibility.everything(), presence(using, now), using=using)
    if found.problem:
        return f"The schedules could not be read: {found.problem}."
    watched = [state for state in found.schedules if state.standing not in _NOT_WATCHED]
    with lease.transaction():
        known = {watch.name: watch for watch in ScheduleWatch.objects.using(using)}
        moved = [
            watch for state in watched if (watch := _watch(state, known.get(state.name), now)) is not None
        ]
        ScheduleWatch.objects.using(using).bulk_create(
            moved, update_conflicts=True, unique_fields=["name"], update_fields=["definition", "reference"]
        )
        gone = known.keys() - {state.name for state in watched}
        ScheduleWatch.objects.using(using).filter(pk__in=gone).delete()
        MissedRuns.objects.using(using).bulk_create(
            _missed(watched, now),
            update_conflicts=True,
            unique_fields=["name", "first_due"],
            update_fields=["newest_due", "count", "came_at", "late"],
        )
    judged = sum(state.judged is not None for state in watched)
    overdue = [state.name for state in watched if state.overdue is not None]
    outcome = f"Judged: {judged} of {len(watched)} schedules that are on"
    if found.beat.is_alive is False:
        return f"{outcome}; beat sends nothing: {len(overdue)} are overdue."
    return f"{outcome}; overdue: {', '.join(overdue)}." if overdue else f"{outcome}."


def _watch(state: ScheduleState, known: ScheduleWatch | None, now: datetime) -> ScheduleWatch | None:
    """What to write of it; None where nothing is new."""
    definition = definition_of(state.entry)
    if known is None or known.definition != definition:
        return ScheduleWatch(name=state.name, definition=definition, reference=now)
    if state.judged is None or state.judged.reference <= known.reference:
        return None
    return ScheduleWatch(name=state.name, definition=definition, reference=state.judged.reference)


def _missed(watched: Iterable[ScheduleState], now: datetime) -> list[MissedRuns]:
    return [
        MissedRuns(
            name=state.name,
            task=state.task,
            first_due=missed.first_due,
            newest_due=missed.newest_due,
            count=missed.count,
            noticed_at=now,
            came_at=missed.came_at,
            late=missed.late,
        )
        for state in watched
        if state.judged is not None
        for missed in state.judged.missed
    ]
