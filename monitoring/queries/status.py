"""Whether the monitor can be believed right now: what the strip on top of every page says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils import timezone

from ..conf import monitoring_settings
from ..models import Consumer, Gap
from .strip_facts import strip_facts
from .visibility import Visibility
from .waiting import Waiting
from .worker_presence import DEFAULT_FREQUENCY, Presence, is_running, presence_by

#: How long after its end a gap is still news.
GAP_SHOWN = timedelta(hours=1)


class Form(StrEnum):
    """The four forms of the strip, in the order of how much they matter."""

    SILENT = "silent"  # nothing has come for some heartbeats
    BEHIND = "behind"  # what comes is old
    GAP = "gap"  # all is well now, but lately something passed unrecorded
    RECEIVING = "receiving"


class Silence(StrEnum):
    """Why nothing comes."""

    NOT_RUNNING = "not running"  # no event consumer is running
    NOT_CONNECTED = "not connected"  # it runs, but its broker does not let it in
    NO_EVENTS = "no events"  # it listens, and nothing is sent


@dataclass(frozen=True)
class Status:
    """What the strip shows; None is not known, or not for a user of limited visibility.

    Durations are in seconds. `silence` and `error` (of the consumer) are set with SILENT only, `gap` with GAP only;
    `messages` are those that wait in the monitor's own queue, each of one or more events. `cursor` is the id up to
    which the feed had been written when the status was read, `presence` what workers were judged by, `finished` when
    each job of upkeep last ended.
    """

    form: Form
    checked_at: datetime
    environment: str
    last_event_at: datetime | None
    lag: float | None
    events_per_second: float | None
    messages: int | None
    workers_online: int
    workers_known: int
    waiting: Waiting | None
    cursor: int
    presence: Presence
    finished: Mapping[str, datetime] = field(default_factory=dict)
    silence: Silence | None = None
    error: str = ""
    gap: Gap | None = None

    @property
    def rate(self) -> int | None:
        """Events per second as people read them."""
        return None if self.events_per_second is None else round(self.events_per_second)


def status(visibility: Visibility, events_per_second: float | None = None) -> Status:
    """The present status; `events_per_second` where the caller has it at hand.

    Cost: one statement, see :func:`.strip_facts.strip_facts`.
    """
    now = timezone.now()
    facts = strip_facts(visibility, now)
    consumers = [consumer for consumer in facts.consumers if is_running(consumer, now)]
    last_event_at = max((c.last_event_at for c in facts.consumers if c.last_event_at), default=None)
    judge = presence_by(facts.consumers, facts.gap.ended_at if facts.gap is not None else None, now)
    online = [worker for worker in facts.workers if judge.is_online(worker)]
    frequencies = [worker.frequency for worker in online if worker.frequency]
    grace = monitoring_settings.HEARTBEAT_GRACE * max([DEFAULT_FREQUENCY, *frequencies])
    lag = max((consumer.lag for consumer in consumers if consumer.lag is not None), default=None)
    rate = facts.events_per_second if events_per_second is None else events_per_second
    silence = _silence(consumers, rate, last_event_at, now, grace)
    is_news = facts.gap is not None and facts.gap.ended_at > now - GAP_SHOWN
    gap = facts.gap if is_news and visibility.is_everything else None
    if silence is not None:
        form = Form.SILENT
    elif lag is not None and lag > grace:
        form = Form.BEHIND
    else:
        form = Form.GAP if gap is not None else Form.RECEIVING
    return Status(
        form=form,
        checked_at=now,
        environment=monitoring_settings.ENVIRONMENT,
        last_event_at=last_event_at,
        lag=lag,
        events_per_second=rate if visibility.is_everything else None,
        messages=_messages(consumers) if visibility.is_everything else None,
        workers_online=len(online),
        workers_known=len(facts.workers),
        waiting=facts.waiting,
        cursor=facts.cursor,
        presence=judge,
        finished=facts.finished,
        silence=silence,
        error=_error(consumers) if silence is Silence.NOT_CONNECTED else "",
        gap=gap if form is Form.GAP else None,
    )


def _silence(
    consumers: Sequence[Consumer], rate: float, last: datetime | None, now: datetime, grace: float
) -> Silence | None:
    if not consumers:
        return Silence.NOT_RUNNING
    if not any(consumer.connected for consumer in consumers):
        return Silence.NOT_CONNECTED
    # The newest event of a backlog is old; what counts is whether anything is being received.
    if not rate and (last is None or (now - last).total_seconds() > grace):
        return Silence.NO_EVENTS
    return None


def _messages(consumers: Sequence[Consumer]) -> int | None:
    """All consumers look at the same queue, where the broker can say how long it is."""
    lengths = [consumer.queue_length for consumer in consumers if consumer.queue_length is not None]
    return max(lengths, default=None)


def _error(consumers: Sequence[Consumer]) -> str:
    return next((consumer.last_error for consumer in consumers if consumer.last_error), "")
