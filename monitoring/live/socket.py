"""The socket of live pages: who may read, what they ask for, what they say. docs/live.md has the whole protocol."""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import suppress
from functools import partial
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from monitoring.live.audience import Audience, BadQuery, Subscription
from monitoring.live.board import Board
from monitoring.live.broadcaster import Broadcaster, broadcaster
from monitoring.live.messages import Ack, BadMessage, Filter, Message, Pause, Refresh, Resume, parse
from monitoring.live.origin import is_own_origin
from monitoring.live.outbox import Outbox, Unanswered
from monitoring.live.pace import Pace
from monitoring.live.reader import Reader, Refused, look_up
from monitoring.queries.feed import missed_since

logger = logging.getLogger(__name__)

#: Close codes beside those of reader.py.
BAD_MESSAGE, SILENT_PAGE, TOO_MANY, FAULT = 4400, 4408, 4429, 1011
#: Seconds between two looks at session and permissions, and until the next one where the database did not answer.
RECHECK, AGAIN = 45.0, 5.0
#: Messages a second, and at once.
RATE, BURST = 5.0, 20


class MonitoringSocket(AsyncWebsocketConsumer):  # type: ignore[misc] # Channels has no types
    """One page. Its rows come from the board of its audience; it holds nothing of its own but its place in that."""

    # The broadcaster listens for all: a subscription for each socket would cost one of Redis' each, and a Redis that is
    # down would refuse every page. No layer has this name.
    channel_layer_alias = None

    _board: Board | None = None
    _broadcaster: Broadcaster | None = None
    _outbox: Outbox
    _reader: Reader
    _subscription: Subscription

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Without Channels' look at the database connections, which costs a thread for each answer of a page."""
        handler = {
            "websocket.connect": self.websocket_connect,
            "websocket.receive": self.websocket_receive,
            "websocket.disconnect": self.websocket_disconnect,
        }[message["type"]]
        await handler(message)

    async def connect(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        if not is_own_origin(self.scope):
            # Before it is accepted: the server answers the handshake with 403.
            await self.close()
            return
        await self.accept()
        self._pace = Pace(RATE, BURST)
        self._broadcaster = present = broadcaster()
        present.arrive(self)
        try:
            self._subscription, cursor = Subscription.parse(self.scope["query_string"].decode("latin-1"))
            self._reader = await present.ask(partial(look_up, self.scope))
            missed = await present.ask(partial(missed_since, cursor)) if cursor is not None else None
        except BadQuery:
            await self._end(BAD_MESSAGE)
            return
        except Refused as refused:
            await self._end(refused.code)
            return
        except Exception:
            logger.exception("A live page could not be opened")
            await self._end(FAULT)
            return
        self._outbox = Outbox(self._send_text, present)
        self._outbox.missed = missed
        self._join()
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._deliver()), loop.create_task(self._recheck())]

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._broadcaster is None:
            return
        if not self._pace.allows():
            await self._end(TOO_MANY)
            return
        try:
            self._obey(parse(text_data))
        except (BadMessage, BadQuery) as error:
            logger.debug("A page said something unknown: %s", error)
            await self._end(BAD_MESSAGE)

    async def disconnect(self, code: int) -> None:
        self._leave()
        for task in self._tasks:
            task.cancel()

    def wake(self) -> None:
        self._outbox.wake()

    def fail(self) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(self._end(FAULT)))

    def _obey(self, message: Message) -> None:
        match message:
            case Ack(seq):
                self._outbox.answer(seq)
            case Filter(query):
                self._subscription = self._subscription.filtered(query)
                if self._board is not None:
                    self._join()
            case Pause():
                if self._board is not None and self._broadcaster is not None:
                    self._broadcaster.leave(self._board, self, only_pause=True)
                    self._board = None
                    self._outbox.show(None)
            case Resume():
                if self._board is None:
                    self._outbox.miss_what_was_paused()
                    self._join()
            case Refresh():
                self._outbox.refresh()

    def _join(self) -> None:
        """Become one of the audience that the present subscription and reader make."""
        assert self._broadcaster is not None
        prefix = self.scope.get("root_path", "").rstrip("/") + "/"
        former, audience = self._board, Audience.of(self._subscription, self._reader, prefix)
        self._board = self._broadcaster.join(audience, self)
        if former is not None and former is not self._board:
            self._broadcaster.leave(former, self)
        self._outbox.show(self._board)

    def _leave(self) -> None:
        if self._broadcaster is not None:
            self._broadcaster.leave(self._board, self)
            self._broadcaster = self._board = None

    async def _send_text(self, text: str) -> None:
        await self.send(text_data=text)

    async def _deliver(self) -> None:
        try:
            await self._outbox.run()
        except Unanswered:
            await self._end(SILENT_PAGE)
        except Exception as error:  # the connection is gone, and the server has not said so yet
            logger.debug("A live page is gone: %r", error)

    async def _recheck(self) -> None:
        """Close the socket of who has been signed out or lost the permission; show others what they may see now."""
        pause = RECHECK
        while True:
            # Not all at once after a restart of the web server.
            await asyncio.sleep(pause * random.uniform(0.8, 1.0))  # noqa: S311
            if self._broadcaster is None:
                return
            try:
                reader = await self._broadcaster.ask(partial(look_up, self.scope))
            except Refused as refused:
                await self._end(refused.code)
                return
            except Exception as error:
                # What cannot be looked up is not known to be allowed, but a database that is away sends no rows either.
                logger.warning("Permissions of a live page could not be looked up: %s", error)
                pause = AGAIN
                continue
            pause = RECHECK
            if reader != self._reader:
                self._reader = reader
                if self._board is not None:
                    self._join()

    async def _end(self, code: int) -> None:
        self._leave()
        with suppress(Exception):  # it may be closed already
            await self.close(code)
