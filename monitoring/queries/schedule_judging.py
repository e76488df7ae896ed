"""What schedules are judged by: how far events have been read, since when a schedule is watched, what nobody saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import celery

from ..conf import monitoring_settings
from ..models import Gap, ScheduleWatch
from ..schedules.due import due_between, interval_of, next_after
from ..schedules.entries import MAX_INTERVAL, SYNC_EVERY, Entry, Source
from ..schedules.judging import EARLY, GRACE, Judged, judge
from ..schedules.words import crontab_text, words_of
from .schedule_runs import ScheduleRuns
from .worker_presence import DEFAULT_FREQUENCY, Presence

#: How far back gaps are looked for.
_GAPS_WITHIN = timedelta(hours=24)


class NotJudged(StrEnum):
    """Why it is not known whether a schedule was sent in time."""

    UNSEEN = "unseen"  # sending makes no event (task_send_sent_event), and nothing else tells
    BEHIND = "behind"  # events are behind, or none are received
    NEW = "new"  # upkeep does not watch it yet, or not as it is now
    UNREAD = "unread"  # beat, as it is configured, does not read django-celery-beat's rows


@dataclass(frozen=True)
class Judging:
    """`horizon` is the time up to which all events have been read; None: nothing that did not happen may be judged.

    `reads_database`: beat sends django-celery-beat's rows. `sends_events`: beat then tells what it sends.
    """

    now: datetime
    horizon: datetime | None
    reads_database: bool
    sends_events: bool
    blind: Sequence[tuple[datetime, datetime]]
    watches: Mapping[str, ScheduleWatch]

    @classmethod
    def of(cls, app: celery.Celery, presence: Presence, reads_database: bool, using: str | None) -> Judging:
        """Cost: the gaps of a day and the schedules that are watched."""
        gaps = Gap.objects.using(using).filter(ended_at__gt=presence.now - _GAPS_WITHIN)
        return cls(
            presence.now,
            _horizon(presence),
            reads_database,
            bool(app.conf.task_send_sent_event),
            [
                (begin - timedelta(seconds=EARLY), end)
                for begin, end in gaps.values_list("started_at", "ended_at")
            ],
            {watch.name: watch for watch in ScheduleWatch.objects.using(using)},
        )

    def judge(self, entry: Entry, runs: ScheduleRuns) -> Judged | NotJudged:
        """What was missed of an entry that is on. Raises NeverDue."""
        if entry.source is Source.DATABASE and not self.reads_database:
            return NotJudged.UNREAD
        watch = self.watches.get(entry.name)
        if watch is None or watch.definition != definition_of(entry):
            return NotJudged.NEW
        if runs.tasks[0].sent_at is not None if runs.tasks else self.sends_events:
            if self.horizon is None:
                return NotJudged.BEHIND
            until, grace = self.horizon, GRACE
        elif entry.source is Source.DATABASE:
            # Only the row tells, and beat writes it late.
            until, grace = self.now, SYNC_EVERY + MAX_INTERVAL + GRACE
        else:
            return NotJudged.UNSEEN
        sent = [*runs.sent, *([entry.last_run_at] if entry.last_run_at is not None else [])]
        known_since = [min(runs.sent)] if runs.is_cut else []
        begin = [entry.start_time - timedelta(seconds=1)] if entry.start_time is not None else []
        return judge(
            lambda after, last: due_between(entry.times, after, last),
            sent,
            max([watch.reference, *known_since, *begin]),
            until,
            grace=grace,
            # An interval counts from the last sending, by the same clock.
            early=EARLY if interval_of(entry.times) is None else 0.0,
            blind=self.blind,
        )

    def next_due(self, entry: Entry, sent: datetime | None) -> datetime | None:
        """When beat is to send it next; in the past where that is over already. Raises NeverDue."""
        watch = self.watches.get(entry.name)
        known = [
            moment
            for moment in (sent, entry.begun_at, watch.reference if watch else None)
            if moment is not None
        ]
        due = next_after(entry.times, sent or max(known, default=self.now))
        if due is not None and due < self.now and interval_of(entry.times) is None:
            due = next_after(entry.times, self.now)
        if due is not None and entry.start_time is not None:
            due = max(due, entry.start_time)
        return due


def definition_of(entry: Entry) -> str:
    """What it is and when it is due, as text: another text, another schedule."""
    zone = getattr(entry.times, "tz", "") if crontab_text(entry.times) else ""
    return " ".join(f"{entry.task} {crontab_text(entry.times) or words_of(entry.times)} {zone}".split())


def _horizon(presence: Presence) -> datetime | None:
    """None while events are further behind than a worker may be silent: a backlog makes no schedule late."""
    horizon = presence.horizon
    if horizon is None:
        return None
    behind = (presence.now - horizon).total_seconds()
    return horizon if behind <= monitoring_settings.HEARTBEAT_GRACE * DEFAULT_FREQUENCY else None
