"""Using verbs: on one target by its address, on many by the verb's. Everything goes through ``control/perform.py``.

One target: 200 done, 202 sent without confirmation, 404 not there, 409 not in this state, 502 refused by a worker or
broken. Many: 200 with the result of each. A refused attempt is a 403, and stands in the audit log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ...control.actor import Actor
from ...control.contract import Outcome, Verb
from ...control.perform import PATIENCE, Report, authorise, perform
from ...control.tasks import not_there_words
from ...control.verbs import VERBS
from ..idempotency import PARAMETER, once
from ..operations import Operation
from ..problems import problem
from ..views import MonitoringView
from .verb_bodies import BESIDE, body_of
from .verb_shapes import EXAMPLE, UsedShape, VerbsShape

STATUS = {Outcome.DONE: 200, Outcome.UNCONFIRMED: 202, Outcome.LEFT_OUT: 409, Outcome.FAILED: 502}
ERRORS = (400, 404, 409, 413, 415, 422, 502, 503)


def use(verb: Verb, targets: Sequence[str] | None, actor: Actor, body: Any) -> Report:
    """Read a body and use a verb as it says; `targets` None: it names them itself.

    Raises NotAllowed before anything of the body is looked at, ValidationError, and as ``perform``.
    """
    authorise(verb, actor, targets or _named(body))
    shape = body_of(verb, with_targets=targets is None)(data={} if body is None else body)
    shape.is_valid(raise_exception=True)
    known = set(shape.fields)
    unknown = sorted(set(body or {}) - known)
    if unknown:
        raise ValidationError({str(name): [_("There is no such parameter")] for name in unknown})
    values: Mapping[str, Any] = shape.validated_data
    # As it was sent, for the form to read; but a form takes every text for true, "no" and "off" as well.
    given = {
        name: value if isinstance(value, bool) else body[name]
        for name, value in values.items()
        if name not in BESIDE and body[name] is not None
    }
    return perform(
        verb.name,
        values["targets"] if targets is None else targets,
        actor,
        given,
        values.get("reason", ""),
        dry_run=values.get("dry_run", False),
        patience=values.get("wait", PATIENCE),
    )


def told(report: Report) -> dict[str, Any]:
    """A report as :class:`UsedShape` has it."""
    return UsedShape(
        {
            "verb": report.verb.name,
            "dry_run": report.entry is None,
            "audit_entry": None if report.entry is None else report.entry.pk,
            "results": list(report.results.values()),
            "answers": report.answers,
        }
    ).data


def told_of_one(report: Report) -> Response:
    """The answer of a verb on one target, whose outcome is its status."""
    [result] = report.results.values()
    content = told(report)
    if result.outcome in (Outcome.DONE, Outcome.UNCONFIRMED):
        return Response(content, STATUS[result.outcome])
    is_gone = result.words == not_there_words(report.verb.target_kind)
    return problem(404 if is_gone else STATUS[result.outcome], result.words, **content)


class OneTargetView(MonitoringView):
    """POST: use a verb on the target that the address names."""

    verb: ClassVar[Verb]

    def post(self, request: Request, target: str) -> Response:
        return once(request, lambda: told_of_one(use(self.verb, [target], self.actor, request.data)))


class VerbView(MonitoringView):
    """POST: use a verb on the targets that the body names."""

    verb: ClassVar[Verb]

    def post(self, request: Request) -> Response:
        return once(request, lambda: Response(told(use(self.verb, None, self.actor, request.data))))


class VerbsView(MonitoringView):
    """GET: the table of verbs."""

    tag = "verbs"
    operations = {"GET": Operation("List verbs", VerbsShape, "What can be done, and whether you may.")}

    def get(self, request: Request) -> Response:
        rows = [
            {
                "name": verb.name,
                "label": str(verb.label),
                "permission": verb.permission,
                "allowed": self.actor.may(verb.permission),
                "target_kind": verb.target_kind,
                "destroys": verb.destroys,
                "consequence": str(verb.consequence),
                "lasts": str(verb.lasts),
                "pools": None if verb.pools is None else sorted(verb.pools),
                "parameters": [name for name in body_of(verb)().get_fields() if name not in BESIDE],
            }
            for verb in VERBS.values()
        ]
        return Response(VerbsShape({"results": rows}).data)


def one_target_view(verb: Verb) -> type[OneTargetView]:
    """The view of a verb on one target of its kind."""
    found: type[OneTargetView] = _view(
        OneTargetView, verb, f"{verb.target_kind}s", (200, 202), ERRORS, with_targets=False
    )
    return found


def verb_view(verb: Verb) -> type[VerbView]:
    """The view of a verb on many targets."""
    found: type[VerbView] = _view(
        VerbView, verb, "verbs", (200,), (400, 409, 413, 415, 422, 503), with_targets=True
    )
    return found


def _view(
    base: Any, verb: Verb, tag: str, statuses: Sequence[int], errors: Sequence[int], *, with_targets: bool
) -> Any:
    operation = Operation(
        str(verb.label),
        UsedShape,
        str(verb.consequence),
        statuses=statuses[1:],
        errors=errors,
        parameters=(PARAMETER,),
        body=body_of(verb, with_targets=with_targets),
        example={**EXAMPLE, "verb": verb.name},
        needs=needs(verb),
    )
    return type(
        base.__name__,
        (base,),
        {
            "verb": verb,
            "tag": tag,
            "operations": {"POST": operation},
            "__doc__": base.__doc__,
            "__module__": base.__module__,
        },
    )


def needs(verb: Verb) -> str:
    return f"Needs `{verb.permission}`; a refused attempt is in the audit log."


def _named(body: Any) -> list[str]:
    """For the audit of an attempt that is refused: the targets that a body names, whatever else is wrong with it."""
    targets = body.get("targets") if isinstance(body, dict) else None
    return [target for target in targets if isinstance(target, str)] if isinstance(targets, list) else []
