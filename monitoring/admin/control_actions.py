"""The verbs that a page offers for one object: what the user may not do is not shown, what does not fit is disabled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from ..control.actor import Actor
from ..control.contract import Verb
from ..control.parameters import NoParameters, ParametersForm
from ..control.verbs import VERBS
from ..queries.visibility import Visibility
from .control_form import prepared

#: The icons of verbs that have one.
ICONS = {
    "pool_grow": "plus",
    "pool_shrink": "minus",
    "pool_restart": "round-arrow",
    "shutdown": "stop",
    "refresh": "round-arrow",
    "rerun": "round-arrow",
    "revoke": "cancelled",
    "terminate": "stop",
    "schedule_run": "play",
}


#: The models whose pages are for targets of other kinds than tasks, and what is started as one.
PAGES = {
    "worker": "worker",
    "failure": "failures",
    "schedule": "schedule",
    "queue": "queue",
    "message": "queue",
}
#: Targets by id, by what a verb would look them up with.
Known = dict[Callable[[Sequence[str], Visibility], Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Action:
    """A verb on one target. `why_not` is the sentence why it does not fit now; `asks`: a question comes first."""

    verb: Verb
    target: str
    why_not: str
    asks: bool
    view_url: str
    next: str
    form: ParametersForm | None = None
    icon: str = ""
    #: The one button of the page that is coloured.
    is_primary: bool = False

    @property
    def label(self) -> str:
        return str(self.verb.label)

    @property
    def url(self) -> str:
        """The question about it."""
        return f"{self.view_url}?{urlencode({'target': self.target, 'next': self.next})}"


def verbs_for(request: HttpRequest, kind: str) -> list[Verb]:
    """The verbs on targets of a kind that this user has the permission for, in the order of the table."""
    actor = Actor.of(request)
    return [verb for verb in VERBS.values() if verb.target_kind == kind and actor.may(verb.permission)]


def actions_for(
    request: HttpRequest,
    site_name: str,
    kind: str,
    keys: Sequence[str],
    names: Iterable[str] | None = None,
    *,
    inline: bool = False,
    known: Known | None = None,
) -> dict[str, list[Action]]:
    """By object, what this user can do to it: the verbs `names` in their order, or all of its kind.

    `inline`: the parameters stand on the page itself, so that only what destroys asks first. Cost: what each way of
    looking up targets costs, but for those that the page has `known` by itself.
    """
    actor = Actor.of(request)
    table = [VERBS[name] for name in names if name in VERBS] if names is not None else list(VERBS.values())
    verbs = [verb for verb in table if verb.target_kind == kind and actor.may(verb.permission)]
    found: Known = dict(known or {})
    for verb in verbs:
        if verb.find not in found:
            found[verb.find] = verb.find(keys, actor.visibility)
    actions: dict[str, list[Action]] = {key: [] for key in keys}
    for verb in verbs:
        for key in keys:
            if key not in found[verb.find]:
                continue
            target = found[verb.find][key]
            form = verb.form_for([target], actor.visibility) if inline else None
            actions[key].append(
                Action(
                    verb,
                    key,
                    verb.why_not(target),
                    asks=verb.destroys or not (inline or verb.form is NoParameters),
                    view_url=verb_url(verb, site_name),
                    next=here(request),
                    form=prepared(form, f"mon-{verb.name}-%s") if form is not None else None,
                    icon=ICONS.get(verb.name, ""),
                )
            )
    return actions


def page_of(target_kind: str) -> str:
    """The model whose page asks, and tells, about targets of a kind."""
    return PAGES.get(target_kind, "task")


def verb_url(verb: Verb, site_name: str) -> str:
    return reverse(
        f"admin:monitoring_{page_of(verb.target_kind)}_control", args=[verb.name], current_app=site_name
    )


def here(request: HttpRequest) -> str:
    """The present address, without the result of an earlier use of a verb."""
    query = request.GET.copy()
    query.pop("done", None)
    return f"{request.path}?{query.urlencode()}" if query else request.path
