"""Keep a group of failures out of the way until a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from ..actor import Actor
from ..contract import Results
from ..failures import FailureTarget, decide
from ..parameters import Parameters, ParametersForm
from ..phrases import told
from .pattern import Phrases, failure_verb

#: Nothing is muted for longer: who muted it may be gone by then.
LONGEST = timedelta(days=366)


def _tomorrow() -> datetime:
    return timezone.localtime(timezone.now() + timedelta(days=1)).replace(second=0, microsecond=0)


class MuteForm(ParametersForm):
    until = forms.DateTimeField(
        label=_("Until"),
        initial=_tomorrow,
        help_text=_("In the server's time zone; a year ahead at most."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def clean_until(self) -> datetime:
        until: datetime = self.cleaned_data["until"]
        now = timezone.now()
        if until <= now:
            raise forms.ValidationError(_now("That time is over"))
        if until > now + LONGEST:
            raise forms.ValidationError(_now("A year ahead at most"))
        return until


def _mute(ids: Sequence[str], actor: Actor, parameters: Parameters) -> Results:
    until = parse_datetime(parameters["until"])
    return decide(ids, muted_at=timezone.now(), muted_until=until, muted_by=actor.user_name)


def _unmute(ids: Sequence[str], actor: Actor, parameters: Parameters) -> Results:
    return decide(ids, muted_at=None, muted_until=None, muted_by="")


def _is_not(target: FailureTarget) -> str:
    until = target.triage.muted_until
    return "" if until is not None and until > timezone.now() else _is_heard("heard")


def _is_heard(state: str) -> str:
    return _now("It is not muted") if state == "heard" else ""


MUTE = failure_verb(
    Phrases(
        question=_("Mute %(targets)s?"),
        consequence=_(
            "Until then it stands at the end of the list and asks for nobody, whatever it does. It is still counted."
        ),
        button=_("Mute %(targets)s"),
        safe_button=_("Leave it as it is"),
    ),
    name="failure_mute",
    label=_("Mute"),
    happens=_("will be muted"),
    did=_("muted the failures"),
    did_so=told(_("muted the failures until %(until)s")),
    act_as=_mute,
    form=MuteForm,
)

UNMUTE = failure_verb(
    Phrases(
        question=_("Unmute %(targets)s?"),
        consequence=_("It is judged like any other from now on."),
        button=_("Unmute %(targets)s"),
        safe_button=_("Leave it muted"),
    ),
    name="failure_unmute",
    label=_("Unmute"),
    happens=_("will be heard again"),
    did=_("unmuted the failures"),
    why_not=_is_not,
    why_not_in=_is_heard,
    act_as=_unmute,
)
