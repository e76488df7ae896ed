"""Pages that are fetched anew once an upkeep job has found out anew what they show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from monitoring.queries.status import Status


class Fetched(NamedTuple):
    """A page shows what the `job` of ``upkeep/`` found out last, to users who have `permission`."""

    job: str
    permission: str


#: By the name of the page, as docs/live.md has it.
FETCHED: Mapping[str, Fetched] = {
    "statistics": Fetched("statistics", "view_statistic"),
    "failures": Fetched("statistics", "view_failures"),
    "queues": Fetched("queues", "view_queue"),
    "schedules": Fetched("schedules", "view_schedule"),
}


def found_at(page: str, status: Status) -> str | None:
    """When its job last ended, well or not; None: never."""
    finished = status.finished.get(FETCHED[page].job)
    return finished.isoformat() if finished is not None else None
