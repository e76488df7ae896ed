"""The steps of time that statistics are kept in. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

MINUTE, FIVE_MINUTES, HOUR, SIX_HOURS, DAY = 60, 300, 3_600, 21_600, 86_400
#: Seconds, each a multiple of the one before. Their buckets begin at multiples of them since the epoch, in UTC. Five
#: minutes divide every time zone's offset, so that days and hours of any zone can be put together from them.
STEPS = (MINUTE, FIVE_MINUTES, HOUR, SIX_HOURS, DAY)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def start_of(moment: datetime, step: int) -> datetime:
    """The beginning, in UTC, of the bucket of `step` seconds that an aware moment is in."""
    return moment.astimezone(UTC) - (moment - _EPOCH) % timedelta(seconds=step)
