"""Workers: all of them, one with what it last said, and its history."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from ...inspection.kinds import KINDS
from ...queries.worker_filter import WorkerFilter
from ...queries.worker_history import history
from ...queries.worker_snapshots import Snapshot, snapshots
from ...queries.worker_tasks import tasks_held, tasks_revoked
from ...queries.workers import worker as find_worker
from ...queries.workers import workers
from ..etags import answer
from ..operations import Operation, Parameter
from ..shapes import as_mapping
from ..views import MonitoringView
from . import ranges
from .worker_shapes import EXAMPLE, WorkerDetailShape, WorkerHistoryShape, WorkerShape, WorkersShape

#: Inspect commands that list tasks: they are told without what a reader may not see.
_OF_TASKS = ("active", "reserved", "scheduled", "revoked")


class WorkersView(MonitoringView):
    """GET: the workers that match."""

    permission = "monitoring.view_worker"
    tag = "workers"
    operations = {
        "GET": Operation(
            "List workers",
            WorkersShape,
            errors=(400,),
            parameters=(
                Parameter("status", choices=("online", "offline")),
                Parameter("queue", "That consume it."),
                Parameter("q", "Part of the host name."),
            ),
            example={"results": [EXAMPLE]},
        )
    }

    def get(self, request: Request) -> Response:
        query = self.asked
        wanted = WorkerFilter.from_query({name: query[name] or "" for name in ("status", "queue", "q")})
        found = [worker for worker in workers(self.visibility) if wanted.matches(worker)]
        return Response(WorkersShape({"results": found}).data)


class WorkerView(MonitoringView):
    """GET: one worker by its host name."""

    permission = "monitoring.view_worker"
    tag = "workers"
    operations = {"GET": Operation("One worker", WorkerDetailShape, errors=(400, 404))}

    def get(self, request: Request, target: str) -> Response:
        found = _worker(self, target)
        told = {name: getattr(found, name) for name in WorkerShape.Meta.fields}
        told["answers"] = snapshots(
            self.visibility, target, [kind for kind in KINDS if kind not in _OF_TASKS]
        )
        told["holds"] = {kind: self._held(target, kind) for kind in ("active", "reserved", "scheduled")}
        revoked = tasks_revoked(self.visibility, target)
        told["holds"]["revoked"] = {
            **_said(revoked.snapshot),
            "task_ids": revoked.task_ids,
            "total": revoked.total,
        }
        return answer(request, WorkerDetailShape(told).data)

    def _held(self, hostname: str, kind: str) -> dict[str, Any]:
        held = tasks_held(self.visibility, hostname, kind, with_payload=self.with_payload)
        return {**_said(held.snapshot), "tasks": held.tasks, "total": held.total}


class WorkerHistoryView(MonitoringView):
    """GET: how a worker did over time."""

    permission = "monitoring.view_worker"
    needs_full_visibility = True
    tag = "workers"
    operations = {
        "GET": Operation(
            "History of a worker",
            WorkerHistoryShape,
            "From samples of each minute, kept for a week, the hours that they add up to, kept for 90 days, and the"
            " days, kept for two years: a range that begins before has longer steps. Not for users of limited"
            " visibility.",
            errors=(400, 404),
            parameters=(
                *ranges.parameters("1h"),
                Parameter("points", "About so many.", "integer", default=240, least=1, most=1_000),
            ),
        )
    }

    def get(self, request: Request, target: str) -> Response:
        since, until = ranges.read_range(self.asked)
        _worker(self, target)
        found = history(self.visibility, target, since, until, self.asked["points"])
        assert found is not None, "this visibility is not limited"
        return Response(WorkerHistoryShape(as_mapping(found)).data)


def _worker(view: MonitoringView, hostname: str) -> Any:
    found = find_worker(view.visibility, hostname)
    if found is None:
        raise Http404(_("There is no such worker, or not any more"))
    return found


def _said(snapshot: Snapshot) -> dict[str, Any]:
    return {name: getattr(snapshot, name) for name in ("asked_at", "answered_at", "problem", "is_hidden")}
