"""What the questions about verbs need in templates."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.db.models.options import Options

from ..control.contract import Verb
from ..control.parameters import ParametersForm
from ..queries.search.fields import STATES

register = template.Library()


@register.filter
def control_view(opts: Options[Any]) -> str:
    """The name of the view that takes the answer to a question, in the admin site's namespace."""
    return f"admin:monitoring_{opts.model_name}_control"


@register.filter
def datalists(form: ParametersForm | None) -> list[tuple[str, list[str]]]:
    """Ids and values of the suggestions of a form."""
    if form is None:
        return []
    return [(f"{form[name].auto_id}-values", values) for name, values in form.suggestions().items()]


@register.filter
def to_put_right(form: ParametersForm, name: str) -> list[str]:
    """What is wrong with the value that a field begins with; nothing once something was typed: errors say it then."""
    return [] if form.is_bound else form.to_put_right().get(name, [])


@register.filter
def never(verb: Verb) -> str:
    """The states of rows that the verb fits none of, with the reasons, as JSON for js/list/selection.js."""
    states = ("open", "heard") if verb.target_kind == "failure" else STATES
    return json.dumps({state: words for state in states if (words := verb.why_not_in(state))})


@register.filter
def lasts(form: ParametersForm | None, verb: Verb) -> str:
    """How long the effect of a verb lasts; empty where one of its fields says so."""
    words = str(verb.lasts)
    fields = form.fields.values() if form is not None else ()
    return "" if any(str(field.help_text) == words for field in fields) else words
