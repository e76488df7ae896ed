"""Which runs of a schedule were missed, from when it was due and when it was sent. Pure.

Beat sends a schedule when it is due, or at once when it comes back after a pause. So between two sendings it was due at
some times: the last of these is what the second sending was for, and the others were missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: Seconds after its time at which a run counts as missed as long as nothing was sent.
GRACE = 30.0
#: Seconds before its time at which a sending is still taken for it: clocks of hosts differ.
EARLY = 10.0

#: The times that a schedule is due after a moment, and not after another.
Due = Callable[[datetime, datetime], Iterable[datetime]]
#: Stretches of time in which nobody could have seen a sending.
Blind = Sequence[tuple[datetime, datetime]]


@dataclass(frozen=True)
class Missed:
    """Runs that were due one after the other and not sent in time.

    `count` is how many had no sending at all. `came_at` is when the next one was sent after all, `late` by how many
    seconds after the newest of these times; both None as long as nothing was sent.
    """

    first_due: datetime
    newest_due: datetime
    count: int
    came_at: datetime | None = None
    late: float | None = None


@dataclass(frozen=True)
class Judged:
    """`missed` in order; the last one is open where its `came_at` is None. `reference`: where to go on from."""

    missed: tuple[Missed, ...]
    reference: datetime

    @property
    def overdue(self) -> Missed | None:
        """What is due and was not sent until now."""
        return self.missed[-1] if self.missed and self.missed[-1].came_at is None else None


def judge(
    due: Due,
    sent: Iterable[datetime],
    reference: datetime,
    until: datetime,
    *,
    grace: float = GRACE,
    early: float = EARLY,
    blind: Blind = (),
) -> Judged:
    """Judge what happened after `reference`, when it was last sent or first watched, up to `until`.

    `due` is asked for ranges that begin at a sending. What was due in a `blind` stretch is nobody's to judge.
    """
    found: list[Missed] = []
    ahead = timedelta(seconds=early)
    for moment in sorted(sent):
        if moment <= reference or moment > until + ahead:
            continue
        times = _seen(due(reference, moment + ahead), blind)
        if not times:
            # For no time of it: somebody sent it by hand. An interval counts from there all the same.
            reference = moment
            continue
        late = (moment - times[-1]).total_seconds()
        missed = [time for time in times[:-1] if (moment - time).total_seconds() > grace]
        if missed or late > grace:
            found.append(Missed((missed or times)[0], times[-1], len(missed), moment, max(0.0, late)))
        reference = max(moment, times[-1])
    over = _seen(due(reference, until - timedelta(seconds=grace)), blind)
    if over:
        found.append(Missed(over[0], over[-1], len(over)))
    return Judged(tuple(found), reference)


def _seen(times: Iterable[datetime], blind: Blind) -> list[datetime]:
    return [time for time in times if not any(begin <= time <= end for begin, end in blind)]
