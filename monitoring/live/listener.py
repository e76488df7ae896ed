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


class Listener:
    """A member of the group. While it `is_listening` there is no need to look at the feed each second."""

    def __init__(self, layer: Any, heard: Callable[[], None]) -> None:
        self._layer = layer
        self._heard = heard
        self.is_listening = False

    async def run(self) -> None:
        """Call `heard` upon each nudge, until cancelled. A fault of the layer costs nudges, nothing else."""
        while True:
            channel = None
            try:
                channel = await self._layer.new_channel()
                await self._layer.group_add(GROUP, channel)
                self.is_listening = True
                while True:
                    await self._layer.receive(channel)
                    self._heard()
            except asyncio.CancelledError:
                await self._leave(channel)
                raise
            except Exception as error:  # of whatever library the layer is made of
                logger.warning("No nudges: live pages look each second. %r", error)
            self.is_listening = False
            await asyncio.sleep(PAUSE)

    async def _leave(self, channel: str | None) -> None:
        if channel is None:
            return
        try:
            await asyncio.wait_for(self._layer.group_discard(GROUP, channel), PAUSE)
        except Exception as error:
            logger.debug("The group of live pages was not left: %r", error)
