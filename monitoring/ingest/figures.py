"""What a consumer knows of itself. Written by its threads, reported by ``health.py``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class Figures:
    """Counts since the process started. Each field has one writing thread, so no lock is needed."""

    events: int = 0
    batches: int = 0
    dropped: int = 0
    dead_letters: int = 0
    gaps: int = 0
    reconnects: int = 0
    batch_seconds: float | None = None
    lag: float | None = None
    queue_length: int | None = None
    connected: bool = False
    broker: str = ""
    listening_until: datetime | None = None
    #: The time up to which everything that this consumer was given is committed.
    horizon: datetime | None = None
    last_event_at: datetime | None = None
    last_error: str = ""
    last_error_at: datetime | None = None
