"""How far in time the stream has been read, by clocks of which some may be off. Pure.

A message does not say when the broker got it; an event has its sender's time. One sender whose clock is ahead must not
make a backlog look as if it had been read: all others would be missed up to a time that is still to come.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from monitoring.ingest.counting import ANONYMOUS
from monitoring.ingest.events import Event

#: Microseconds by which a clock may be ahead of others, or of ours, and be believed.
TOLERANCE = 2_000_000
#: Seconds for which a worker has a say after it was heard: more than two of its heartbeats.
MEMORY = 5.0
#: Seconds after which times that are always those of the present are no accident.
TRUST = 10.0


class StreamTime:
    """Remembers which workers were heard lately, and at which time by their own clocks."""

    def __init__(self) -> None:
        #: Of each worker the newest time in the last batch that held any, and when that came.
        self._heard: dict[str, tuple[int, float]] = {}
        self._heard_at = self._present_since = -inf

    def reached(
        self, tasks: Iterable[Event], workers: Iterable[Event], now: int, moment: float
    ) -> int | None:
        """The time up to which a batch of events, of which there is at least one, has been sent.

        It is the newest one that is not far ahead of what half of the workers have come to, and never after `now`. None
        where all are ahead of `now`, for some seconds: others may be heard yet. `now` and the result are microseconds
        since the epoch, `moment` is seconds of the monotonic clock.
        """
        # Those of one message do not come in their order: what is simply decoded comes first.
        said: dict[str, int] = {}
        known = said.get
        for event in (*tasks, *workers):
            if event.ts > known(event.worker, 0):
                said[event.worker] = event.ts
        # One that only sends tasks may do so once and never again: each start of a command or a web server is another.
        others = {name: time for name, time in said.items() if ANONYMOUS.match(name)}
        self._remember({name: time for name, time in said.items() if name not in others}, moment)
        told = [time for time, _ in self._heard.values()]
        latest = now + TOLERANCE
        voters = sorted(time for time in told if time <= latest) or sorted(
            time for time in others.values() if time <= latest
        )
        if not voters or voters[len(voters) // 2] >= now - TOLERANCE:
            is_present = moment - self._present_since >= TRUST
        else:
            is_present, self._present_since = False, moment
        if not voters:
            return now if is_present else None
        # Where one half says this and the other that, it is the earlier, unless a backlog would have ended by now.
        middle = voters[len(voters) // 2 if is_present else (len(voters) - 1) // 2]
        return min(now, max(time for time in (*told, *others.values()) if time <= middle + TOLERANCE))

    def _remember(self, workers: dict[str, int], moment: float) -> None:
        if moment - self._heard_at > MEMORY:
            self._present_since = moment
        self._heard_at = moment
        self._heard = {name: said for name, said in self._heard.items() if moment - said[1] <= MEMORY}
        self._heard.update((name, (time, moment)) for name, time in workers.items())
