"""An audit entry in words."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import formatting
from ..api import audited_tokens
from ..control.verbs import VERBS
from ..models import AuditEntry
from ..models.audit_entry import Ending

#: How a result is coloured: who should look at it.
KINDS = {
    Ending.DONE: "good",
    Ending.PARTLY: "warn",
    Ending.STOPPED: "warn",
    Ending.FAILED: "bad",
    Ending.REFUSED: "bad",
}
#: What is in the log and is no verb: as it is asked for, and as it is told.
TOLD = {
    audited_tokens.MAKE: (gettext_lazy("Make an API token"), gettext_lazy("made an API token")),
    audited_tokens.REVOKE: (gettext_lazy("Revoke an API token"), gettext_lazy("revoked an API token")),
}


@dataclass(frozen=True)
class AuditRow:
    """`did`: ``deleted the record``, or ``tried: Delete record``; `more`: targets beside the first."""

    entry: AuditEntry
    who: str
    did: str
    first: str
    more: int
    result: str
    kind: str


def audit_row(entry: AuditEntry) -> AuditRow:
    return AuditRow(
        entry,
        who=entry.user_name or _("nobody who was signed in"),
        did=_did(entry),
        first=entry.targets[0] if entry.targets else "",
        more=max(0, entry.target_count - 1) if entry.targets else 0,
        result=_result(entry),
        kind=KINDS.get(Ending(entry.ending), "") if entry.ending in Ending.values else "",
    )


def _did(entry: AuditEntry) -> str:
    verb = VERBS.get(entry.verb)
    label, told = TOLD.get(entry.verb, (entry.verb, entry.verb))
    if entry.ending == Ending.REFUSED:
        return _("tried: %(verb)s") % {"verb": verb.label if verb else label}
    if entry.verb == "export":
        return _("exported the audit log") if entry.target_kind == "auditentry" else _("exported tasks")
    return verb.told(entry.parameters) if verb else str(told)


def done_words(target_kind: str, verb: str) -> str:
    """What became of a target for which all went well."""
    if target_kind == "worker":
        return _("acknowledged")
    words = {
        "rerun": _("sent again"),
        "revoke": _("acknowledged"),
        "revoke_id": _("acknowledged"),
        "revoke_by_stamped_headers": _("acknowledged"),
        "terminate": _("acknowledged"),
        "abort": _("marked as aborted"),
        "delete": _("deleted"),
        "apply": _("sent"),
        "send_task": _("sent"),
        "schedule_run": _("sent"),
        "export": _("exported"),
        "purge": _("purged"),
        "discard": _("taken out"),
        audited_tokens.MAKE: _("made"),
        audited_tokens.REVOKE: _("revoked"),
    }
    return words.get(verb, _("recorded"))


def workers_acknowledged(entry: AuditEntry) -> str:
    return _("%(done)s of %(count)s workers acknowledged") % {
        "done": formatting.number(entry.done),
        "count": formatting.number(entry.target_count),
    }


def _result(entry: AuditEntry) -> str:
    """``acknowledged``, ``2 of 2 workers acknowledged``, ``412 sent again, 31 left out``, ``refused``.

    Numbers where there is more than one, or not all are done. The words for what was done are those of the banner.
    """
    label = str(entry.get_ending_display())
    handled = entry.done + entry.left_out + entry.failed
    if entry.ending == Ending.DONE and handled == 1:
        return done_words(entry.target_kind, entry.verb)
    if entry.ending == Ending.REFUSED or handled == 0:
        return label
    if entry.ending == Ending.DONE and entry.target_kind == "worker" and not entry.left_out + entry.failed:
        return workers_acknowledged(entry)
    parts = [
        (f"%(count)s {done_words(entry.target_kind, entry.verb)}", entry.done),
        (_("%(count)s left out"), entry.left_out),
        (_("%(count)s failed or not confirmed"), entry.failed),
    ]
    numbers = ", ".join(words % {"count": formatting.number(count)} for words, count in parts if count)
    return numbers if entry.ending in (Ending.DONE, Ending.PARTLY) else f"{label}: {numbers}"
