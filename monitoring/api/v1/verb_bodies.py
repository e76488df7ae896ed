"""Bodies of verbs: their forms as serializers, so that the document and the checks say the same."""

from __future__ import annotations

from functools import cache
from typing import Any

from django import forms
from rest_framework import serializers

from ...control.contract import Verb
from ...control.perform import PATIENCE
from ...queries.visibility import Visibility
from ..shapes import Shape

#: Longest reason and longest id or name of a target, in characters, and most targets of one request.
MAX_REASON, MAX_TARGET, MAX_TARGETS = 1_000, 1_000, 500
#: What every verb takes beside its own parameters.
BESIDE = ("reason", "dry_run", "wait", "targets")


class UseShape(Shape):
    """How a verb is used."""

    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=MAX_REASON, help_text="For the audit log."
    )
    dry_run = serializers.BooleanField(
        required=False, help_text="Do nothing; `done` then means that it would be."
    )
    wait = serializers.FloatField(
        required=False,
        min_value=0,
        max_value=30,
        help_text=f"Seconds to wait until the effect is seen, where it can be; {PATIENCE:g} by default.",
    )


@cache
def body_of(verb: Verb, *, with_targets: bool = False) -> type[Shape]:
    """The parameters of a verb, with what every verb takes; and with the targets, where no address names one."""
    fields: dict[str, Any] = {
        name: _field(name, field)
        for name, field in verb.form(visibility=Visibility.everything()).fields.items()
        if not isinstance(field.widget, forms.HiddenInput)
    }
    if with_targets:
        fields["targets"] = serializers.ListField(
            child=serializers.CharField(max_length=MAX_TARGET, trim_whitespace=False),
            min_length=1,
            max_length=MAX_TARGETS,
            help_text="Ids of tasks, host names of workers, or whatever the verb acts on.",
        )
    name = "".join(part.title() for part in verb.name.split("_"))
    return type(f"{name}{'Many' if with_targets else ''}Body", (UseShape,), fields)


def _field(name: str, field: Any) -> Any:
    options: dict[str, Any] = {"required": field.required, "help_text": str(field.help_text or field.label)}
    if isinstance(field, forms.JSONField):
        kind: Any = serializers.ListField if name == "args" else serializers.DictField
        return kind(**options, allow_null=not field.required)
    if isinstance(field, forms.BooleanField):
        return serializers.BooleanField(**options)
    if isinstance(field, forms.ChoiceField):
        choices: Any = field.choices
        return serializers.ChoiceField(**options, choices=[value for value, _label in choices if value != ""])
    if isinstance(field, forms.CharField):
        return serializers.CharField(**options, max_length=field.max_length, allow_blank=not field.required)
    options["allow_null"] = not field.required
    if isinstance(field, forms.DateTimeField):
        return serializers.DateTimeField(**options)
    if isinstance(field, forms.IntegerField):
        number = serializers.FloatField if isinstance(field, forms.FloatField) else serializers.IntegerField
        least: Any = field.min_value
        most: Any = field.max_value
        return number(**options, min_value=least, max_value=most)
    # Of any other form field: the form itself says what fits.
    return serializers.JSONField(required=field.required, help_text=options["help_text"])
