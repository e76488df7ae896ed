"""When the next task is due."""

import random

# Whoever could not send for longer does not make up for it: the broker was away, or the machine asleep.
FORGIVEN_SECONDS = 1.0


class Pace:
    """Random arrivals at `rate` a second, as independent customers make them (a Poisson process)."""

    def __init__(self, rate: float, rng: random.Random, now: float) -> None:
        self._rate = rate
        self._rng = rng
        self.next_at = now + self._gap()
        """When the next one is due, on the caller's clock (s); infinity at a rate of 0."""

    def due(self, now: float) -> int:
        """How many are due since the last call."""
        if now - self.next_at > FORGIVEN_SECONDS:
            self.next_at = now
        count = 0
        while self.next_at <= now:
            count += 1
            self.next_at += self._gap()
        return count

    def _gap(self) -> float:
        return self._rng.expovariate(self._rate) if self._rate else float("inf")
