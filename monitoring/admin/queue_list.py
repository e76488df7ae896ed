"""The list of queues: what its template needs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest

from ..conf import monitoring_settings
from ..control import purge
from ..queries import queues
from ..queries.visibility import Visibility
from .chart_range import ChartRange
from .control_actions import actions_for
from .live import live_context
from .queue_row import QueueRow

RANGES = ("15m", "1h", "6h", "24h")
#: A reading that is older than this is said to be.
STALE = timedelta(seconds=60)


def queue_list(request: HttpRequest, visibility: Visibility, site_name: str, now: datetime) -> dict[str, Any]:
    """Cost: the table of queues, the broker's row, the samples of the range, waits from statistics, the strip."""
    live = live_context(request, site_name, "queues")
    wanted = ChartRange.of(request, now, RANGES, "1h")
    found = queues.queues(visibility)
    known = {queue.name: queue for queue in found}
    depths = queues.depths(visibility, wanted.start, wanted.end, list(known))
    waits = queues.wait_percentiles(visibility, wanted.start, wanted.end)
    rows = [QueueRow(queue, now, waits.get(queue.name), depths.ready.get(queue.name, ())) for queue in found]
    actions = actions_for(request, site_name, "queue", list(known), known={purge.find: known})
    return {
        **live,
        "range": wanted,
        "rows": [(row, actions[row.queue.name]) for row in rows],
        "stuck": [row for row in rows if row.is_stuck],
        "with_actions": any(actions.values()),
        "with_rates": any(queue.publish_rate is not None for queue in found),
        "may_control": request.user.has_perm("monitoring.control_worker"),
        "event_queue": monitoring_settings.QUEUE_NAME if visibility.is_everything else "",
        "event_queue_limit": monitoring_settings.QUEUE_MAX_LENGTH,
        "may_view_dead_letters": request.user.has_perm("monitoring.view_deadletter"),
        **broker_facts(visibility, now),
    }


def broker_facts(visibility: Visibility, now: datetime) -> dict[str, Any]:
    """The broker, and whether what is known of it is old. Cost: one row."""
    broker = queues.broker(visibility)
    stale = broker is not None and (broker.read_at is None or now - broker.read_at > STALE)
    return {"broker": broker, "is_stale": stale}
