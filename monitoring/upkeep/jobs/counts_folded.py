"""What one transaction of the job ``counts`` has added to the totals. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Folded:
    """How many rows were taken; events by who sent them and the minute they were stored in; whose tasks failed."""

    rows: int = 0
    events: Counter[tuple[str, datetime]] = field(default_factory=Counter)
    failed: set[str] = field(default_factory=set)
