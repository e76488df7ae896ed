"""Send the traffic, and go on through whatever happens to the broker."""

import heapq
import random
import time
from collections.abc import Callable
from typing import Any

from celery import current_app
from celery.canvas import Signature
from celery.result import denied_join_result
from django.db import Error as DatabaseError
from django.db import connections
from kombu.exceptions import OperationalError

from tasksdemo.errors import BrokerUnavailable
from tasksdemo.tasks.catalogue import update_price
from tasksdemo.traffic.backlog import waiting_messages
from tasksdemo.traffic.incident import incident_at
from tasksdemo.traffic.kinds import KINDS, OPENING, order_while_the_gateway_is_silent
from tasksdemo.traffic.levels import Level
from tasksdemo.traffic.pace import Pace

OPENING_GAP = 0.3  # s between the tasks of the opening
BACKLOG_GAP = 2.0  # s between two looks at the queues
REPORT_GAP = 60.0
LONGEST_NAP = 0.5
PAUSE_AFTER_FAILURE = 2.0

NAMES, WEIGHTS = list(KINDS), [kind.weight for kind in KINDS.values()]

Clock = Callable[[], float]


class Generator:
    """Sends what `level` says, what exactly is drawn from `rng`, and tells `say` what is worth a line."""

    def __init__(
        self, level: Level, rng: random.Random, say: Callable[[str], None], clock: Clock = time.monotonic
    ) -> None:
        self.sent = 0
        """How many signatures were sent."""
        self._level, self._rng, self._say, self._clock = level, rng, say, clock
        self._start = clock()
        # With random numbers of their own: how far the clock got must not decide what is sent.
        self._business = Pace(level.business, random.Random(), self._start)
        self._prices = Pace(level.prices, random.Random(), self._start)
        self._opening = list(reversed(OPENING)) if level.business else []
        self._opening_at = self._start
        self._revokes: list[tuple[float, str, bool]] = []
        self._backlog_at = self._report_at = self._start
        self._full = self._incident = self._away = False
        connection = current_app.connection_for_write()
        self._failures = (
            *(OperationalError, BrokerUnavailable, DatabaseError, OSError),
            *connection.connection_errors,
            *connection.channel_errors,
            *getattr(current_app.backend, "connection_errors", ()),
        )

    def run(self, seconds: float | None = None) -> None:
        """Send for `seconds`, or until the process is told to stop."""
        end = self._start + seconds if seconds is not None else float("inf")
        # Nobody here waits for results: a Redis result backend would subscribe to each of them, for ever.
        with denied_join_result():
            while (now := self._clock()) < end:
                try:
                    self._step(now)
                    self._note_return()
                except self._failures as error:
                    self._note_failure(error)
                    time.sleep(min(PAUSE_AFTER_FAILURE, max(0.0, end - self._clock())))
                    continue
                time.sleep(max(0.0, min(end, self._next_at(now)) - self._clock()))

    def _step(self, now: float) -> None:
        """Send and revoke what is due."""
        if self._level.sends_nothing:
            return
        self._tell_news(now)
        self._look_at_backlog(now)
        while self._revokes and self._revokes[0][0] <= now:
            _, task_id, terminate = heapq.heappop(self._revokes)
            current_app.control.revoke(task_id, terminate=terminate)
        # Taken also while nothing may be sent: what was due then is not made up for.
        business, prices = self._business.due(now), self._prices.due(now)
        if self._full:
            return
        if self._opening and now >= self._opening_at:
            self._opening_at = now + OPENING_GAP
            self._send_kind(self._opening.pop(), now)
        for _ in range(business):
            self._send_kind(self._rng.choices(NAMES, WEIGHTS)[0], now)
        for _ in range(prices):
            self._send(update_price.s(random.randrange(50_000), f"{random.randrange(1, 200)}.90"))

    def _send_kind(self, name: str, now: float) -> None:
        kind = KINDS[name]
        silent_gateway = name == "order" and self._incident
        make = order_while_the_gateway_is_silent if silent_gateway else kind.make
        result = self._send(make(self._rng))
        if kind.revoke:
            heapq.heappush(self._revokes, (now + kind.revoke.after, result.id, kind.revoke.terminate))

    def _send(self, signature: Signature[Any]) -> Any:
        result = signature.apply_async()
        self.sent += 1
        return result

    def _next_at(self, now: float) -> float:
        """When there is something to do next; a nap at most."""
        return min(
            now + LONGEST_NAP,
            self._business.next_at,
            self._prices.next_at,
            self._opening_at if self._opening else float("inf"),
            self._revokes[0][0] if self._revokes else float("inf"),
        )

    def _look_at_backlog(self, now: float) -> None:
        if now < self._backlog_at:
            return
        self._backlog_at = now + BACKLOG_GAP
        waiting, was_full = waiting_messages(), self._full
        # Starts again at half of it, not to switch at each look.
        self._full = waiting > self._level.most_waiting // (2 if was_full else 1)
        if self._full != was_full:
            what = "nothing is sent until the workers have caught up" if self._full else "sending again"
            self._say(f"{waiting:,} tasks wait: {what}")

    def _tell_news(self, now: float) -> None:
        incident = incident_at(now - self._start)
        if incident != self._incident:
            self._incident = incident
            self._say(
                "incident: the payment gateway " + ("stopped answering" if incident else "answers again")
            )
        if now >= self._report_at:
            if self.sent:
                self._say(f"{self.sent:,} tasks and workflows sent in {now - self._start:.0f} s")
            self._report_at = now + REPORT_GAP

    def _note_failure(self, error: Exception) -> None:
        if not self._away:
            self._away = True
            self._say(f"waiting for the broker: {type(error).__name__}: {error}")
        # A database connection that broke does not mend itself outside of a request.
        connections.close_all()

    def _note_return(self) -> None:
        if self._away:
            self._away = False
            self._say("the broker is back")
