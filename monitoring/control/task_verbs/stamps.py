"""Revoke tasks by the headers that they were stamped with (docs: "Canvas", section Stamping)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ...formatting import number
from ...queries.visibility import Visibility
from ...queries.workers import online_hostnames
from ..broadcast import broadcast
from ..contract import Result, Results, Verb
from ..parameters import Parameters
from ..phrases import Phrases
from .answers import summed_up
from .revoke import PERMISSION, SignalForm


class StampForm(SignalForm):
    terminate = forms.BooleanField(
        label=_("Terminate those that run"),
        required=False,
        help_text=_("Only pools that can: prefork, gevent."),
    )


def _find(ids: Sequence[str], visibility: Visibility) -> Mapping[str, tuple[str, str]]:
    """Header and value of ``tenant=acme``. Nobody knows the names of stamped tasks: a limited user has none."""
    if not visibility.is_everything:
        return {}
    pairs = {text: text.partition("=") for text in ids}
    return {text: (header, value) for text, (header, _equals, value) in pairs.items() if header and value}


def _revoke(ids: Sequence[str], visibility: Visibility, parameters: Parameters) -> Results:
    headers: dict[str, list[str]] = {}
    for header, value in _find(ids, visibility).values():
        headers.setdefault(header, []).append(value)
    arguments = {
        "headers": headers,
        "terminate": bool(parameters.get("terminate")),
        "signal": parameters.get("signal", "SIGTERM"),
    }
    answers = broadcast("revoke_by_stamped_headers", arguments, expected=online_hostnames())
    outcome, words = summed_up(answers)
    return {text: Result(text, outcome, words, answers=answers) for text in ids}


def _stamps(count: int) -> str:
    words = ngettext("the tasks of %(count)s stamp", "the tasks of %(count)s stamps", count)
    return words % {"count": number(count)}


REVOKE_BY_STAMP = Verb(
    name="revoke_by_stamped_headers",
    label=_("Revoke by stamp"),
    permission=PERMISSION,
    target_kind="stamp",
    destroys=True,
    **Phrases(
        _stamps,
        lambda pair: _now("the tasks stamped %(header)s=%(value)s") % {"header": pair[0], "value": pair[1]},
        question=_("Revoke %(targets)s?"),
        consequence=_(
            "Every worker drops the tasks with this stamp that it has and that it gets from now on, however many they "
            "are. Nothing takes it back but a restart of the workers."
        ),
        button=_("Revoke %(targets)s"),
        safe_button=_("Let them run"),
    ).fields(),
    happens=_("will be revoked"),
    did=_("revoked the tasks stamped"),
    form=StampForm,
    find=_find,
    why_not=lambda pair: "",
    act=_revoke,
    lasts=_("Lasts until the worker restarts."),
)
