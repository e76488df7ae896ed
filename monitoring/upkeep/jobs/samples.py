"""What the history of workers says of the present: clocks that are off, names that two workers have, restarts.

Cost: the workers that are online, their samples of three minutes, and a day of the log of who came and went, grouped by
the database; one UPDATE for each worker of which something has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Count, F, Min, OuterRef, Q, Subquery

from monitoring.ingest.stores.merging import chunks
from monitoring.models import Worker, WorkerEvent, WorkerSample
from monitoring.upkeep.clock import read_clock
from monitoring.upkeep.lease import LeaseHolder

_MINUTE = timedelta(minutes=1)
#: Minutes that are looked back at, the present one included.
MINUTES = 3
#: Seconds that the skew of a clock must change by to be written anew: a heartbeat's way through the broker varies.
SKEW_STEP = 0.5
#: Workers that seem silent and whose clock is not known that one run looks at, the newest.
UNHEARD = 100
#: What restarts are counted over.
RESTARTS_OVER = timedelta(hours=24)
#: Workers whose restarts are told, those with the most: names may be made up for each process, or by whoever can send.
MOST_RESTARTED = 5_000

_COLUMNS = (
    "hostname", "online", "last_heartbeat", "beat_ts", "silent_ts", "clock_skew", "duplicate_pids", "restarts",
)  # fmt: skip


def run(lease: LeaseHolder) -> str:
    """Write down each worker's clock skew, the process ids that share its name, and how often it was restarted."""
    using = lease.using
    restarts = _restarts(using, read_clock(using) - RESTARTS_OVER)
    workers = _workers(using, set(restarts))
    samples = _newest_samples(using, [worker for worker in workers if worker.online or _is_unheard(worker)])
    changed = 0
    with lease.transaction():
        for worker in workers:
            found = _found(worker, samples.get(worker.hostname, []), restarts.get(worker.hostname, 0))
            changes = {column: value for column, value in found.items() if getattr(worker, column) != value}
            if changes:
                changed += Worker.objects.using(using).filter(pk=worker.pk).update(**changes)
    return f"{len(samples)} workers looked at; {changed} changed."


def _workers(using: str, restarted: set[str]) -> list[Worker]:
    """Those of which something may have to be written, in the order of their key."""
    everyone = Worker.objects.using(using).only(*_COLUMNS)
    found = list(everyone.filter(Q(online=True) | Q(restarts__gt=0) | Q(duplicate_pids__isnull=False)))
    # A clock that is far behind makes its worker seem silent before anything is known of it.
    unheard = everyone.filter(online=False, clock_skew__isnull=True, silent_ts=F("beat_ts"))
    found += unheard.order_by("-beat_ts")[:UNHEARD]
    missing = restarted - {worker.hostname for worker in found}
    for names in chunks(sorted(missing), 900):
        found += everyone.filter(pk__in=names)
    return sorted({worker.hostname: worker for worker in found}.values(), key=lambda worker: worker.hostname)


def _is_unheard(worker: Worker) -> bool:
    return worker.clock_skew is None and worker.silent_ts is not None and worker.silent_ts == worker.beat_ts


def _found(worker: Worker, samples: Sequence[WorkerSample], restarts: int) -> dict[str, Any]:
    found: dict[str, Any] = {"restarts": restarts, "duplicate_pids": None}
    if worker.online:
        found["duplicate_pids"] = duplicate_pids(samples)
    skew = next((sample.clock_skew for sample in reversed(samples) if sample.clock_skew is not None), None)
    if skew is not None and (worker.clock_skew is None or abs(skew - worker.clock_skew) >= SKEW_STEP):
        found["clock_skew"] = round(skew, 3)
    return found


def duplicate_pids(samples: Iterable[WorkerSample]) -> list[int] | None:
    """The least and the greatest process id of several workers that have one name; None: there is one.

    `samples` are of one name, oldest first. A worker that is restarted shows two process ids within one minute; only
    where two workers alternate are the same two there a minute later.
    """
    for one, following in pairwise(samples):
        least, greatest = one.least_pid, one.greatest_pid
        if least is None or greatest is None or least == greatest:
            continue
        is_next = following.minute - one.minute == _MINUTE
        if is_next and (following.least_pid, following.greatest_pid) == (least, greatest):
            return [least, greatest]
    return None


def _newest_samples(using: str, workers: Iterable[Worker]) -> dict[str, list[WorkerSample]]:
    """Of each worker the samples of its last minutes, oldest first, by its own clock: that may be hours off."""
    by_minute: dict[datetime, list[str]] = {}
    for worker in workers:
        if worker.last_heartbeat is not None:
            minute = worker.last_heartbeat.replace(second=0, microsecond=0)
            by_minute.setdefault(minute, []).append(worker.hostname)
    found: dict[str, list[WorkerSample]] = {}
    for minute, hostnames in by_minute.items():
        for names in chunks(hostnames, 900):
            newest = WorkerSample.objects.using(using).filter(
                hostname__in=names, minute__gt=minute - MINUTES * _MINUTE, minute__lte=minute
            )
            for sample in newest.order_by("hostname", "minute"):
                found.setdefault(sample.hostname, []).append(sample)
    return found


def _restarts(using: str, since: datetime) -> dict[str, int]:
    """How many processes began since then, by host name, beside the first that was ever heard of.

    One that has processed nothing yet has just begun; one that has found its broker again says that it is online, too.
    """
    known = Worker.objects.using(using).filter(pk=OuterRef("hostname"))
    starts = (
        WorkerEvent.objects.using(using)
        .filter(Q(processed=0) | Q(processed__isnull=True), timestamp__gte=since, type="worker-online")
        .values("hostname")
        .annotate(
            starts=Count("tie"), first=Min("timestamp"), first_seen=Subquery(known.values("first_seen"))
        )
        .filter(Q(first__gt=F("first_seen")) | Q(starts__gt=1, first_seen__isnull=False))
        .order_by("-starts", "hostname")
    )
    return {
        row["hostname"]: row["starts"] - (row["first"] <= row["first_seen"])
        for row in starts[:MOST_RESTARTED]
    }
