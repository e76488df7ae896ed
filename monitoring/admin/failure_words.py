"""What groups of failures are doing, in words, with the rule that says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from .. import formatting, rejection
from ..failure_states import (
    GONE_FOR,
    NEW_FOR,
    RECOVERED_AFTER,
    SPIKE_LEAST,
    SPIKE_TIMES,
    Standing,
)
from ..queries.failures import Group


@dataclass(frozen=True)
class Tag:
    """`kind` is the outline: ``bad``, ``warn``, or none; `rule` says why, for a tooltip."""

    label: str
    kind: str
    rule: str


#: How each standing is outlined: only what asks for somebody is coloured.
_KINDS = {Standing.NEW: "bad", Standing.SPIKING: "warn", Standing.CAME_BACK: "warn"}


def standing_label(standing: Standing) -> str:
    return {
        Standing.NEW: _("New"),
        Standing.SPIKING: _("Spiking"),
        Standing.CAME_BACK: _("Came back"),
        Standing.ONGOING: _("Ongoing"),
        Standing.RECOVERED: _("Recovered"),
        Standing.MUTED: _("Muted"),
    }[standing]


def meaning_of(exception_type: str) -> str:
    """What an exception of Celery's own means, where its name does not say it; empty for others."""
    if exception_type == rejection.TYPE:
        return _("The task rejected its message (celery.exceptions.Reject)")
    return ""


def rule_of(standing: Standing) -> str:
    """The rule with its numbers, as ``failure_states.py`` applies it."""
    words = {
        Standing.NEW: _("Seen for the first time in the last %(new)s hours"),
        Standing.SPIKING: _(
            "At least %(least)s failures in the last hour, and %(times)s times as many as in a usual hour of the last "
            "7 days"
        ),
        Standing.CAME_BACK: _("Failed in the last %(new)s hours, and not once in the %(gone)s days before"),
        Standing.ONGOING: _("It goes on as it has before"),
        Standing.RECOVERED: _(
            "At least %(successes)s runs of the task have succeeded since its last failure"
        ),
        Standing.MUTED: _("Somebody has muted it"),
    }
    return words[standing] % {
        "new": NEW_FOR // timedelta(hours=1),
        "gone": GONE_FOR // timedelta(days=1),
        "least": SPIKE_LEAST,
        "times": SPIKE_TIMES,
        "successes": RECOVERED_AFTER,
    }


def tags(group: Group) -> list[Tag]:
    """Of a row: what it is doing, unless it merely goes on; who has seen it; who looks after it."""
    found: list[Tag] = []
    kind = _KINDS.get(group.standing, "") if group.is_trouble else ""
    if group.standing is Standing.MUTED:
        until = group.triage.muted_until
        label = _("Muted until %(time)s") % {"time": date_format(localtime(until), "SHORT_DATETIME_FORMAT")}
        found.append(Tag(label, "", _by(group.triage.muted_by)))
    elif group.standing is not Standing.ONGOING:
        found.append(Tag(standing_label(group.standing), kind, _evidence(group)))
    if group.acknowledged:
        found.append(Tag(_("Acknowledged"), "", _by(group.triage.acknowledged_by)))
    if group.triage.assignee:
        label = _("For %(name)s") % {"name": formatting.cut(group.triage.assignee, 30)}
        found.append(Tag(label, "", _("Looks after it: %(name)s") % {"name": group.triage.assignee}))
    if group.triage.note:
        found.append(Tag(_("Note"), "", formatting.cut(group.triage.note, 300)))
    return found


def _evidence(group: Group) -> str:
    """The rule, and what it was judged by."""
    rule = rule_of(group.standing)
    usual = group.history.usual_hour
    if group.standing is not Standing.SPIKING or usual is None:
        return f"{rule}."
    words = _("%(count)s in the last hour, usually %(usual)s") % {
        "count": formatting.number(group.history.last_hour),
        "usual": formatting.rate(usual),
    }
    return f"{rule}: {words}."


def _by(name: str) -> str:
    return _("By %(name)s") % {"name": name} if name else ""
