"""The page of one worker: what its template needs. Each tab has a file of its own in ``worker_parts/``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin.utils import quote
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from ..models import Worker
from ..queries.audit import AuditFilter, audit_entries
from ..queries.visibility import Visibility
from ..queries.worker_snapshots import Snapshot, snapshots
from .audit_rows import audit_row
from .control_actions import here
from .url_query import with_parameters
from .worker_parts.tabs import TABS, count_of, tab_of, verbs_of
from .worker_parts.view import WorkerView

#: Entries of the audit log that the page shows.
AUDIT = 5
#: What a tab shows is asked for at once, not only after a while, where it was asked before that.
OLD = timedelta(seconds=10)
#: What one question may bring later than another that is asked with it.
TOGETHER = timedelta(seconds=5)
#: Verbs that stand in the head of the page, whatever the tab.
HEAD = ("ping", "pool_restart", "shutdown")


@dataclass(frozen=True)
class Said:
    """When the worker said what a tab shows: the newest answer, and the oldest one where that is another time."""

    newest: datetime
    oldest: datetime | None

    @classmethod
    def of(cls, answers: Iterable[Snapshot]) -> Said | None:
        """None where there is no answer."""
        times = [answer.answered_at for answer in answers if answer.answered_at is not None]
        if not times:
            return None
        newest, oldest = max(times), min(times)
        return cls(newest, oldest if newest - oldest > TOGETHER else None)


def worker_page(
    request: HttpRequest, worker: Worker, visibility: Visibility, site_name: str
) -> dict[str, Any]:
    """`request.GET`: ``tab``, and for the charts ``range``, or ``from`` and ``to``."""
    view = WorkerView(
        request, worker, visibility, site_name, timezone.now(), snapshots(visibility, worker.hostname)
    )
    tab = tab_of(request.GET.get("tab", ""))
    context: dict[str, Any] = {
        "worker": worker,
        "with_figures": visibility.is_everything,
        "with_payload": view.with_payload,
        "may_view_tasks": view.may_view_tasks,
        "tab": tab,
        "worker_tabs": [
            (each, with_parameters(request, tab=each.name, done=None), count_of(each, view, tab), each is tab)
            for each in TABS
        ],
        "head_actions": view.actions(HEAD),
        "cards": view.cards(verbs_of(tab)),
        "answers": [view.snapshot(kind) for kind in tab.kinds],
        "is_old": any(_is_old(view, kind) for kind in tab.kinds),
        "here": here(request),
        "refresh_url": reverse(
            "admin:monitoring_worker_refresh", args=[quote(worker.hostname)], current_app=site_name
        ),
        **tab.content(view),
    }
    context["said"] = Said.of(context["answers"])
    if request.user.has_perm("monitoring.view_auditentry"):
        found = audit_entries(
            request.user, visibility, AuditFilter(target=worker.hostname, since=worker.first_seen), None
        )
        context["audit"] = [audit_row(entry) for entry in found.rows[:AUDIT]]
    return context


def _is_old(view: WorkerView, kind: str) -> bool:
    asked_at = view.snapshot(kind).asked_at
    return asked_at is None or view.now - asked_at > OLD
