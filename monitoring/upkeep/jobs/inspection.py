"""Asks workers again what they are, so that what is shown of one is not old and survives the worker.

Cost: one read of the workers and of the ages of their answers; one exchange with the broker for the workers that are
due, a few milliseconds when all of them answer and ``CONTROL_TIMEOUT`` when one does not; an upsert of the answers.
Each question reaches every worker, which looks whether it is meant, so many are asked at once and seldom.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from monitoring.conf import monitoring_settings
from monitoring.control.connecting import BrokerUnavailable, TooManyCalls
from monitoring.inspection.asking import ask_workers
from monitoring.inspection.kinds import KINDS
from monitoring.inspection.storing import store
from monitoring.models import Worker, WorkerSnapshot
from monitoring.queries.workers import online_hostnames
from monitoring.upkeep.clock import read_clock
from monitoring.upkeep.lease import LeaseHolder

#: Workers that one run asks.
AT_ONCE = 20
#: Seconds that a run waits for a silent worker at most: the other jobs wait meanwhile.
PATIENCE = 3.0


def run(lease: LeaseHolder) -> str:
    """Ask the workers whose answers are oldest, of those that are online and have one that is due."""
    using = lease.using
    due = _due(using, online_hostnames(using), read_clock(using))
    if not due:
        return "Nothing was due."
    hostnames = sorted(due, key=lambda hostname: (due[hostname][0], hostname))[:AT_ONCE]
    kinds = [kind for kind in KINDS if any(kind in due[hostname][1] for hostname in hostnames)]
    try:
        timeout = min(monitoring_settings.CONTROL_TIMEOUT, PATIENCE)
        asked = ask_workers(hostnames, kinds, timeout=timeout)
    except (BrokerUnavailable, TooManyCalls) as error:
        return f"Nobody could be asked: {error}"
    with lease.transaction():
        store(asked, using)
    silent = sorted({one.hostname for one in asked if one.taken is None})
    outcome = f"Asked: {len(hostnames)} of {len(due)} that were due"
    return f"{outcome}; not all answered: {', '.join(silent)}." if silent else f"{outcome}."


def _due(using: str, hostnames: Iterable[str], now: datetime) -> dict[str, tuple[datetime, set[str]]]:
    """Who is due, with the oldest time at which what is due was asked, and what that is."""
    begun = dict(Worker.objects.using(using).filter(online=True).values_list("pk", "started_at"))
    asked: dict[str, dict[str, datetime]] = {hostname: {} for hostname in hostnames}
    for hostname, kind, asked_at in WorkerSnapshot.objects.using(using).values_list(
        "hostname", "kind", "asked_at"
    ):
        if hostname in asked:
            asked[hostname][kind] = asked_at
    due = {}
    for hostname, times in asked.items():
        if kinds := _due_kinds(times, begun.get(hostname), now):
            never = datetime.min.replace(tzinfo=now.tzinfo)
            due[hostname] = (min(times.get(kind, never) for kind in kinds), kinds)
    return due


def _due_kinds(asked: Mapping[str, datetime], begun_at: datetime | None, now: datetime) -> set[str]:
    """What was never asked, or long ago, or of the process before."""
    return {
        kind.name
        for kind in KINDS.values()
        if (asked_at := asked.get(kind.name)) is None
        or asked_at < now - timedelta(seconds=kind.interval)
        or (begun_at is not None and asked_at < begun_at <= now)
    }
