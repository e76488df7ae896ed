"""What a group of failures is doing: the rules and their numbers, which docs/failures.md tells users. Pure.

The first rule that holds decides; `rule` says it in a sentence for a tooltip.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

#: New: seen for the first time so long ago at most.
NEW_FOR = timedelta(hours=24)
#: Came back: failed in the last `NEW_FOR`, and not once in so long a time before.
GONE_FOR = timedelta(days=7)
#: Spiking: at least so many failures in the last hour, and so many times as many as in its usual hour of the last seven
#: days, of which at least a day must be known.
SPIKE_LEAST, SPIKE_TIMES, SPIKE_HISTORY = 10, 3, timedelta(hours=24)
#: Recovered: so many runs of the task have succeeded since the last failure.
RECOVERED_AFTER = 20
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)


class Standing(StrEnum):
    """In the order of the rules; only one holds."""

    MUTED = "muted"
    RECOVERED = "recovered"
    NEW = "new"
    CAME_BACK = "came back"
    SPIKING = "spiking"
    ONGOING = "ongoing"


#: What asks for somebody: change matters more than count.
TROUBLE = frozenset({Standing.NEW, Standing.CAME_BACK, Standing.SPIKING})


@dataclass(frozen=True)
class History:
    """Counts of one group up to `now`: of the last hour, the last 24, seven days, and the seven before the last 24 h.

    `successes` are runs of its task that succeeded since `last_seen`, as far as they are looked for.
    """

    now: datetime
    first_seen: datetime
    last_seen: datetime
    last_hour: int
    last_day: int
    last_week: int
    week_before: int
    successes: int = 0
    muted_until: datetime | None = None

    @property
    def usual_hour(self) -> float | None:
        """Failures in an hour of the seven days, without the last; None where too little is known to say."""
        known = min(WEEK, self.now - self.first_seen) - HOUR
        if known < SPIKE_HISTORY:
            return None
        return (self.last_week - self.last_hour) / (known / HOUR)


def standing(history: History) -> Standing:
    """What a group of failures is doing."""
    now = history.now
    if history.muted_until is not None and history.muted_until > now:
        return Standing.MUTED
    if history.successes >= RECOVERED_AFTER:
        return Standing.RECOVERED
    if now - history.first_seen <= NEW_FOR:
        return Standing.NEW
    if history.last_day and not history.week_before and now - history.first_seen > NEW_FOR + GONE_FOR:
        return Standing.CAME_BACK
    usual = history.usual_hour
    if usual is not None and history.last_hour >= max(SPIKE_LEAST, SPIKE_TIMES * usual):
        return Standing.SPIKING
    return Standing.ONGOING
