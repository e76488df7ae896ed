"""``/api/tasks``, ``/api/task/info/<id>`` and ``/api/task/types``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from ...queries.choices import seen_values
from ...queries.reading import Reading
from ...queries.task_records import CHUNK, NEWEST, Record, Wanted, record, record_ids, records
from ...streaming import stream
from ..problems import problem
from .parameters import BadParameter, minute
from .search import read_search
from .tasks import ORDERS, task_as_flower
from .views import FlowerView

#: How patient a reader is who lists tasks (index of ``queries.reading.PATIENCE``).
_PATIENCE = 2
#: Names of tasks that ``/api/task/types`` lists at most.
_MAX_TYPES = 10_000


class Tasks(FlowerView):
    """GET: an object of tasks by id, in order.

    Longer answers are sent while they are made. Without ``limit`` it is the newest tasks, as many as Flower would have.
    """

    permission = "monitoring.view_task"

    def get(self, request: Request) -> HttpResponseBase:
        start = max(self.given.whole("offset", 0) or 0, 0)
        limit = self.given.whole("limit")
        stop = min(NEWEST, NEWEST if limit is None else start + max(limit, 0))
        start = min(start, stop)
        with Reading(_PATIENCE) as reading:
            ids, asked = record_ids(
                self.visibility, self._wanted(), start, stop, with_payload=self.with_payload, reading=reading
            )
        if asked.mistakes:
            words = asked.mistakes[0].message
            return Response({"error": words, "detail": words}, status=400)
        chunks = records(self.visibility, ids)
        if len(ids) <= CHUNK:
            return Response(dict(self._items(chain.from_iterable(chunks))))
        parts = _json(self._items(found) for found in chunks)
        return stream(request._request, parts, "application/json")

    def _wanted(self) -> Wanted:
        order = self.given.text("sort_by")
        column = ORDERS.get(order.removeprefix("-"))
        if order and column is None:
            known = ", ".join(sorted(ORDERS))
            raise BadParameter(f"Invalid sort_by '{order}', expected one of {known}")
        try:
            received_from, received_to = (
                _aware(minute(self.given.text(name))) for name in ("received_start", "received_end")
            )
        except (ValueError, OverflowError) as error:
            raise BadParameter(
                "Invalid received_start or received_end, expected format 'YYYY-MM-DD HH:MM'"
            ) from error
        return Wanted(
            question=read_search(self.given.text("search")),
            name=self._exact("taskname"),
            worker=self._exact("workername"),
            state=self._exact("state").upper(),
            received_from=received_from,
            received_to=received_to,
            order=column or Wanted.order,
            descending=order.startswith("-") if order else Wanted.descending,
        )

    def _exact(self, name: str) -> str:
        text = self.given.text(name)
        return "" if text == "All" else text

    def _items(self, found: Iterable[Record]) -> Iterator[tuple[str, dict[str, Any]]]:
        for each in found:
            yield each.task.task_id, task_as_flower(each, with_payload=self.with_payload)


class TaskInfo(FlowerView):
    """GET: one task."""

    permission = "monitoring.view_task"

    def get(self, request: Request, name: str) -> Response:
        found = record(self.visibility, name)
        if found is None:
            return problem(404, f"Unknown task '{name}'")
        return Response(task_as_flower(found, with_payload=self.with_payload))


class TaskTypes(FlowerView):
    """GET: the names of all tasks that were seen."""

    permission = "monitoring.view_task"

    def get(self, request: Request) -> Response:
        return Response({"task-types": seen_values(self.visibility, "name", limit=_MAX_TYPES)})


def _aware(moment: datetime | None) -> datetime | None:
    """Flower reads times in the time zone of its machine; here it is Django's."""
    return None if moment is None else timezone.make_aware(moment)


def _json(chunks: Iterable[Iterable[tuple[str, dict[str, Any]]]]) -> Iterator[bytes]:
    """One JSON object, a chunk at a time."""
    between = "{"
    for chunk in chunks:
        pairs = [f"{json.dumps(task_id)}:{json.dumps(task, ensure_ascii=False)}" for task_id, task in chunk]
        if pairs:
            yield (between + ",".join(pairs)).encode()
            between = ","
    yield b"}" if between == "," else b"{}"
