"""Hears the nudges of the consumers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from monitoring.live.layer import GROUP

logger = logging.getLogger(__name__)

#: Seconds between two tries to join a layer that is down.
PAUSE = 5.0
#: Seconds after which a layer has been waiting for a message, not failing to: Redis' client gives up after five.
WAITED = 1.0
#: Seconds after which the group is joined anew: channels_redis forgets members after a day.
STAYS = 3_600.0


class Listener:
    """A member of the group. While it `is_listening` there is no need to look at the feed each second."""

    def __init__(self, layer: Any, heard: Callable[[], None]) -> None:
        self._layer = layer
        self._heard = heard
        self._channel: str | None = None
        self.is_listening = False

    async def run(self) -> None:
        """Call `heard` upon each nudge, until cancelled. A fault of the layer costs nudges, nothing else."""
        task = asyncio.current_task()
        assert task is not None
        try:
            # A layer may turn a cancellation into a fault of its own, or into a message: the task counts it.
            while not task.cancelling():
                try:
                    await self._listen(task)
                except Exception as error:  # of whatever library the layer is made of
                    if not task.cancelling():
                        logger.warning("No nudges: live pages look each second. %r", error)
                        self.is_listening = False
                        await asyncio.sleep(PAUSE)
            raise asyncio.CancelledError
        finally:
            self.is_listening = False
            await self._leave()

    async def _listen(self, task: asyncio.Task[Any]) -> None:
        loop = asyncio.get_running_loop()
        # The same one for good: who sends to the group sends to all that were ever in it, for a day.
        self._channel = self._channel or await self._layer.new_channel()
        joins_at = loop.time()
        while not task.cancelling():
            began = loop.time()
            if began >= joins_at:
                await self._layer.group_add(GROUP, self._channel)
                self.is_listening = True
                joins_at = began + STAYS
            try:
                await asyncio.wait_for(self._layer.receive(self._channel), STAYS)
            except Exception:
                if loop.time() - began < WAITED:
                    raise
                joins_at = began
            else:
                self._heard()

    async def _leave(self) -> None:
        if self._channel is None:
            return
        try:
            await asyncio.wait_for(self._layer.group_discard(GROUP, self._channel), PAUSE)
        except Exception as error:
            logger.debug("The group of live pages was not left: %r", error)
