"""``/api/workers``: what the workers last answered, in the shapes of Celery's inspection."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from ...inspection.refresh import Refreshed, refresh, refresh_all
from ...queries.worker_records import WorkerRecord, worker_records
from ...queries.workers import worker
from ..problems import problem
from .views import FlowerView

#: What Flower asks all workers, and what it asks beside that of one that is named.
OF_ALL = ("stats", "active_queues", "registered", "conf")
OF_ONE = ("scheduled", "active", "reserved", "revoked")
#: What stands for an answer that was never given, or is not for this user.
_EMPTY: dict[str, Any] = {"stats": {}, "conf": {}}

_FAILED = {
    Refreshed.BROKER_AWAY: _("the broker cannot be reached"),
    Refreshed.BUSY: _("other questions wait for their answers; try again"),
}


class _WorkersView(FlowerView):
    permission = "monitoring.view_worker"

    def unknown(self) -> Response | None:
        """404 for a name that no worker has."""
        name = self.given.text("workername")
        if name and worker(self.visibility, name) is None:
            return problem(404, f"Unknown worker '{name}'")
        return None

    def refreshed(self) -> Response | None:
        """Ask the workers, where that is wanted; 503 where they cannot be asked."""
        if not self.given.flag("refresh"):
            return None
        name = self.given.text("workername")
        found = refresh(name, (*OF_ALL, *OF_ONE), older_than=0) if name else refresh_all(OF_ALL)
        return problem(503, f"Failed to update workers: {_FAILED[found]}") if found in _FAILED else None

    def records(self) -> dict[str, WorkerRecord]:
        return worker_records(
            self.visibility,
            (*OF_ALL, *OF_ONE),
            with_payload=self.with_payload,
            hostname=self.given.text("workername") or None,
        )


class Workers(_WorkersView):
    """GET, with ``refresh``, ``status`` (only whether each is online) and ``workername``."""

    def get(self, request: Request) -> Response:
        status = self.given.flag("status")
        if (failed := self.refreshed()) is not None:
            return failed
        if status:
            everyone = worker_records(self.visibility, (), with_payload=False)
            return Response({name: record.online for name, record in everyone.items()})
        return self.unknown() or Response({name: _shown(record) for name, record in self.records().items()})


class WorkerStats(_WorkersView):
    """GET ``/api/workers/stats``, which Flower's guides name and no Flower has: the statistics of each worker."""

    def get(self, request: Request) -> Response:
        return (
            self.refreshed()
            or self.unknown()
            or Response({name: record.answers.get("stats", {}) for name, record in self.records().items()})
        )


def _shown(record: WorkerRecord) -> dict[str, Any]:
    answers = {kind: record.answers.get(kind, _EMPTY.get(kind, [])) for kind in (*OF_ALL, *OF_ONE)}
    if answers["conf"]:
        # Celery lists its own bookkeeping among the settings; it is not kept, and null unless old names are in use.
        answers["conf"] = {"deprecated_settings": None, **answers["conf"]}
    answered_at = record.answered_at
    return {
        **answers,
        "timestamp": None if answered_at is None else answered_at.timestamp(),
        "online": record.online,
    }
