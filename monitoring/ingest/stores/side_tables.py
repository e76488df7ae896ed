"""The tables beside tasks and events: few rows, so every store writes them through the ORM."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, astuple

from django.db import connections
from django.utils import timezone

from monitoring.ingest.counting import Count
from monitoring.ingest.stores.columns import to_datetime
from monitoring.ingest.stores.contract import Batch, DeadLetterEntry, GapEntry
from monitoring.ingest.stores.merging import chunks
from monitoring.models import DeadLetter, EventDelta, Gap, StatisticMark

#: Names the advisory lock of PostgreSQL under which dead letters and gaps are looked up and added: "side" in ASCII.
ADVISORY_LOCK = 0x73696465
#: Digests of one IN list: old SQLite takes 999 parameters.
_DIGESTS = 900


def write_side_tables(using: str, batch: Batch) -> None:
    """Add the dead letters and gaps that are not there yet. Must run at the end of the transaction of `batch`.

    Nobody knows of a transaction whose connection broke whether it was committed, and half of a batch may have been.
    A message that was delivered again may be in the hands of two consumers: they write one after the other, on
    PostgreSQL by an advisory lock, on SQLite by the one write lock of the database.
    Cost: nothing where there are none, as in nearly every batch, else two statements for each table; one look for
    their digests more where some have come before.
    """
    if not (batch.dead_letters or batch.gaps):
        return
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
    if letters := _new_letters(using, batch.dead_letters):
        DeadLetter.objects.using(using).bulk_create(letters)
    if gaps := _new_gaps(using, batch.gaps):
        Gap.objects.using(using).bulk_create(gaps)


def _new_letters(using: str, entries: list[DeadLetterEntry]) -> list[DeadLetter]:
    """What was received at one moment is one; what has come before is known by its digest alone."""
    if not entries:
        return []
    moments = [entry.received_at for entry in entries]
    letters = DeadLetter.objects.using(using)
    near = letters.filter(received_at__range=(min(moments), max(moments)))
    known = set(near.values_list("received_at", "digest"))
    before = sorted({entry.digest for entry in entries if entry.has_come_before})
    digests = {
        digest
        for chunk in chunks(before, _DIGESTS)
        for digest in letters.filter(digest__in=chunk).values_list("digest", flat=True)
    }
    new = []
    for entry in entries:
        is_known = entry.has_come_before and entry.digest in digests
        if not is_known and (entry.received_at, entry.digest) not in known:
            values = asdict(entry)
            del values["has_come_before"]
            new.append(DeadLetter(**values))
        digests.add(entry.digest)
    return new


def _new_gaps(using: str, entries: list[GapEntry]) -> list[Gap]:
    if not entries:
        return []
    begins = [entry.started_at for entry in entries]
    near = Gap.objects.using(using).filter(started_at__range=(min(begins), max(begins)))
    known = set(near.values_list("started_at", "ended_at", "reason"))
    return [Gap(**asdict(entry)) for entry in entries if astuple(entry) not in known]


def write_counts(using: str, counts: list[Count]) -> None:
    if counts:
        now = timezone.now()
        EventDelta.objects.using(using).bulk_create(
            [EventDelta(**asdict(count), created_at=now) for count in counts]
        )


def write_marks(using: str, minutes: Iterable[int], task_ids: Iterable[str] = ()) -> None:
    """Mark minutes (microseconds since the epoch), and tasks whose retries are counted, to be counted anew."""
    marks = [StatisticMark(minute=to_datetime(minute)) for minute in sorted(minutes)]
    marks += [StatisticMark(task_id=task_id) for task_id in task_ids]
    if marks:
        StatisticMark.objects.using(using).bulk_create(marks)
