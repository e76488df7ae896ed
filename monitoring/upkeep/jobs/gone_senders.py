"""Add up the totals of senders that are gone, so that their number does not grow with every host that ever was.

Where workers run in containers each one has a name of its own. What a gone one counted is kept, under no sender: sums
over all senders stay what they were. Should one return after all, it begins at zero.

Cost: one statement that reads the totals, once an hour; for each gone sender its rows are written once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from monitoring.ingest.stores.merging import chunks
from monitoring.models import EventTotal
from monitoring.upkeep.clock import read_clock
from monitoring.upkeep.jobs.counts import add_up
from monitoring.upkeep.lease import LeaseHolder

#: How long a sender has sent nothing that is gone: longer than the metrics show it, and than anybody is on holiday.
GONE = timedelta(days=30)
#: Rows of one transaction, and of one run.
CHUNK, MOST = 500, 5_000

_Key = tuple[str, str, str, str]


def run(lease: LeaseHolder) -> str:
    """Add up what is ready; the next run goes on."""
    until = read_clock(lease.using) - GONE
    totals = EventTotal.objects.using(lease.using)
    # A sender of whom any total has grown lately is not gone.
    present = totals.filter(updated_at__gt=until).values("worker")
    gone = totals.exclude(worker="").exclude(worker__in=present).order_by("pk")
    rows = list(gone[:MOST])
    for chunk in chunks(rows, CHUNK):
        with lease.transaction():
            _add_up(lease.using, chunk)
    return f"Totals of gone senders added up: {len(rows)}."


def _add_up(using: str, gone: Iterable[EventTotal]) -> None:
    """Each into the one of its type, name, queue and exception type that has no sender. Must run in a transaction.

    The oldest row of them stays: by its age the metrics decide which names have a series of their own.
    """
    groups: dict[_Key, list[EventTotal]] = {}
    for row in gone:
        groups.setdefault(_key(row), []).append(row)
    names = {name for _type, name, *_ in groups}
    nobodys = EventTotal.objects.using(using).filter(worker="", name__in=names).select_for_update()
    for row in nobodys:
        if _key(row) in groups:
            groups[_key(row)].append(row)
    for rows in groups.values():
        oldest, *others = sorted(rows, key=lambda row: row.pk)
        for other in others:
            add_up(oldest, other)
        EventTotal.objects.using(using).filter(pk__in=[other.pk for other in others]).delete()
        oldest.worker = ""
        oldest.save(using=using)


def _key(row: EventTotal) -> _Key:
    return (row.type, row.name, row.queue, row.exception_type)
