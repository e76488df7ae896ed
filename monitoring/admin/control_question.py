"""What is asked before a verb is used: on what, with which parameters, and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from .. import formatting
from ..conf import monitoring_settings
from ..control.actor import Actor
from ..control.contract import Confirmation, Outcome, Verb
from ..control.parameters import InvalidParameters, Parameters, ParametersForm
from ..control.perform import chunks, judge
from .control_form import prepared

#: Targets that a question names.
NAMED = 5


@dataclass(frozen=True)
class Question:
    """`eligible` are the ids of targets that the verb fits; `left_out` are sentences with the ids of the others."""

    verb: Verb
    targets: Sequence[str]
    confirmation: Confirmation
    form: ParametersForm
    given: Parameters
    eligible: list[str]
    left_out: list[tuple[str, list[str]]]
    reason: str = ""
    #: What is missing beside the parameters.
    mistake: str = ""
    #: Whether none of the targets fits, whatever the parameters are.
    is_hopeless: bool = False

    @classmethod
    def of(
        cls, verb: Verb, targets: Sequence[str], actor: Actor, request: HttpRequest, confirmed: bool
    ) -> Question:
        """Reads the targets and, where it is `confirmed`, the parameters. Does nothing."""
        found: dict[str, Any] = {}
        for ids in chunks(targets, verb.chunk):
            found |= verb.find(ids, actor.visibility)
        objects = [found[target] for target in targets if target in found]
        given = request.POST if request.method == "POST" else request.GET
        data = given.dict() if confirmed else None
        form = prepared(_form(verb, objects, actor, data, given.dict()), f"mon-{verb.name}-%s")
        parameters = _parameters(verb, form, actor)
        eligible, left_out = _judged(verb, targets, actor, parameters)
        fit = [found[target] for target in eligible] or objects
        confirmation = verb.confirmation(fit, parameters, actor.visibility)
        ticked = not confirmation.tick or given.get("tick")
        mistake = (
            _("Tick the box first: nothing else protects from this.") if confirmed and not ticked else ""
        )
        return cls(
            verb,
            targets,
            confirmation,
            form,
            parameters,
            eligible,
            left_out,
            given.get("reason", ""),
            mistake,
            is_hopeless=bool(objects) and not eligible and all(map(verb.why_not, objects)),
        )

    @property
    def is_answered(self) -> bool:
        """Whether it is confirmed with everything that it needs."""
        return self.form.is_valid() and not self.mistake

    @property
    def title(self) -> str:
        """What is asked, or that there is nothing to ask."""
        if self.is_hopeless:
            return nothing_fits(self.verb, len(self.targets))
        return self.confirmation.question

    @property
    def limit(self) -> str:
        """How long an answer is awaited."""
        return f"{monitoring_settings.CONTROL_TIMEOUT:g}{formatting.NBSP}s"

    @property
    def names(self) -> list[str]:
        return list(self.eligible[:NAMED])

    @property
    def more(self) -> int:
        """Eligible targets beside those that are named."""
        return max(0, len(self.eligible) - NAMED)


def nothing_fits(verb: Verb, count: int) -> str:
    """The heading in the place of a question that could do nothing."""
    if count == 1:
        return _("%(verb)s is not possible") % {"verb": verb.label}
    return _("%(verb)s is not possible for any of them") % {"verb": verb.label}


def _form(
    verb: Verb, objects: Sequence[Any], actor: Actor, data: dict[str, Any] | None, begin: dict[str, Any]
) -> ParametersForm:
    return verb.form_for(objects, actor.visibility, data, begin, with_payload=actor.with_payload)


def _parameters(verb: Verb, form: ParametersForm, actor: Actor) -> Parameters:
    """Those that were given, else those that the form begins with, as far as they are some."""
    try:
        if form.is_bound:
            return form.parameters()
        if form.to_put_right():
            return form.until_valid()
        begin: dict[str, Any] = {
            name: form.get_initial_for_field(field, name) for name, field in form.fields.items()
        }
        return verb.read(
            {name: value for name, value in begin.items() if value is not None}, actor.visibility
        )
    except InvalidParameters:
        return form.until_valid()


def _judged(
    verb: Verb, targets: Sequence[str], actor: Actor, parameters: Parameters
) -> tuple[list[str], list[tuple[str, list[str]]]]:
    eligible: list[str] = []
    reasons: dict[str, list[str]] = {}
    for ids in chunks(targets, verb.chunk):
        for target, result in judge(verb, ids, actor, parameters).items():
            if result.outcome is Outcome.DONE:
                eligible.append(target)
            else:
                reasons.setdefault(result.words, []).append(target)
    return eligible, sorted(reasons.items(), key=lambda item: -len(item[1]))
