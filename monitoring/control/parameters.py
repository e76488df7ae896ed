"""Parameters of verbs: a Django form for each verb, for pages and for the API alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django import forms
from django.forms.fields import InvalidJSONInput
from django.forms.utils import ErrorDict
from django.utils.translation import gettext as _

from ..arguments import MAX_DEPTH, is_too_deep
from ..queries.visibility import Visibility

#: Parameters of one use, by name: JSON-like values. What was left empty is not in it.
Parameters = Mapping[str, Any]


class InvalidParameters(Exception):
    """What was given does not fit the verb; `errors` are the form's, by field (``__all__``: of several together)."""

    def __init__(self, errors: Mapping[str, Sequence[Any]]) -> None:
        self.errors = {field: [str(words) for words in found] for field, found in errors.items()}
        super().__init__(" ".join(words for found in self.errors.values() for words in found))


class ParametersForm(forms.Form):
    """Base of all forms: the verb's targets and the user's visibility are at hand, for suggestions and for checks.

    `targets` are what the verb's `find` answered; none where only the values are to be read, or for a selection.
    `count` is of what the values are for.
    `with_payload`: the form is for somebody who may read arguments; `on_page`: somebody sees it at all.
    """

    required_css_class = "required"
    use_required_attribute = True
    #: Template of what a page shows above the fields.
    above = ""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        targets: Sequence[Any] = (),
        visibility: Visibility | None = None,
        count: int = 1,
        with_payload: bool = False,
        on_page: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(data, **options)
        self.with_payload = with_payload
        self.on_page = on_page
        self.targets = list(targets)
        self.count = count
        self.visibility = visibility or Visibility.everything()

    def clean(self) -> dict[str, Any] | None:
        values = super().clean() or self.cleaned_data
        for name, value in values.items():
            if isinstance(value, str) and not is_text(value):
                raise forms.ValidationError({name: [_("This is no text")]})
        return values

    def suggestions(self) -> dict[str, list[str]]:
        """Values that fit, by field, for a ``<datalist>``. Others are taken as well."""
        return {}

    def to_put_right(self) -> dict[str, list[str]]:
        """What is wrong with the values that it begins with, by field, as sentences."""
        return {}

    def until_valid(self) -> Parameters:
        """What targets are judged by on a page while something in the form has still to be put right."""
        return {}

    def parameters(self) -> Parameters:
        """What was given, as JSON has it. Raises InvalidParameters."""
        if not self.is_valid():
            errors: ErrorDict = self.errors
            raise InvalidParameters(errors)
        return {name: _as_json(value) for name, value in self.cleaned_data.items() if value not in (None, "")}


def is_text(text: str) -> bool:
    """Whether it can be written as UTF-8: JSON may have half of a surrogate pair, which nothing takes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class JSONField(forms.JSONField):
    """Takes what every worker can read, and shows what was typed as it was typed."""

    def to_python(self, value: Any) -> Any:
        words = _("It is nested more than %(most)s levels deep") % {"most": MAX_DEPTH}
        try:
            found = super().to_python(value)
        except RecursionError:
            raise forms.ValidationError(words) from None
        if is_too_deep(found):
            raise forms.ValidationError(words)
        return found

    def bound_data(self, data: Any, initial: Any) -> Any:
        return InvalidJSONInput(data or "")


class NoParameters(ParametersForm):
    """Of a verb that needs to know nothing more."""


def read(form: type[ParametersForm], given: Parameters, visibility: Visibility, count: int) -> Parameters:
    """Parameters from values that a program gave, or that were read before. Raises InvalidParameters.

    Unlike a page's, they have no names that the form does not know.
    """
    unknown = sorted(set(given) - set(form.base_fields))
    if unknown:
        raise InvalidParameters({name: [_("There is no such parameter")] for name in unknown})
    return form(given, visibility=visibility, count=count).parameters()


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value
