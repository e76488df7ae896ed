"""Limits of a task on all workers that have it, set from the page of its statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _

from ...control import workers
from ...control.actor import Actor
from ...control.contract import Verb
from ...control.parameters import ParametersForm
from ...control.verbs import VERBS
from ...queries.registered_on import Registrations
from ..control_actions import here, verb_url
from ..control_form import prepared

VERB, OTHER = "rate_limit", "time_limit"


@dataclass(frozen=True)
class LimitCard:
    """The form of the rate limit, which asks about `targets`, the workers that it can be set on.

    `why_not`: why there are none. `time_url` is the question about the time limits of the same.
    """

    verb: Verb
    form: ParametersForm
    url: str
    next: str
    targets: Sequence[str]
    why_not: str
    time_url: str


def limit_card(
    request: HttpRequest, site_name: str, name: str, registered: Registrations
) -> LimitCard | None:
    """None for a user who may not use the verb, or open the page that asks. Cost: one query by primary key."""
    actor, verb = Actor.of(request), VERBS[VERB]
    if not (actor.may(verb.permission) and actor.may("monitoring.view_worker")):
        return None
    found = workers.reachable([row.hostname for row in registered.rows], actor.visibility)
    targets = [hostname for hostname, target in found.items() if not workers.out_of_reach(target)]
    form = verb.form_for(
        [found[hostname] for hostname in targets], actor.visibility, initial={"task_name": name}
    )
    form.fields["task_name"].widget = forms.HiddenInput()
    back = here(request)
    time_query = [("task_name", name), ("next", back), *(("target", hostname) for hostname in targets)]
    return LimitCard(
        verb,
        prepared(form, f"mon-{VERB}-%s"),
        verb_url(verb, site_name),
        back,
        targets,
        "" if targets else _("No worker that has it registered is online."),
        f"{verb_url(VERBS[OTHER], site_name)}?{urlencode(time_query)}",
    )
