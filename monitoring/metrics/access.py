"""Who may read the metrics: a user with ``view_statistic`` who may see all tasks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from ..api.sign_in import Refusal, who
from ..conf import monitoring_settings

PERMISSION = "monitoring.view_statistic"


def refusal(request: HttpRequest) -> HttpResponse | None:
    """What to answer to one who may not read them; None: he may.

    As :func:`who`, and 403 without the permission, and for a user of limited visibility.
    """
    if monitoring_settings.METRICS_PUBLIC:
        return None
    actor = who(request, "metrics")
    if isinstance(actor, Refusal):
        return _plain(actor)
    if not actor.may(PERMISSION):
        return _plain(Refusal(403, f"This needs the permission {PERMISSION}."))
    if not actor.visibility.is_everything:
        return _plain(Refusal(403, "Metrics tell of everybody's tasks, and this user may see only some."))
    return None


def _plain(refusal: Refusal) -> HttpResponse:
    return HttpResponse(
        f"{refusal.words}\n",
        status=refusal.status,
        content_type="text/plain; charset=utf-8",
        headers=dict(refusal.headers),
    )
