"""What follows from a worker's registers. Pure."""

from __future__ import annotations

from typing import Any

from .folding import Row
from .registers import WORKER_RULES

#: The columns that this module fills, in the order of :func:`derive`.
DERIVED_COLUMNS = ("online", "last_heartbeat", "started_at", "stopped_at")

_INDEX = {register.name: index for index, register in enumerate(WORKER_RULES.registers)}


def derive(row: Row) -> tuple[Any, ...]:
    """The values of :data:`DERIVED_COLUMNS`. A worker is online when its newest heartbeat is newer than its stop,
    and than the heartbeat after which upkeep found it silent.
    """
    beat, start, stop, silent = (row.registers[_INDEX[name]] for name in ("beat", "start", "stop", "silent"))
    return (
        beat is not None and all(end is None or beat[:2] > end[:2] for end in (stop, silent)),
        beat[0] if beat is not None else None,
        start[0] if start is not None else None,
        stop[0] if stop is not None else None,
    )
