"""Failed tasks with their statistics, as upkeep would have counted them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from monitoring.models import Task
from monitoring.time_steps import MINUTE, start_of
from monitoring.tracebacks.fingerprint import Places, fingerprint_of
from monitoring.upkeep.statistics.counting import count_minutes
from monitoring.upkeep.statistics.groups import note_failures
from monitoring.upkeep.statistics.storing import store_buckets
from tests.factories import make_task


def traceback_in(
    function: str, line: int = 118, exception: str = "GatewayTimeout: no answer in 3.0 s"
) -> str:
    return (
        "Traceback (most recent call last):\n"
        '  File "/venv/lib/python3.12/site-packages/celery/app/trace.py", line 453, in trace_task\n'
        "    R = retval = fun(*args, **kwargs)\n"
        f'  File "/srv/shop/payments/gateway.py", line {line}, in {function}\n'
        "    raise GatewayTimeout(url)\n"
        f"{exception}\n"
    )


def make_failure(at: datetime, function: str = "capture", using: str = "default", **fields: Any) -> Task:
    """A task that failed then, with the fingerprint that the consumer would have given it."""
    fields = {
        "name": "shop.pay",
        "exception_type": "GatewayTimeout",
        "exception": "GatewayTimeout('3.0 s')",
    } | fields
    traceback = fields.pop("traceback", traceback_in(function))
    fingerprint = fingerprint_of(fields["name"], Places().digest(fields["exception_type"], traceback))
    return make_task(
        using=using,
        state="FAILURE",
        finished_at=at,
        first_seen=at,
        traceback=traceback,
        fingerprint=fingerprint,
        **fields,
    )


def count_all(using: str = "default") -> None:
    """What the upkeep job `statistics` does for every minute in which a task ended."""
    ends = Task.objects.using(using).filter(finished_at__isnull=False).values_list("finished_at", flat=True)
    buckets = count_minutes(using, {start_of(at, MINUTE) for at in ends if at is not None})
    store_buckets(using, buckets)
    note_failures(using, buckets)
