"""Schedules: what beat is told to send, when it is next due, how the last runs ended, and what was missed.

``schedules(visibility)`` is what the page, the API and upkeep ask. Sendings are judged by the events of tasks up to the
stream horizon; ``last_run_at`` of django-celery-beat counts too, but is written minutes later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

import celery
from django.utils import timezone

from ..celery_app import watched_app
from ..models import MissedRuns, Task
from ..models.task import State
from ..schedules import entries as beat
from ..schedules.due import NeverDue, next_after
from ..schedules.entries import Entry, Source, Unreadable
from ..schedules.judging import GRACE, Judged, Missed
from ..schedules.words import crontab_text, words_of
from .schedule_judging import Judging, NotJudged
from .schedule_runs import ScheduleRuns, runs_of, sent_at
from .visibility import Visibility
from .worker_presence import Presence, presence

__all__ = [
    "Beat",
    "Entry",
    "Missed",
    "NotJudged",
    "ScheduleState",
    "Schedules",
    "Source",
    "Standing",
    "schedule",
    "schedules",
]

#: Runs of one schedule that are shown.
RUNS = 24
#: How far back missed runs are counted.
MISSED_WITHIN = timedelta(hours=24)
#: Schedules that are read at most, by name.
MOST = 500
_FAILED = frozenset({State.FAILURE, State.REJECTED, State.LOST})


class Standing(StrEnum):
    """What matters most about a schedule, in the order of how much."""

    UNREADABLE = "unreadable"  # its times cannot be computed
    MISSED = "missed"  # it is due, and was not sent
    FAILING = "failing"  # its last run failed
    LATE = "late"  # runs were missed or late in the last 24 hours, and it is sent again
    RUNNING = "running"  # its last run still runs, although the next one was due
    WELL = "well"
    OFF = "off"
    OVER = "over"  # it was sent the one time that it was for, or has expired


@dataclass(frozen=True)
class ScheduleState:
    """One schedule, at this moment. `entry.name` is unique.

    `words`: ``Every day at 05:30``; `crontab` the five fields where it has any. `next_due` is None where that is
    unknown or never, and in the past where it is overdue. `runs` are its last tasks, newest first; `by_name` says that
    they were found by the schedule's own name, and not only by the task's. `last_sent_at` is the newest known time that
    it was sent. `overdue` is what is due and was not sent, `missed` what was missed or late before, in the last 24
    hours; `not_judged`: why these two say nothing.
    """

    entry: Entry
    words: str
    crontab: str
    queue: str | None
    next_due: datetime | None
    last_sent_at: datetime | None
    runs: tuple[Task, ...]
    by_name: bool
    standing: Standing = Standing.WELL
    overdue: Missed | None = None
    missed: tuple[Missed, ...] = ()
    not_judged: NotJudged | None = None
    problem: str = ""
    #: For upkeep.
    judged: Judged | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def task(self) -> str:
        return self.entry.task

    @property
    def enabled(self) -> bool:
        return self.entry.enabled

    @property
    def last_run(self) -> Task | None:
        return self.runs[0] if self.runs else None

    @property
    def missed_count(self) -> int:
        """Runs of the last 24 hours that were not sent."""
        return sum(each.count for each in self.missed) + (self.overdue.count if self.overdue else 0)

    @property
    def late(self) -> float | None:
        """Seconds by which the latest of the runs of the last 24 hours came late; None: none came after the grace."""
        return max(
            (each.late for each in self.missed if each.late is not None and each.late > GRACE), default=None
        )

    @property
    def is_failing(self) -> bool:
        """Whether the newest run that has ended failed."""
        ended = next((run for run in self.runs if run.finished_at is not None), None)
        return ended is not None and ended.state in _FAILED


@dataclass(frozen=True)
class Beat:
    """Whether beat sends. `is_alive` None: nothing that was due can be judged.

    Where it is False, `overdue` of `judged` schedules are due and nothing was sent `since`. `last_sent_at` is the
    newest known sending of any schedule, `last_name`; `sent_by` is what sent it, as its event says.
    """

    is_alive: bool | None = None
    last_sent_at: datetime | None = None
    last_name: str = ""
    sent_by: str = ""
    overdue: int = 0
    judged: int = 0
    since: datetime | None = None


@dataclass(frozen=True)
class Schedules:
    """`problem`: why the entries could not be read, a class of exceptions; empty where they were.

    `with_database`: django-celery-beat is installed; `reads_database`: beat reads its rows, as far as is known, at the
    latest after `max_interval` seconds. A run counts as missed `grace` seconds after its time. `is_cut`: there are
    more than MOST.
    """

    checked_at: datetime
    beat: Beat
    schedules: tuple[ScheduleState, ...]
    with_database: bool
    reads_database: bool = False
    max_interval: float = 0.0
    grace: float = GRACE
    problem: str = ""
    is_cut: bool = False


def schedules(
    visibility: Visibility,
    judge_by: Presence | None = None,
    names: Sequence[str] | None = None,
    using: str | None = None,
) -> Schedules:
    """All schedules that may be seen, by name, or those of some `names`.

    Cost: django-celery-beat's table; for each task that is scheduled a range of the index on the name of tasks, in one
    statement; the small tables of gaps, of what upkeep watches, and of missed runs of a day. Two reads more without
    `judge_by`.
    """
    app, judge_by = watched_app(), judge_by or presence(using, timezone.now())
    try:
        found = beat.entries(app, names)
        reads, max_interval = beat.reads_database(app), beat.max_interval(app)
    except Unreadable as error:
        return Schedules(judge_by.now, Beat(), (), beat.beat_app(), problem=str(error))
    # A scheduler can be named on beat's command line too: rows that are sent are read.
    lately = judge_by.now - MISSED_WITHIN
    reads = reads or any(entry.last_run_at is not None and entry.last_run_at > lately for entry in found)
    queued = [(entry, _queue(app, visibility, entry)) for entry in found]
    seen = [(entry, queue) for entry, queue in queued if _may_see(visibility, entry, queue)]
    judging = Judging.of(app, judge_by, reads, using)
    runs = runs_of(visibility, app, [entry for entry, _queue in seen[:MOST]], using)
    missed = _missed(using, lately)
    states = tuple(
        _state(entry, queue, runs[entry.name], missed.get(entry.name, {}), judging)
        for entry, queue in seen[:MOST]
    )
    return Schedules(
        judge_by.now, _beat(states), states, beat.beat_app(), reads, max_interval, is_cut=len(seen) > MOST
    )


def schedule(visibility: Visibility, name: str) -> ScheduleState | None:
    """One of them, or None where there is none that may be seen. Cost: as of :func:`schedules`, for one."""
    found = schedules(visibility, names=[name]).schedules
    return found[0] if found else None


def may_see(visibility: Visibility, app: celery.Celery, entry: Entry) -> bool:
    """By the task's name, and by the queue that it goes to."""
    return _may_see(visibility, entry, _queue(app, visibility, entry))


def _may_see(visibility: Visibility, entry: Entry, queue: str | None) -> bool:
    return visibility.allows_name(entry.task) and (
        visibility.queues is None or visibility.allows_queue(queue)
    )


def _queue(app: celery.Celery, visibility: Visibility, entry: Entry) -> str | None:
    """Its own queue; where somebody may see some only, the one that the project routes the task to as well."""
    if entry.queue or visibility.queues is None:
        return entry.queue
    try:
        routed = app.amqp.router.route({}, entry.task)["queue"]
    except Exception:  # a router of the project's own; who may not know sees nothing
        return None
    return str(getattr(routed, "name", routed))


def _missed(using: str | None, since: datetime) -> dict[str, dict[datetime, Missed]]:
    """What is stored of the last 24 hours, by name and first time."""
    found: dict[str, dict[datetime, Missed]] = {}
    for row in MissedRuns.objects.using(using).filter(newest_due__gt=since).order_by("first_due"):
        missed = Missed(row.first_due, row.newest_due, row.count, row.came_at, row.late)
        found.setdefault(row.name, {})[row.first_due] = missed
    return found


def _state(
    entry: Entry, queue: str | None, runs: ScheduleRuns, stored: dict[datetime, Missed], judging: Judging
) -> ScheduleState:
    state = ScheduleState(
        entry,
        words_of(entry.times) if entry.times is not None else entry.written,
        crontab_text(entry.times),
        queue,
        next_due=None,
        last_sent_at=max([*runs.sent[:1], *([entry.last_run_at] if entry.last_run_at else [])], default=None),
        runs=runs.tasks[:RUNS],
        by_name=runs.by_name,
        problem=entry.problem,
    )
    if entry.times is not None and entry.enabled and not entry.is_over:
        try:
            state = _with_times(state, runs, judging)
        except NeverDue as error:
            state = replace(state, problem=str(error))
    # What was judged just now is newer than what is stored of it.
    known = stored | {each.first_due: each for each in (state.judged.missed if state.judged else ())}
    past = tuple(each for _first, each in sorted(known.items()) if each.came_at is not None)
    state = replace(state, missed=past)
    return replace(state, standing=_standing(state, judging.now))


def _with_times(state: ScheduleState, runs: ScheduleRuns, judging: Judging) -> ScheduleState:
    state = replace(state, next_due=judging.next_due(state.entry, state.last_sent_at))
    judged = judging.judge(state.entry, runs)
    if isinstance(judged, NotJudged):
        return replace(state, not_judged=judged)
    return replace(state, judged=judged, overdue=judged.overdue)


def _standing(state: ScheduleState, now: datetime) -> Standing:
    entry = state.entry
    if entry.is_over:
        return Standing.OVER
    if not entry.enabled:
        return Standing.OFF
    if state.problem or entry.times is None:
        return Standing.UNREADABLE
    if state.overdue is not None:
        return Standing.MISSED
    if state.is_failing:
        return Standing.FAILING
    if state.missed:
        return Standing.LATE
    return Standing.RUNNING if _outlasts(state, now) else Standing.WELL


def _outlasts(state: ScheduleState, now: datetime) -> bool:
    """Whether its last run still runs at the time of the next one."""
    run = state.last_run
    if run is None or run.state != State.STARTED:
        return False
    due = next_after(state.entry.times, sent_at(run))
    return due is not None and due <= now


def _beat(states: Sequence[ScheduleState]) -> Beat:
    judged = [state for state in states if state.judged is not None]
    sent = max(
        (state for state in states if state.last_sent_at),
        key=lambda state: state.last_sent_at or 0,
        default=None,
    )
    overdue = [state.overdue.first_due for state in judged if state.overdue is not None]
    last = sent.last_sent_at if sent else None
    is_stopped = bool(overdue) and (last is None or last < min(overdue) + timedelta(seconds=GRACE))
    run = sent.last_run if sent else None
    return Beat(
        is_alive=None if not judged or (last is None and not overdue) else not is_stopped,
        last_sent_at=last,
        last_name=sent.name if sent else "",
        sent_by=(run.sent_by or "") if run is not None else "",
        overdue=len(overdue),
        judged=len(judged),
        since=min(overdue) if is_stopped else None,
    )
