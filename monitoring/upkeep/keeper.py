"""Takes a lease as soon as it is free and keeps it, whatever the rest of the process is busy with."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress

from django.db import DatabaseError, InterfaceError, connections

from monitoring.faults import first_line
from monitoring.upkeep.lease import RENEWAL, LeaseHolder

logger = logging.getLogger(__name__)

#: Seconds that giving the lease back may take: a database may leave it without any answer.
LAST_ANSWER = 10.0


class LeaseKeeper(threading.Thread):
    """A thread, with a database connection of its own, that contends for `lease` until :meth:`stop`.

    Whether it has it is for ``lease.is_held`` to say. While the database is away it goes on trying.
    """

    def __init__(self, lease: LeaseHolder, renewal: float = RENEWAL) -> None:
        super().__init__(name=f"monitoring-lease-{lease.name}", daemon=True)
        self._lease = lease
        self._renewal = renewal
        self._stopping = threading.Event()
        self._had_it = lease.is_held

    def stop(self) -> None:
        """Give the lease back and end the thread. What is still under way with it will not be committed."""
        self._stopping.set()
        if self.is_alive():
            self.join(LAST_ANSWER)

    @property
    def has_it(self) -> bool:
        """What the database answered last. While it is away the lease may run out, but nobody else can take it."""
        return self._had_it

    def run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._turn()
                self._stopping.wait(self._renewal)
            with suppress(DatabaseError, InterfaceError):  # it expires by itself
                self._lease.release()
        finally:
            connections.close_all()

    def _turn(self) -> None:
        try:
            has_it = (self._lease.is_held and self._lease.renew()) or self._lease.try_acquire()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Lease %s: %s", self._lease, first_line(error))
            connections[self._lease.using].close()
            return
        except Exception:  # else this process would believe for ever what the database answered last
            logger.exception("A fault in keeping lease %s", self._lease)
            return
        if has_it != self._had_it:
            logger.info("Lease %s: %s", self._lease, "taken" if has_it else "lost")
        self._had_it = has_it
