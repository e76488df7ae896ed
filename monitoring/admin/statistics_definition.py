"""How one task name is defined, limited and sent: what its template needs."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite

from ..queries.audit import done_to_task_name
from ..queries.registered_on import registered_on
from ..queries.senders import senders
from .audit_rows import audit_row
from .control_result import banner
from .statistics_parts.facts import facts
from .statistics_parts.limits import limit_card
from .statistics_parts.view import StatisticsView


def statistics_definition(view: StatisticsView, site: AdminSite, name: str) -> dict[str, Any]:
    """By the newest answers of the workers; who sends it in the range of the view.

    Cost: :func:`registered_on`, :func:`limit_card`, and where the user may see them :func:`senders` and
    :func:`done_to_task_name`.
    """
    request, visibility = view.request, view.visibility
    registered = registered_on(visibility, name)
    context: dict[str, Any] = {
        "registered": registered,
        "facts": facts(registered),
        "limits": limit_card(request, site.name, name, registered),
        **banner(request, site.name),
    }
    if request.user.has_perm("monitoring.view_task"):
        context["senders"] = found = senders(visibility, view.period, view.selection)
        context["sender_rows"] = (
            [(each, view.task_url(each), count) for each, count in found.names] if found else []
        )
    if request.user.has_perm("monitoring.view_auditentry"):
        entries = done_to_task_name(request.user, visibility, name, view.now)
        context["done"] = [audit_row(entry) for entry in entries]
    return context
