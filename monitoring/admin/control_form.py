"""A verb's form as our pages show it."""

from __future__ import annotations

from django import forms
from django.forms.fields import InvalidJSONInput

from ..control.parameters import ParametersForm


def prepared(form: ParametersForm, auto_id: str) -> ParametersForm:
    """The form with our classes, suggestions, and ids of its own: several forms stand on one page.

    `auto_id` is as Django's: ``mon-grow-%s``.
    """
    form.auto_id = auto_id
    suggestions = form.suggestions()
    # Asked once: the template has them as well.
    vars(form)["suggestions"] = lambda: suggestions
    for name, field in form.fields.items():
        attributes = field.widget.attrs
        if isinstance(field.widget, forms.DateTimeInput):
            field.widget.input_type = "datetime-local"
            field.widget.format = "%Y-%m-%dT%H:%M"
        elif isinstance(field.widget, forms.Textarea):
            attributes |= {"rows": 3, "spellcheck": "false"}
        if not isinstance(field.widget, forms.CheckboxInput):
            attributes.setdefault("class", "mon-input")
        if isinstance(field, forms.JSONField):
            # As it was typed: Django would write an empty one as "null", and quote what an address begins with.
            form.initial[name] = InvalidJSONInput(form.initial.get(name) or "")
        if name in suggestions:
            attributes["list"] = f"{auto_id % name}-values"
        if field.help_text:
            attributes["aria-describedby"] = f"{auto_id % name}-help"
    return form
