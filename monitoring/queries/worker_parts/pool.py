"""The pool, as ``stats`` describes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import typed

#: Celery's own short names (`celery.concurrency.ALIASES`) by the module that ``stats`` names.
_POOLS = {
    "celery.concurrency.prefork": "prefork",
    "celery.concurrency.solo": "solo",
    "celery.concurrency.thread": "threads",
    "celery.concurrency.gevent": "gevent",
    "celery.concurrency.eventlet": "eventlet",
}


@dataclass(frozen=True)
class Autoscale:
    """Between how many processes the pool grows and shrinks by itself."""

    least: int
    most: int


@dataclass(frozen=True)
class Pool:
    """None: not said, or the pool has no such thing.

    `implementation` is the class (``celery.concurrency.prefork:TaskPool``), `name` Celery's short name for it.
    `concurrency` is how many tasks run at once at most; `pids` the processes, the worker's own in a solo pool; limits
    are in seconds, 0 where there is none. `prefetch` is how many messages the worker takes before it acknowledges.
    """

    name: str | None
    implementation: str | None
    concurrency: int | None
    pids: tuple[int, ...] = ()
    threads: int | None = None
    max_tasks_per_child: int | None = None
    soft_time_limit: float | None = None
    time_limit: float | None = None
    autoscale: Autoscale | None = None
    prefetch: int | None = None
    #: Tasks that the processes were given so far, by task name.
    processed: tuple[tuple[str, int], ...] = ()


def pool(stats: Any) -> Pool:
    """The pool of a worker that answered `stats`; of nothing known where it is no such answer."""
    stats = typed.record(stats)
    described = typed.record(stats.get("pool"))
    implementation = typed.text(described.get("implementation"))
    pids = tuple(pid for pid in map(typed.whole, typed.items(described.get("processes"))) if pid is not None)
    autoscale = _autoscale(stats.get("autoscaler"))
    limits = [*map(typed.number, typed.items(described.get("timeouts"))), None, None]
    return Pool(
        name=pool_name(implementation),
        implementation=implementation,
        concurrency=_concurrency(described, pids, autoscale),
        pids=pids,
        threads=_count(described.get("threads")),
        max_tasks_per_child=_count(described.get("max-tasks-per-child")),
        soft_time_limit=limits[0],
        time_limit=limits[1],
        autoscale=autoscale,
        prefetch=_count(stats.get("prefetch_count")),
        processed=_processed(stats.get("total")),
    )


def pool_name(implementation: str | None) -> str | None:
    """``prefork`` for ``celery.concurrency.prefork:TaskPool``; a class that is not Celery's stays as it is."""
    if implementation is None:
        return None
    return _POOLS.get(implementation.partition(":")[0], implementation)


def _count(value: Any) -> int | None:
    found = typed.whole(value)
    return found if found is not None and 0 <= found < 2**31 else None


def _concurrency(described: dict[str, Any], pids: tuple[int, ...], autoscale: Autoscale | None) -> int | None:
    """A prefork pool that has grown still tells its first size, so its processes count."""
    if autoscale is not None:
        return autoscale.most
    return len(pids) if pids else _count(described.get("max-concurrency"))


def _autoscale(described: Any) -> Autoscale | None:
    least, most = (_count(typed.record(described).get(bound)) for bound in ("min", "max"))
    return Autoscale(least, most) if least is not None and most is not None else None


def _processed(total: Any) -> tuple[tuple[str, int], ...]:
    """Most first."""
    counted = [(name, _large(count)) for name, count in typed.record(total).items() if isinstance(name, str)]
    known = [(name, count) for name, count in counted if count is not None]
    return tuple(sorted(known, key=lambda pair: (-pair[1], pair[0])))


def _large(value: Any) -> int | None:
    found = typed.whole(value)
    return found if found is not None and found >= 0 else None
