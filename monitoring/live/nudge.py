"""Tells the web processes, through the channel layer, that there is something in the feed."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

from monitoring.live.layer import GROUP, NUDGE

logger = logging.getLogger(__name__)

#: Seconds that one nudge may take; what a page then waits longer for, it reads by itself.
PATIENCE = 2.0


class Nudger(threading.Thread):
    """A thread with an event loop of its own, since a layer's connections belong to a loop.

    :meth:`nudge` returns at once, whatever the layer does. Nudges that come while one is on its way become one.
    """

    def __init__(self, layer: Any) -> None:
        super().__init__(name="monitoring-nudge", daemon=True)
        self._layer = layer
        self._wanted = threading.Event()
        self._stopping = False
        self._failing = False

    def nudge(self) -> None:
        self._wanted.set()

    def stop(self) -> None:
        self._stopping = True
        self._wanted.set()
        if self.is_alive():
            self.join(PATIENCE)

    def run(self) -> None:
        loop = asyncio.new_event_loop()
        try:
            while self._wanted.wait() and not self._stopping:
                self._wanted.clear()
                loop.run_until_complete(self._send())
        finally:
            loop.close()

    async def _send(self) -> None:
        try:
            await asyncio.wait_for(self._layer.group_send(GROUP, NUDGE), PATIENCE)
        except Exception as error:  # of whatever library the layer is made of
            if not self._failing:
                logger.warning("Live pages are not nudged, they look each second: %r", error)
            self._failing = True
        else:
            if self._failing:
                logger.info("Live pages are nudged again.")
            self._failing = False
