"""What one socket is sent, and when: at most one frame a second, and never more than it takes."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

from django.utils import timezone

from monitoring.live.board import Board
from monitoring.live.broadcaster import Broadcaster
from monitoring.queries.feed import Missed

#: Least seconds between two frames.
INTERVAL = 1.0
#: Frames that may be on their way; what comes then waits, as one frame, until the page has answered.
MOST_UNANSWERED = 2
#: Seconds of silence until a heartbeat, and until a page that does not answer is given up.
HEARTBEAT, PATIENCE = 15.0, 60.0


class Unanswered(Exception):
    """The page has not answered for a minute."""


class Outbox:
    """The sending half of a socket: a task that is woken and decides itself whether to send.

    A server takes every text that it is given into its memory, however slowly the network does (Daphne does so), so
    waiting for `send` does not hold back anything. The page's answers do.
    """

    def __init__(self, send: Callable[[str], Awaitable[None]], broadcaster: Broadcaster) -> None:
        self._send = send
        self._broadcaster = broadcaster
        self._wake = asyncio.Event()
        self._board: Board | None = None
        self._base = 0
        self._unanswered: deque[int] = deque()
        self._answered_at = self._sent_at = time.monotonic()
        self._frame_at = float("-inf")
        self._paused_at: int | None = None
        self._said_paused = 0
        #: Whether this reader may know how much happens: most of it is about tasks that a limited one may not see.
        self._tells_changes = False
        #: Goes out with the next full frame.
        self.missed: Missed | None = None

    def wake(self) -> None:
        self._wake.set()

    def show(self, board: Board | None) -> None:
        """Send the frames of this board, the first one in full; None: paused."""
        self._board, self._base = board, 0
        if board is not None:
            self._tells_changes = board.audience.visibility.is_everything
        self._paused_at = self._broadcaster.changes if board is None else None
        self._said_paused = 0
        self._wake.set()

    def miss_what_was_paused(self) -> None:
        """Say with the next frame how much happened since the pause."""
        self.missed = Missed(self._changes_since_pause, complete=True)

    @property
    def _changes_since_pause(self) -> int:
        return 0 if self._paused_at is None else self._broadcaster.changes - self._paused_at

    def refresh(self) -> None:
        self._base = 0
        self._wake.set()

    def answer(self, seq: int) -> None:
        """The page has applied a frame, and with it all before."""
        if seq in self._unanswered:
            while self._unanswered.popleft() != seq:
                pass
            self._answered_at = time.monotonic()
            self._wake.set()

    async def run(self) -> None:
        """Send until cancelled. Raises :class:`Unanswered`."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), HEARTBEAT)
            self._wake.clear()
            now = time.monotonic()
            if self._unanswered and now - self._answered_at > PATIENCE:
                raise Unanswered
            if (early := self._frame_at + INTERVAL - now) > 0:
                await asyncio.sleep(early)
            if self._board is None:
                await self._tell_of_pause()
            elif len(self._unanswered) < MOST_UNANSWERED:
                await self._frame(self._board)
            if time.monotonic() - self._sent_at >= HEARTBEAT:
                await self._put(
                    {
                        "type": "heartbeat",
                        "at": timezone.now().isoformat(),
                        "cursor": self._broadcaster.cursor,
                    }
                )

    async def _frame(self, board: Board) -> None:
        text = None if board.is_stale else board.frames.frame(self._base)
        if text is None:
            return
        if self._base == 0 and self.missed is not None:
            changes = self.missed.changes if self._tells_changes else None
            missed = json.dumps({"changes": changes, "complete": self.missed.complete})
            text, self.missed = f'{text[:-1]},"missed":{missed}}}', None
        self._base = board.frames.seq
        if not self._unanswered:
            self._answered_at = time.monotonic()
        self._unanswered.append(self._base)
        self._sent_at = self._frame_at = time.monotonic()
        await self._send(text)

    async def _tell_of_pause(self) -> None:
        changes = self._changes_since_pause
        if self._tells_changes and changes > self._said_paused:
            self._said_paused = changes
            self._frame_at = time.monotonic()
            await self._put({"type": "paused", "changes": changes})

    async def _put(self, message: dict[str, object]) -> None:
        self._sent_at = time.monotonic()
        await self._send(json.dumps(message))
