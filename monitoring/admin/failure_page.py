"""The page of one group of failures: what its template needs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from .. import formatting
from ..control import failures as targets
from ..literals.comparison import LEAST_CALLS, NOT_GIVEN, Comparison
from ..models import FailureGroup
from ..queries.audit import AuditFilter, audit_entries
from ..queries.failure_details import BARS, Details
from ..queries.failure_runs import group_runs
from ..queries.failures import PERIODS, Group, Window, end_of_counts
from ..queries.visibility import Visibility
from ..time_steps import start_of
from .audit_rows import audit_row
from .charts import Chart, Mark, Series
from .control_actions import Action, Known, actions_for
from .failure_list import period_of, periods_of
from .failure_rows import tasks_of
from .failure_words import meaning_of, rule_of, standing_label, tags

#: Entries of the audit log that the page shows.
AUDIT = 10


def failure_page(
    request: HttpRequest,
    group: Group,
    beside: Details,
    visibility: Visibility,
    with_payload: bool,
    site_name: str,
    now: datetime,
) -> dict[str, Any]:
    """`request.GET`: ``period``. Cost: `group_runs`, and the newest entries of the audit log."""
    period, end = period_of(request), end_of_counts(now)
    window = Window(end - PERIODS[period], end)
    runs = group_runs(visibility, group, with_payload=with_payload)
    example = runs.newest[0] if runs.newest else None
    message = example.exception if example is not None and with_payload else ""
    context: dict[str, Any] = {
        "title": _title(group),
        "crumb": formatting.cut(_title(group), 60),
        "group": group,
        "details": beside,
        "tags": tags(group),
        "meaning": meaning_of(group.exception_type),
        "rule": rule_of(group.standing),
        "standing_label": standing_label(group.standing),
        "period": period,
        "periods": periods_of(request, period),
        "tasks": tasks_of(group, window),
        "chart": _chart(beside, window, period),
        "runs": [
            (task, formatting.cut(formatting.call_line(task.args, task.kwargs), 200) if with_payload else "")
            for task in runs.newest
        ],
        "message": formatting.exception_parts(message or "")[1],
        "with_payload": with_payload,
        "comparison": runs.comparison,
        "differences": _differences(runs.comparison),
        "least_calls": LEAST_CALLS,
        "actions": _actions(request, group, site_name),
    }
    if request.user.has_perm("monitoring.view_auditentry"):
        wanted = AuditFilter(target=group.fingerprint, since=group.first_seen)
        entries = audit_entries(request.user, visibility, wanted, None)
        context["audit"] = [audit_row(entry) for entry in entries.rows[:AUDIT]]
    return context


def _title(group: Group) -> str:
    kind = group.exception_type or _("An exception that is not known")
    return _("%(exception)s in %(task)s") % {"exception": kind, "task": group.name} if group.name else kind


def _chart(beside: Details, window: Window, period: str) -> Chart:
    series = Series(_("Failures"), list(beside.bars), "failure-solid")
    width = formatting.span(BARS[period][0])
    return Chart(
        key="mon-failures-chart",
        title=_("Failures"),
        unit=_("in %(width)s each") % {"width": width},
        start=window.start,
        end=window.end,
        times=beside.starts,
        series=[series],
        # A bar that ends with the period, before its time is over.
        filling=window.end != start_of(window.end, BARS[period][0]),
        marks=[Mark(each.at, each.label) for each in beside.marks],
    )


def _differences(comparison: Comparison | None) -> list[dict[str, Any]]:
    """Place, value, and the share of the failing and of the other runs that have it."""
    if comparison is None:
        return []
    return [
        {
            "place": each.place,
            "value": each.value,
            "missing": each.value == NOT_GIVEN,
            "failing": formatting.share(each.failing / comparison.failing),
            "others": formatting.share(each.others / comparison.others),
        }
        for each in comparison.values
    ]


def _actions(request: HttpRequest, group: Group, site_name: str) -> list[Action]:
    """What this user may decide, of each pair of opposites the one that fits now."""
    stored = FailureGroup(pk=group.fingerprint, name=group.name, exception_type=group.exception_type)
    known: Known = {targets.find: {group.fingerprint: targets.FailureTarget(stored, group.triage)}}
    found = actions_for(request, site_name, "failure", [group.fingerprint], known=known)[group.fingerprint]
    opposites = {"failure_acknowledge": "failure_unacknowledge", "failure_mute": "failure_unmute"}
    fits = {action.verb.name for action in found if not action.why_not}
    hidden = {verb for verb, opposite in opposites.items() if opposite in fits}
    hidden |= {opposite for opposite in opposites.values() if opposite not in fits}
    return [action for action in found if action.verb.name not in hidden]
