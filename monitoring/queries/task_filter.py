"""What a reader asks of the task list: the filter as the URL has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ..models.task import State

#: Presets of the time range by their name in the URL.
PERIODS: dict[str, timedelta] = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
#: Longest text that is looked for, in characters: no id, name or search needs more.
MAX_TEXT = 255


@dataclass(frozen=True)
class TaskFilter:
    """Every part narrows; an empty one does not. Names, workers and queues are exact or have wildcards (``*?[``)."""

    states: tuple[str, ...] = ()
    name: str = ""
    worker: str = ""
    queue: str = ""
    period: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str], states: list[str]) -> TaskFilter:
        """From the parameters ``name worker queue period from to q`` and the list of ``state``.

        What is no state, period or time is left out; times without a zone are in Django's current one.
        """
        since, until = parse_time(query.get("from", "")), parse_time(query.get("to", ""))
        period = query.get("period", "")
        return cls(
            states=tuple(state for state in State.values if state in states),
            name=_word(query.get("name", "")),
            worker=_word(query.get("worker", "")),
            queue=_word(query.get("queue", "")),
            # Exact times win: a page never shows two ranges that contradict each other.
            period=period if period in PERIODS and since is None and until is None else "",
            since=since,
            until=until,
            text=_word(query.get("q", "")),
        )

    def first(self, now: datetime) -> datetime | None:
        """The start of the time range, if there is one."""
        return now - PERIODS[self.period] if self.period else self.since

    def __bool__(self) -> bool:
        return self != TaskFilter()


def parse_time(text: str) -> datetime | None:
    """An ISO time, with or without zone; None where it is none."""
    try:
        # In a URL written by hand the plus of a zone arrives as a space.
        moment = parse_datetime(text.strip().replace(" ", "+") if "T" in text else text.strip())
    except ValueError:
        return None
    if moment is None:
        return None
    try:
        aware = moment if timezone.is_aware(moment) else timezone.make_aware(moment)
        return aware if 1970 <= aware.year < 9999 else None
    except (ValueError, OverflowError):
        return None


def _word(text: str) -> str:
    # PostgreSQL refuses NUL in any text.
    return text.replace("\0", "").strip()[:MAX_TEXT]
