"""The worker list: what its template needs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from ..conf import monitoring_settings
from ..control.parameters import NoParameters
from ..models import Worker
from ..queries.visibility import Visibility
from ..queries.worker_filter import WorkerFilter, queues_of
from ..queries.worker_totals import WorkerTotals
from ..queries.workers import MAX_WORKERS, workers
from ..worker_versions import celery_version, newest_version
from .control_actions import here, verb_url, verbs_for
from .url_query import with_parameters

#: Verbs that have a button in the bulk bar, in their order; the others stand in its menu.
BULK = ("ping", "pool_grow", "pool_shrink", "pool_restart", "shutdown")


def worker_list(request: HttpRequest, visibility: Visibility, site_name: str) -> dict[str, Any]:
    """`request.GET`: ``status``, ``queue`` and ``q``, as :class:`WorkerFilter` reads them. Cost: that of `workers`."""
    everyone, wanted = workers(visibility), WorkerFilter.from_query(request.GET.dict())
    newest = newest_version(worker.software for worker in everyone)
    rows = [worker for worker in everyone if wanted.matches(worker)]
    verbs = [
        (verb, verb_url(verb, site_name), verb.destroys or verb.form is not NoParameters)
        for verb in verbs_for(request, "worker")
    ]
    return {
        "verbs": sorted(
            (one for one in verbs if one[0].name in BULK), key=lambda one: BULK.index(one[0].name)
        ),
        "more_verbs": [one for one in verbs if one[0].name not in BULK],
        "may_control": bool(verbs),
        "here": here(request),
        "wanted": wanted,
        "rows": [(worker, celery_version(worker.software) not in ("", newest)) for worker in rows],
        "totals": WorkerTotals.of(rows),
        "segments": _segments(request, everyone, wanted),
        "queues": queues_of(everyone),
        "known": len(everyone),
        "cut": len(everyone) == MAX_WORKERS,
        "with_figures": visibility.is_everything,
        "grace": monitoring_settings.HEARTBEAT_GRACE,
        "celery_app": (monitoring_settings.CELERY_APP or "proj").rpartition(".")[0] or "proj",
    }


def _segments(
    request: HttpRequest, everyone: list[Worker], wanted: WorkerFilter
) -> list[tuple[str, str, int, bool]]:
    """Address, word, count and whether it is chosen; the counts ignore the status alone."""
    found = []
    for status, label in (("", _("All")), ("online", _("Online")), ("offline", _("Offline"))):
        count = sum(WorkerFilter(status, wanted.queue, wanted.text).matches(worker) for worker in everyone)
        url = with_parameters(request, status=[status] if status else [])
        found.append((url, label, count, wanted.status == status))
    return found
