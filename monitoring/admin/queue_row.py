"""What a row of the list of queues, and the head of one, say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..models import Queue
from ..queries.queues import is_growing, is_stuck, seconds_to_clear
from ..sparkline import sparkline

#: Seconds from which the oldest message's age is worth a red figure where it grows older, and where nobody consumes.
OLD = 60.0


@dataclass(frozen=True)
class QueueRow:
    """A queue as it is shown; `depth` are the means of its samples, for the sparkline."""

    queue: Queue
    now: datetime
    wait_p95: float | None = None
    depth: Sequence[float | None] = ()

    @property
    def is_stuck(self) -> bool:
        return is_stuck(self.queue)

    @property
    def is_growing(self) -> bool:
        return is_growing(self.queue)

    @property
    def clears_in(self) -> float | None:
        """Seconds until nothing waits, as things go."""
        return seconds_to_clear(self.queue)

    @property
    def oldest_waits(self) -> float | None:
        """Seconds."""
        sent_at = self.queue.oldest_sent_at
        return max(0.0, (self.now - sent_at).total_seconds()) if sent_at is not None else None

    @property
    def is_old(self) -> bool:
        waits = self.oldest_waits
        return waits is not None and waits > OLD and (self.is_stuck or self.is_growing)

    @property
    def consumers(self) -> int | None:
        """As the broker counts them; else the workers that say so, where those are known."""
        if self.queue.consumers is not None:
            return self.queue.consumers
        if self.queue.workers:
            return len(self.queue.workers)
        return 0 if self.queue.unconsumed_since is not None else None

    @property
    def line(self) -> str:
        return sparkline(self.depth)[0]

    @property
    def area(self) -> str:
        return sparkline(self.depth)[1]
