"""Any other transport: what kombu can tell of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext as _

from ..control.connecting import broken_off, faults, unreachable
from .contract import BrokerAdapter, BrokerReading, Connect, QueueReading


class PlainAdapter(BrokerAdapter):
    """Says how many messages wait, where the transport can be asked; nothing else."""

    def __init__(self, connect: Connect, address: str, driver: str) -> None:
        super().__init__(connect, address)
        self._driver = driver

    def read(self, names: Collection[str], seconds: float) -> BrokerReading:
        """Cost: one question for each queue."""
        with self.connect(seconds) as connection:
            try:
                channel: Any = connection.channel()
                size = getattr(channel, "_size", None)
                queues = {
                    name: QueueReading(name, ready=int(size(name)) if size is not None else None)
                    for name in names
                }
            except faults(connection) as error:
                raise unreachable(error) from error
        problem = _("Only how many messages wait can be read through the transport %(driver)s") % {
            "driver": self._driver
        }
        return BrokerReading(self._driver, problem=problem, queues=queues)

    def purge(self, name: str, seconds: float) -> int:
        with self.connect(seconds) as connection:
            try:
                channel: Any = connection.channel()
                return int(channel.queue_purge(name) or 0)
            except faults(connection) as error:
                raise broken_off(connection, error) from error
