"""Workers whose heartbeats have stopped are offline: what a killed worker cannot say of itself.

Cost: four reads of small tables, and one UPDATE for each worker that has fallen silent.
"""

from __future__ import annotations

from monitoring.models import Worker
from monitoring.queries.worker_presence import presence
from monitoring.upkeep.clock import read_clock
from monitoring.upkeep.lease import LeaseHolder


def run(lease: LeaseHolder) -> str:
    """Turn silent workers offline; those that are not heard from up to the stream horizon.

    Pages apply the same rule at every look. Written down, it lets the next heartbeat bring the worker back, and keeps
    those offline that have been so for long, whatever the consumers do then.
    """
    judge = presence(lease.using, read_clock(lease.using))
    if judge.horizon is None:
        return "Not judged: no consumer is connected and up to date."
    judged, offline = 0, []
    with lease.transaction():
        workers = Worker.objects.using(lease.using).filter(online=True, beat_ts__isnull=False).order_by("pk")
        columns = ("hostname", "beat_ts", "beat_tie", "online", "last_heartbeat", "frequency", "clock_skew")
        for worker in workers.only(*columns):
            judged += judge.may_judge(worker)
            if judge.is_silent(worker) and _silence(lease.using, worker):
                offline.append(worker.hostname)
    outcome = f"{judged} online workers judged up to {judge.horizon:%Y-%m-%d %H:%M:%S} UTC"
    return f"{outcome}; offline now: {', '.join(offline)}." if offline else f"{outcome}."


def _silence(using: str, worker: Worker) -> bool:
    """Turn `worker` offline by one UPDATE, unless a heartbeat came meanwhile; whether it is.

    What is written is a register's key, so a heartbeat that comes later brings the worker back by the merge alone.
    """
    judged = Worker.objects.using(using).filter(
        pk=worker.pk, online=True, beat_ts=worker.beat_ts, beat_tie=worker.beat_tie
    )
    return bool(judged.update(silent_ts=worker.beat_ts, silent_tie=worker.beat_tie, online=False))
