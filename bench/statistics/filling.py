"""Statistics of some days, stored by the product's own code.

`python -m bench.statistics.filling DAYS NAMES TASKS FINE_DAYS`

The shape is that of a shop: few names run most of the time and some hardly ever, nights are quiet, a queue belongs to a
name, run times are log-normal around what is usual for the name, and 3 % fail.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

QUEUES, WORKERS = 8, 20
_OUTCOMES = ("succeeded", "failed", "revoked", "rejected")
_SHARES = (0.965, 0.03, 0.004, 0.001)
_EXCEPTIONS = ("ConnectionError", "TimeoutError", "KeyError", "ValueError", "IntegrityError")


def main() -> None:
    import django

    django.setup()
    from django.db import connection, transaction

    from monitoring.time_steps import HOUR, MINUTE
    from monitoring.upkeep.statistics.storing import store_buckets

    days, names, tasks, fine_days = map(int, sys.argv[1:5])
    gc.disable()  # a day is a million objects that live until it is stored, and no circles
    begun, counted = time.monotonic(), 0
    random = np.random.default_rng(20261122)
    for back, day in _days(days):
        step, weight = (MINUTE, 1) if back <= fine_days else (HOUR, 10)
        buckets, number = _day(random, day, names, tasks // days // weight, step, weight)
        with transaction.atomic():
            store_buckets("default", buckets, step)
        counted += number
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE monitoring_statistic")
        cursor.execute("VACUUM ANALYZE monitoring_statisticfailure")
        cursor.execute("SELECT step, count(*) FROM monitoring_statistic GROUP BY step ORDER BY step")
        rows = dict(cursor.fetchall())
        cursor.execute("SELECT pg_total_relation_size('monitoring_statistic')")
        (size,) = cursor.fetchone()
    words = ", ".join(f"{count:,} of {step} s" for step, count in rows.items())
    print(
        f"{counted:,} tasks of {days} days counted in {time.monotonic() - begun:.0f} s: rows {words}; "
        f"{size / 2**20:,.0f} MB",
        file=sys.stderr,
        flush=True,
    )
    print(json.dumps(counted))


def _days(days: int) -> Iterator[tuple[int, datetime]]:
    """How long ago in days, and the beginning, of so many whole days, and of today."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for back in range(days, -1, -1):
        yield back, today - timedelta(days=back)


def _day(
    random: Any, day: datetime, names: int, tasks: int, step: int, weight: int
) -> tuple[dict[datetime, Any], int]:
    """The buckets of one day, as far as it has come, and how many tasks ended in them; each made task stands for
    `weight` of them."""
    from monitoring.log_histogram import BOUNDS
    from monitoring.time_steps import start_of
    from monitoring.upkeep.statistics.figures import Bucket, Failure

    weights = 1 / np.arange(1, names + 1) ** 0.9
    usual = np.exp(np.sin(np.arange(names) * 12.9) * 3)  # seconds, from 50 ms to 20 s
    quiet_nights = 1 + 0.8 * np.sin((np.arange(1440) - 480) / 1440 * 2 * np.pi)
    minute = random.choice(1440, tasks, p=quiet_nights / quiet_nights.sum())
    name = random.choice(names, tasks, p=weights / weights.sum())
    worker = random.integers(0, WORKERS, tasks)
    outcome = random.choice(len(_OUTCOMES), tasks, p=_SHARES)
    runtime = usual[name] * random.lognormal(0, 0.6, tasks)
    wait = random.lognormal(-2, 1, tasks)
    runtime_bucket, wait_bucket = (np.searchsorted(BOUNDS, each, side="right") for each in (runtime, wait))
    starts = [start_of(day + timedelta(minutes=each), step) for each in range(1440)]
    now, counted = datetime.now(UTC), 0
    buckets = {each: Bucket() for each in starts if each <= now}
    columns = (minute, name, worker, outcome, runtime, wait, runtime_bucket, wait_bucket)
    for m, n, w, o, r, q, r_bucket, q_bucket in zip(*(each.tolist() for each in columns), strict=True):
        bucket = buckets.get(starts[m])
        if bucket is None:
            continue
        counted += weight
        task, queue = f"shop.app{n % 17}.tasks.number_{n}", f"queue-{n % QUEUES}"
        for figures in (*bucket.of_task(task, queue), *bucket.of_worker(f"celery@worker-{w}")):
            figures.outcomes[_OUTCOMES[o]] += weight
            figures.runtimes.add(r_bucket, weight, round(r * 1e6) * weight)
            figures.waits.add(q_bucket, weight, round(q * 1e6) * weight)
        if _OUTCOMES[o] == "failed":
            exception = _EXCEPTIONS[(n + m) % len(_EXCEPTIONS)]
            bucket.failures[Failure(task, queue, exception, f"{task} {exception}")] += weight
    return buckets, counted


if __name__ == "__main__":
    main()
