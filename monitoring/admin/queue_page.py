"""The page of one queue: what its template needs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from ..brokers import BrokerUnavailable, adapter_for
from ..celery_app import watched_app
from ..conf import monitoring_settings
from ..control import purge
from ..control.tasks import find
from ..models import Queue
from ..queries import queues
from ..queries.statistics_range import Range
from ..queries.statistics_rows import Selection
from ..queries.statistics_series import series
from ..queries.visibility import Visibility
from .chart_range import ChartRange
from .charts import Chart, Series
from .control_actions import actions_for
from .live import live_context
from .queue_list import broker_facts
from .queue_row import QueueRow

RANGES = ("15m", "1h", "6h", "24h", "7d", "30d")
#: Waiting tasks of our own records, and messages that are looked at, that one page shows.
WAITING, PEEKED = 25, 25


def queue_page(
    request: HttpRequest,
    queue: Queue,
    visibility: Visibility,
    with_payload: bool,
    site_name: str,
    now: datetime,
) -> dict[str, Any]:
    """Cost: samples and statistics of the range, waiting tasks by the index of states, and, where the reader asks for
    them (``?peek=1``), the first messages, from the broker."""
    live = live_context(request, site_name, "queues")
    wanted = ChartRange.of(request, now, RANGES, "1h")
    depths = queues.depths(visibility, wanted.start, wanted.end, [queue.name])
    waits = queues.wait_percentiles(visibility, wanted.start, wanted.end)
    row = QueueRow(queue, now, waits.get(queue.name), depths.ready.get(queue.name, ()))
    actions = actions_for(request, site_name, "queue", [queue.name], known={purge.find: {queue.name: queue}})
    may_view_tasks = request.user.has_perm("monitoring.view_task")
    facts = broker_facts(visibility, now)
    # What waits is of tasks, whose page a reader of queues need not be allowed to see.
    can = set(facts["broker"].abilities) if facts["broker"] is not None and may_view_tasks else set()
    can_peek = "peek" in can
    waiting = (
        queues.waiting_tasks(visibility, queue.name, WAITING, with_payload=with_payload)
        if may_view_tasks
        else []
    )
    tasks = {task.task_id: task for task in waiting}
    if "remove" in can:
        ways_out = actions_for(request, site_name, "message", list(tasks), known={find: tasks})
    else:
        ways_out = actions_for(request, site_name, "task", list(tasks), ("revoke",))
    return {
        **live,
        **facts,
        "range": wanted,
        "row": row,
        "queue": queue,
        "head_actions": actions[queue.name],
        "charts": [_depth(queue, depths, wanted), _wait(visibility, queue, wanted)],
        "names": queues.task_names(visibility, queue.name, wanted.start, wanted.end)[:WAITING],
        "waiting": [(task, ways_out[task.task_id]) for task in waiting],
        "with_ways_out": any(ways_out.values()),
        "with_payload": with_payload,
        "may_view_tasks": may_view_tasks,
        "can_peek": can_peek,
        **(_peek(queue.name) if can_peek and request.GET.get("peek") else {}),
    }


def _depth(queue: Queue, depths: queues.Depths, wanted: ChartRange) -> Chart:
    series = [Series(_("Ready"), _rounded(depths.ready.get(queue.name), depths), "s1")]
    if queue.name in depths.unacked:
        series.append(Series(_("Unacknowledged"), _rounded(depths.unacked[queue.name], depths), "s6"))
    is_newest = bool(depths.times) and (wanted.end - depths.times[-1]).total_seconds() < depths.step
    return Chart(
        "mon-chart-depth",
        _("Depth"),
        _("messages"),
        wanted.start,
        wanted.end,
        depths.times,
        series,
        filling=is_newest,
    )


def _wait(visibility: Visibility, queue: Queue, wanted: ChartRange) -> Chart:
    """The waits of tasks that ended, from statistics; cost: a statement of at most 400 rows."""
    period = Range.between(wanted.start, wanted.end)
    found = series(visibility, period, "wait_p95", Selection(queue=queue.name))
    return Chart(
        "mon-chart-wait",
        _("Queue wait"),
        _("of tasks that ended"),
        period.start,
        period.end,
        found.starts,
        [Series("p95", found.lines[0].values, "p95")],
        filling=True,
        kind="duration",
    )


def _rounded(values: list[float | None] | None, depths: queues.Depths) -> list[float | None]:
    if values is None:
        return [None] * len(depths.times)
    return [None if value is None else round(value, 1) for value in values]


def _peek(name: str) -> dict[str, Any]:
    try:
        found = adapter_for(watched_app()).peek(name, PEEKED, monitoring_settings.CONTROL_TIMEOUT)
    except BrokerUnavailable as error:
        return {"peek_problem": str(error)}
    return {"peeked": found}
