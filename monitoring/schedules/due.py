"""When a schedule is due, whatever its kind: interval, crontab, solar, clocked, or a project's own class."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from celery.schedules import crontab, schedule

#: Two looks at the clock within this are one, since times are whole seconds, and how often they are tried for.
_AT_ONCE, _LOOKS = timedelta(milliseconds=400), 5


class NeverDue(Exception):
    """Its times cannot be computed; the text says why: 31 February, an event of the sun that does not come."""


class Times(Protocol):
    """What is needed of Celery's ``BaseSchedule``."""

    def now(self) -> datetime: ...

    def remaining_estimate(self, last_run_at: datetime) -> timedelta: ...


def next_after(times: Times, moment: datetime) -> datetime | None:
    """When beat is to send it next after it sent it at `moment` (aware); None: never again. Raises NeverDue.

    Celery answers how long that is from now, so the present moment goes in and comes out again.
    """
    if type(times) is schedule and not times.relative and (interval := interval_of(times)) is not None:
        # What Celery answers, to the microsecond: the same time however often it is asked for.
        return moment + timedelta(seconds=interval)
    try:
        for _number in range(_LOOKS):
            # In UTC: Python adds to the clock on the wall, which is wrong where summer time begins or ends in between.
            now = _aware(times.now()).astimezone(UTC)
            due = now + times.remaining_estimate(moment)
            # Celery has looked at the clock itself meanwhile. After a pause between the two looks it is asked again.
            if _aware(times.now()).astimezone(UTC) - now < _AT_ONCE:
                break
    except Exception as error:  # whatever a schedule's own code raises
        raise NeverDue(f"{type(error).__name__}: {error}".partition("\n")[0][:200]) from error
    due = _to_the_second(due)
    return due if due > moment else None


def due_between(times: Times, after: datetime, until: datetime, most: int = 1_000) -> Iterator[datetime]:
    """Each time that it is due after `after` and not after `until`, `most` at most. Raises NeverDue."""
    moment: datetime | None = after
    for _number in range(most):
        moment = next_after(times, moment) if moment is not None else None
        if moment is None or moment > until:
            return
        yield moment


def interval_of(times: Any) -> float | None:
    """Seconds between two runs where that is all the schedule says; None for times of the clock."""
    if not isinstance(times, schedule) or isinstance(times, crontab):
        return None
    interval: timedelta = times.run_every  # type: ignore[attr-defined]  # missing in the stubs
    return interval.total_seconds()


def _to_the_second(moment: datetime) -> datetime:
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0)


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
