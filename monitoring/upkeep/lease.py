"""A lease: what only one process may do at a time, and what keeps a second one from doing it.

A row per name in the database, taken, renewed and released by single statements and by the database's clock. The holder
renews it well before it expires; if it dies, anybody may take it once it has. If it was only frozen and wakes up, it
finds that out before it commits anything (:meth:`LeaseHolder.transaction`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connections, transaction
from django.db.models import Q

from monitoring.models import Lease
from monitoring.upkeep.clock import database_now

#: The lease of what runs on a clock.
UPKEEP = "upkeep"
#: The lease of consuming, where a broker gives every event to every consumer.
CONSUME = "consume"

#: Seconds until a lease that is not renewed may be taken, and between two renewals. Whoever waits for it looks as often
#: as a holder renews, so a dead holder's lease is taken within the sum of both.
DURATION, RENEWAL = 20.0, 5.0


class LeaseLost(Exception):
    """Somebody else may hold the lease by now, so what was under way must not be committed."""


class LeaseHolder:
    """One contender for one lease. `holder_id` must be unique to this process, restarts included.

    Every method may raise ``django.db.DatabaseError`` and ``InterfaceError``.
    """

    def __init__(self, using: str, name: str, holder_id: str, duration: float = DURATION) -> None:
        self.using = using
        self.name = name
        self.holder_id = holder_id
        self._duration = duration
        self._held_until = 0.0
        #: How many times it was taken: what began in one tenure must not be committed in the next.
        self._tenure = 0

    def __str__(self) -> str:
        return f"{self.name} ({self.holder_id})"

    @property
    def is_held(self) -> bool:
        """Whether the lease is certainly still ours, by this host's monotonic clock alone; costs nothing."""
        return time.monotonic() < self._held_until

    def try_acquire(self) -> bool:
        """Take the lease if nobody has it or its holder's time is up; whether it is ours now. One UPDATE."""
        if self._take():
            return True
        leases = Lease.objects.using(self.using)
        if leases.filter(pk=self.name).exists():
            return False
        leases.bulk_create([Lease(name=self.name)], ignore_conflicts=True)
        return self._take()

    def _take(self) -> bool:
        asked_at = time.monotonic()
        now = database_now(self.using)
        free = Q(holder__in=("", self.holder_id)) | Q(expires_at__isnull=True) | Q(expires_at__lte=now)
        taken = (
            Lease.objects.using(self.using)
            .filter(free, pk=self.name)
            .update(
                holder=self.holder_id, acquired_at=now, expires_at=now + timedelta(seconds=self._duration)
            )
        )
        self._tenure += taken
        return self._held_since(asked_at, bool(taken))

    def renew(self) -> bool:
        """Hold the lease for another :data:`DURATION`. False: it was lost, even if nobody has taken it. One UPDATE."""
        asked_at = time.monotonic()
        now = database_now(self.using)
        renewed = (
            Lease.objects.using(self.using)
            .filter(pk=self.name, holder=self.holder_id, expires_at__gt=now)
            .update(expires_at=now + timedelta(seconds=self._duration))
        )
        return self._held_since(asked_at, bool(renewed))

    def release(self) -> None:
        """Let the next one have it at once. Nothing happens if it is no longer ours. One UPDATE."""
        self._held_until = 0.0
        Lease.objects.using(self.using).filter(pk=self.name, holder=self.holder_id).update(
            holder="", expires_at=None
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction that is committed only if the lease is still ours; raises :class:`LeaseLost` otherwise.

        The lease's row stays locked from the check to the commit: nobody can take it in between. It is checked last, so
        that the lock, which renewals wait for, is short.
        """
        if not self.is_held:
            raise LeaseLost(str(self))
        tenure = self._tenure
        with transaction.atomic(using=self.using, durable=True):
            if connections[self.using].vendor == "postgresql":
                # A process that is frozen in here would keep its locks, and with them its successor, for ever.
                with connections[self.using].cursor() as cursor:
                    cursor.execute(
                        "SELECT set_config('idle_in_transaction_session_timeout', %s, true)",
                        [str(int(self._duration * 1000))],
                    )
            yield
            held = Lease.objects.using(self.using).filter(
                pk=self.name, holder=self.holder_id, expires_at__gt=database_now(self.using)
            )
            if not list(held.select_for_update().values_list("pk")) or tenure != self._tenure:
                raise LeaseLost(str(self))

    def holder(self) -> str:
        """The id of whoever has the lease now, expired or not; empty: nobody."""
        return (
            Lease.objects.using(self.using).filter(pk=self.name).values_list("holder", flat=True).first()
            or ""
        )

    def _held_since(self, asked_at: float, held: bool) -> bool:
        # Counted from before the question: this host must never believe in the lease for longer than the database.
        self._held_until = asked_at + self._duration if held else 0.0
        return held
