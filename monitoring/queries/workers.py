"""Workers."""

from __future__ import annotations

from dataclasses import dataclass

from ..models import Worker
from .visibility import Visibility
from .worker_presence import Presence, presence

#: Most workers that a page lists.
MAX_WORKERS = 1_000
#: What the rule of presence reads.
_JUDGED = ("hostname", "online", "last_heartbeat", "frequency", "clock_skew")


@dataclass(frozen=True)
class Totals:
    """All workers together. Figures are of those that are online; None: not for a user of limited visibility."""

    known: int
    online: int
    #: Tasks that run, and that could run at once where a worker has said its concurrency.
    active: int | None
    concurrency: int | None
    #: Since each of them started.
    processed: int | None
    #: Seconds between the heartbeats of the online workers that have said so.
    frequencies: tuple[float, ...]

    @property
    def offline(self) -> int:
        return self.known - self.online


def workers(visibility: Visibility, judge: Presence | None = None) -> list[Worker]:
    """Every worker, offline ones first, at most MAX_WORKERS; `online` is so at this moment, or as `judge` has it.

    Cost: the table, one row per host name, and, without a `judge`, what presence is judged by.
    """
    judge = judge or presence()
    listed = [
        _as_seen(worker, visibility) for worker in Worker.objects.order_by("online", "hostname")[:MAX_WORKERS]
    ]
    for worker in listed:
        worker.online = judge.is_online(worker)
    return sorted(listed, key=lambda worker: (worker.online, worker.hostname))


def worker(visibility: Visibility, hostname: str) -> Worker | None:
    """One worker, or None; `online` is so at this moment. Cost: the primary key, and what presence is judged by."""
    if "\0" in hostname:  # no name has one, and PostgreSQL refuses to look
        return None
    found = Worker.objects.filter(pk=hostname).first()
    if found is None:
        return None
    found.online = presence().is_online(found)
    return _as_seen(found, visibility)


def totals(visibility: Visibility) -> Totals:
    """How many workers there are and what they do. Cost: a few columns of the table, however many workers."""
    judge = presence()
    everyone = list(Worker.objects.only(*_JUDGED, "active", "concurrency", "processed"))
    online = [worker for worker in everyone if judge.is_online(worker)]
    is_shown = visibility.is_everything
    return Totals(
        known=len(everyone),
        online=len(online),
        active=sum(worker.active or 0 for worker in online) if is_shown else None,
        concurrency=sum(worker.concurrency or 0 for worker in online) if is_shown else None,
        processed=sum(worker.processed or 0 for worker in online) if is_shown else None,
        frequencies=tuple(worker.frequency for worker in online if worker.frequency and worker.frequency > 0),
    )


@dataclass(frozen=True)
class WorkerFigures:
    """What the metrics say of one worker; None: it has not. `unheard` is in seconds, up to what is committed."""

    hostname: str
    online: bool
    unheard: float
    active: int | None
    processed: int | None
    load_average: float | None
    concurrency: int | None
    queues: tuple[str, ...]


def worker_figures(visibility: Visibility) -> list[WorkerFigures]:
    """Every worker that ever sent a heartbeat. Nothing for a user of limited visibility.

    While no consumer runs nobody grows more silent: silence is counted up to the newest heartbeat, or the horizon.

    Cost: a few columns of the table, however many workers.
    """
    if not visibility.is_everything:
        return []
    judge = presence()
    everyone = Worker.objects.only(*_JUDGED, "active", "processed", "load_average", "concurrency", "queues")
    heard = {
        worker: judge.heard(worker.last_heartbeat, worker)
        for worker in everyone.order_by("hostname")
        if worker.last_heartbeat is not None
    }
    until = max([*heard.values(), *([judge.horizon] if judge.horizon else ())], default=judge.now)
    until = min(until, judge.now)
    return [
        WorkerFigures(
            hostname=worker.hostname,
            online=judge.is_online(worker),
            unheard=max(0.0, (until - at).total_seconds()),
            active=worker.active,
            processed=worker.processed,
            load_average=(worker.load_average or [None])[0],
            concurrency=worker.concurrency,
            queues=tuple(worker.queues or ()),
        )
        for worker, at in heard.items()
    ]


def online_hostnames(using: str | None = None) -> list[str]:
    """Who can be asked something at this moment, in order. Cost: a few columns of the workers that are not stopped."""
    judge = presence(using)
    candidates = Worker.objects.using(using).filter(online=True).only(*_JUDGED).order_by("hostname")
    return [worker.hostname for worker in candidates if judge.is_online(worker)]


def _as_seen(found: Worker, visibility: Visibility) -> Worker:
    """Without what tells of tasks that may not be seen: a limited user gets no figures, and only queues of theirs."""
    if not visibility.is_everything:
        found.active = found.processed = found.failed = found.load_average = None
        found.queues = [queue for queue in found.queues or () if visibility.allows_queue(queue)]
    return found
