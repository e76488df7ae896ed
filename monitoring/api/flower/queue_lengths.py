"""``/api/queues/length``: how much waits in each queue that a worker consumes."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from ...models import Queue
from ...queries.queues import abilities, queues
from .views import FlowerView


class QueueLengths(FlowerView):
    """GET: the queues as upkeep read them last, some seconds ago. Those of which nothing is known are left out."""

    permission = "monitoring.view_queue"

    def get(self, request: Request) -> Response:
        # RabbitMQ's management API, which Flower passes on, counts as messages also what workers have.
        with_unacked = "rates" in abilities()
        found = [queue for queue in queues(self.visibility) if queue.ready is not None]
        consumed = [queue for queue in found if "worker" in queue.named_by]
        shown = sorted(consumed or found, key=lambda queue: str(queue.name))
        return Response({"active_queues": [_shown(queue, with_unacked) for queue in shown]})


def _shown(queue: Queue, with_unacked: bool) -> dict[str, Any]:
    ready = queue.ready or 0
    return {
        "name": queue.name,
        "messages": ready + (queue.unacked or 0 if with_unacked else 0),
        "messages_ready": ready,
        "messages_unacknowledged": queue.unacked,
        "consumers": queue.consumers,
        "read_at": None if queue.read_at is None else queue.read_at.timestamp(),
    }
