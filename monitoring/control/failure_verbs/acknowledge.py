"""Say that a group of failures has been seen, or take that back."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from ..actor import Actor
from ..contract import Results
from ..failures import FailureTarget, decide
from ..parameters import Parameters
from .pattern import Phrases, failure_verb


def _acknowledge(ids: Sequence[str], actor: Actor, parameters: Parameters) -> Results:
    return decide(ids, acknowledged_at=timezone.now(), acknowledged_by=actor.user_name)


def _take_back(ids: Sequence[str], actor: Actor, parameters: Parameters) -> Results:
    return decide(ids, acknowledged_at=None, acknowledged_by="")


def _is_not(target: FailureTarget) -> str:
    return "" if target.triage.acknowledged_at is not None else _is_open("open")


def _is_open(state: str) -> str:
    return _now("Nobody has acknowledged it") if state == "open" else ""


ACKNOWLEDGE = failure_verb(
    Phrases(
        question=_("Acknowledge %(targets)s?"),
        consequence=_(
            "It asks for nobody any more, until it comes back or spikes on another day. It goes on being counted."
        ),
        button=_("Acknowledge %(targets)s"),
        safe_button=_("Leave it open"),
    ),
    name="failure_acknowledge",
    label=_("Acknowledge"),
    happens=_("will be acknowledged"),
    did=_("acknowledged the failures"),
    act_as=_acknowledge,
)

UNACKNOWLEDGE = failure_verb(
    Phrases(
        question=_("Take the acknowledgement of %(targets)s back?"),
        consequence=_("It asks for somebody again while it is new, spikes or has come back."),
        button=_("Take it back"),
        safe_button=_("Leave it acknowledged"),
    ),
    name="failure_unacknowledge",
    label=_("Take acknowledgement back"),
    happens=_("will be open again"),
    did=_("took the acknowledgement back of the failures"),
    why_not=_is_not,
    why_not_in=_is_open,
    act_as=_take_back,
)
