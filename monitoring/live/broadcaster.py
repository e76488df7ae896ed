"""One per web process: reads the feed while somebody watches, and brings every audience up to date."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar
from weakref import WeakKeyDictionary

from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from monitoring.live.audience import Audience
from monitoring.live.board import Board
from monitoring.live.layer import crossing_layer
from monitoring.live.listener import Listener
from monitoring.live.moment import Moment
from monitoring.live.news import News
from monitoring.live.rendering import RowCache
from monitoring.queries.feed import MOST, feed_since, newest_cursor
from monitoring.queries.throughput import Throughput, throughput
from monitoring.queries.usual import UsualRuns

logger = logging.getLogger(__name__)

#: Seconds between two looks at the feed: with news, without, and at the longest while nudges are heard.
BUSY, IDLE, LONGEST = 1.0, 0.25, 2.0
#: Seconds between two complaints about the database.
COMPLAIN = 60.0
#: While the feed only says "many": how many rounds until every audience has been read anew, a few in each.
ROUNDS = 5

T = TypeVar("T")


class Watcher(Protocol):
    """A socket."""

    def wake(self) -> None:
        """There may be something to send. Called in the event loop; must return at once."""

    def fail(self) -> None:
        """What this audience asks for cannot be shown, for a fault of ours. Must return at once."""


class Broadcaster:
    """Lives as long as it has watchers; :func:`broadcaster` makes the next one.

    All reading of rows, and all rendering, is done in one thread with a connection of its own, and who may read is
    looked up in another: so a web process asks at most two questions at a time, and requests are not held up.
    """

    def __init__(self) -> None:
        self._boards: dict[Audience, tuple[Board, set[Watcher]]] = {}
        self._paused: set[Watcher] = set()
        #: Who asks to be let in.
        self._arriving: set[Watcher] = set()
        self._thread = ThreadPoolExecutor(1, "monitoring-live")
        #: For who may read: pages that open at once must not wait for rows to be rendered.
        self._door = ThreadPoolExecutor(1, "monitoring-live-door")
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._seq = itertools.count(1)
        self._rows = RowCache()
        self._usual_runs = UsualRuns()
        self._throughput = Throughput()
        self._cursor: int | None = None
        #: The newest entry that was counted; one may be read twice.
        self._counted = 0
        self._is_ending = False
        self._nudged = False
        self._pause = IDLE
        self._looked_at = self._complained_at = float("-inf")
        #: Task events since it began.
        self.changes = 0
        layer = crossing_layer()
        self._listener = Listener(layer, self._nudge) if layer is not None else None
        self._task = self._loop.create_task(self._run())

    @property
    def is_running(self) -> bool:
        return not self._is_ending and not self._task.done()

    @property
    def cursor(self) -> int | None:
        """How far the feed has been read; None: not at all yet."""
        return self._cursor

    @property
    def watchers(self) -> int:
        """How many there are, paused ones too."""
        return len(self._paused) + sum(len(watchers) for _, watchers in list(self._boards.values()))

    def arrive(self, watcher: Watcher) -> None:
        """Count a watcher that is not let in yet; :meth:`join` or :meth:`leave` follows."""
        self._arriving.add(watcher)

    async def ask(self, question: Callable[[], T]) -> T:
        """What `question` answers in a thread with a database connection that is kept."""

        def answer() -> T:
            try:
                return question()
            except (DatabaseError, InterfaceError):
                connections.close_all()
                raise

        return await self._loop.run_in_executor(self._door, answer)

    def join(self, audience: Audience, watcher: Watcher) -> Board:
        """The board of an audience. The watcher is woken when it has something to show."""
        self._paused.discard(watcher)
        self._arriving.discard(watcher)
        board, watchers = self._boards.setdefault(audience, (Board(audience), set()))
        watchers.add(watcher)
        if not board.is_stale:
            watcher.wake()
        self._wake.set()
        return board

    def leave(self, board: Board | None, watcher: Watcher, *, only_pause: bool = False) -> None:
        """Tell the watcher nothing more; `only_pause`: but wake it when the number of changes has grown."""
        if board is not None and board.audience in self._boards:
            _, watchers = self._boards[board.audience]
            watchers.discard(watcher)
            if not watchers:
                del self._boards[board.audience]
        self._arriving.discard(watcher)
        if only_pause:
            self._paused.add(watcher)
        else:
            self._paused.discard(watcher)
        if not (self._boards or self._paused or self._arriving):
            self._is_ending = True
            self._task.cancel()

    def _nudge(self) -> None:
        self._nudged = True
        self._wake.set()

    async def _run(self) -> None:
        listening = self._loop.create_task(self._listener.run()) if self._listener is not None else None
        try:
            while True:
                await self._wait()
                try:
                    await self._look()
                except Exception as error:  # the database is away: a later look will succeed
                    await self._complain(error)
        finally:
            self._is_ending = True
            if _running.get(self._loop) is self:
                del _running[self._loop]
            if listening is not None:
                listening.cancel()
            for thread in (self._thread, self._door):
                thread.submit(connections.close_all)
                thread.shutdown(wait=False)

    async def _wait(self) -> None:
        """Until there is something to do: a board without content, a nudge, or time for a look."""
        while not any(board.is_stale for board, _ in self._boards.values()):
            is_listening = self._listener is not None and self._listener.is_listening
            waits = self._pause if self._nudged else LONGEST if is_listening else BUSY
            seconds = self._looked_at + waits - self._loop.time()
            if seconds <= 0:
                return
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), seconds)
            except TimeoutError:
                return
        # Never twice within this, whoever comes and goes.
        await asyncio.sleep(max(0.0, self._looked_at + IDLE - self._loop.time()))

    async def _look(self) -> None:
        self._looked_at = self._loop.time()
        self._nudged = False
        moment, news = await self._in_thread(self._read)
        renewed = self._due_for_renewal() if news.many else set()
        for board, watchers in list(self._boards.values()):
            told = News(everything=True) if board.is_stale or board.audience in renewed else news
            try:
                update = await self._in_thread(partial(board.read, moment, told))
                is_worth_a_look = board.apply(update, next(self._seq))
            except (DatabaseError, InterfaceError):
                raise
            except Exception:  # a fault of ours in one audience must not stop the others
                logger.exception("A live page cannot be shown: %s", board.audience.page)
                for watcher in list(watchers):
                    watcher.fail()
                continue
            if is_worth_a_look:
                for watcher in watchers:
                    watcher.wake()
        self._cursor = moment.cursor
        self.changes += news.changes
        for watcher in self._paused:
            watcher.wake()
        # A database that is slow to answer is not asked more often than it can be.
        self._pause = max(BUSY if news.about_tasks else IDLE, 1.2 * (self._loop.time() - self._looked_at))

    def _read(self) -> tuple[Moment, News]:
        """What is new in the feed. In the thread."""
        now = timezone.now()
        self._rows.next_round()
        if self._cursor is None:
            cursor, entries = newest_cursor(), []
            self._throughput, self._counted = throughput(now), cursor
        else:
            cursor, entries = self._cursor, feed_since(self._cursor)
            for entry in entries:
                cursor = entry.pk
                if entry.pk > self._counted:
                    ended = entry.succeeded + entry.failed + entry.ended
                    self._throughput.add(entry.at, entry.events, ended, entry.failed)
                    self._counted = entry.pk
        news = News.of(entries, cut=len(entries) == MOST)
        figures = self._throughput.figures(now)
        return Moment(now, cursor, figures, self._rows, self._usual_runs), news

    def _due_for_renewal(self) -> set[Audience]:
        """A few audiences in turn: what "many" hides from a narrow filter is found within ROUNDS looks."""
        count = -(-len(self._boards) // ROUNDS)
        due = list(self._boards)[:count]
        for audience in due:
            self._boards[audience] = self._boards.pop(audience)
        return set(due)

    async def _complain(self, error: Exception) -> None:
        if self._loop.time() - self._complained_at >= COMPLAIN:
            self._complained_at = self._loop.time()
            logger.error("Live pages stand still: %s", error, exc_info=error)
        for board, _ in self._boards.values():
            board.is_stale = True
        await self._in_thread(connections.close_all)
        await asyncio.sleep(BUSY)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await self._loop.run_in_executor(self._thread, work)


_running: WeakKeyDictionary[asyncio.AbstractEventLoop, Broadcaster] = WeakKeyDictionary()


def broadcaster() -> Broadcaster:
    """The one of this process (of this event loop), running."""
    loop = asyncio.get_running_loop()
    present = _running.get(loop)
    if present is None or not present.is_running:
        present = _running[loop] = Broadcaster()
    return present


def watchers() -> int:
    """How many live pages are open at this process. From any thread, so it may be a moment old."""
    return sum(each.watchers for each in list(_running.values()))
