"""THE rule of which workers are online. Pages, API, metrics and upkeep all ask here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Subquery
from django.utils import timezone

from ..conf import monitoring_settings
from ..models import Consumer, Gap, Worker

#: Seconds since its last report for which a consumer counts as running; it reports about once a second.
RECENT = 15.0
#: Celery's default heartbeat interval in seconds, for a worker that has not said its own.
DEFAULT_FREQUENCY = 2.0


@dataclass(frozen=True)
class Presence:
    """Up to when silence may be judged, read once for any number of workers.

    `horizon` is the time up to which every consumer has committed what it was given; None: no consumer is connected and
    up to date, and so nothing is judged. `gap_end` is when heartbeats last began to be recorded again.
    """

    now: datetime
    horizon: datetime | None
    gap_end: datetime | None
    missed: int

    def is_online(self, worker: Worker) -> bool:
        """Whether its newest heartbeat is newer than its stop, and no more of them are missing than may be.

        Reads `online`, `last_heartbeat`, `frequency` and `clock_skew`.
        """
        return bool(worker.online) and not self.is_silent(worker)

    def is_silent(self, worker: Worker) -> bool:
        """Whether it has not been heard for longer than its grace, up to the horizon."""
        if self.horizon is None or worker.last_heartbeat is None or not self.may_judge(worker):
            return False
        heard = [self.heard(worker.last_heartbeat, worker), *([self.gap_end] if self.gap_end else ())]
        silence: float = (self.horizon - max(heard)).total_seconds()
        return silence > self.grace(worker)

    def may_judge(self, worker: Worker) -> bool:
        """A backlog turns nobody offline: what the consumers are behind by must be less than the worker's grace."""
        return self.horizon is not None and (self.now - self.horizon).total_seconds() <= self.grace(worker)

    def grace(self, worker: Worker) -> float:
        """Seconds for which a worker may be silent."""
        frequency = worker.frequency
        return self.missed * (frequency if frequency is not None and frequency > 0 else DEFAULT_FREQUENCY)

    def heard(self, heartbeat: datetime, worker: Worker) -> datetime:
        """When it was last heard by the monitor's clock, as far as is known how far its own is off."""
        if worker.clock_skew is None:
            return heartbeat
        corrected = heartbeat + timedelta(seconds=worker.clock_skew)
        is_credible = heartbeat <= self.now + timedelta(seconds=self.grace(worker))
        # A clock may have been put right a moment ago: then its own time is the better one.
        return max(heartbeat, corrected) if is_credible else corrected


def presence(using: str | None = None, now: datetime | None = None) -> Presence:
    """What to judge by at this moment. Cost: one statement, the consumers of the last seconds and the newest gap."""
    now = now or timezone.now()
    newest_gap = Gap.objects.order_by("-ended_at").values("ended_at")[:1]
    recent = Consumer.objects.using(using).filter(reported_at__gt=now - timedelta(seconds=RECENT))
    consumers = list(recent.annotate(gap_end=Subquery(newest_gap)))
    # Where no consumer is connected nothing is judged, and no gap matters.
    return presence_by(consumers, consumers[0].gap_end if consumers else None, now)


def presence_by(consumers: Iterable[Consumer], gap_end: datetime | None, now: datetime) -> Presence:
    """What to judge by, of what was read already. Asks nothing."""
    horizons = [
        consumer.horizon for consumer in consumers if consumer.connected and is_running(consumer, now)
    ]
    known = [horizon for horizon in horizons if horizon is not None]
    # Never later than now: a sender's clock that is ahead must not make the others late.
    horizon = min(*known, now) if known and len(known) == len(horizons) else None
    return Presence(now, horizon, gap_end, monitoring_settings.HEARTBEAT_GRACE)


def is_running(consumer: Consumer, now: datetime) -> bool:
    """Whether it has reported lately, and has not said that it stops."""
    return consumer.stopped_at is None and (now - consumer.reported_at).total_seconds() < RECENT
