"""The query string of a list of tasks: filters of the page's own address, fields, order and place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request

from ...control.actor import Actor
from ...queries.search.fields import FIELDS
from ...queries.search.question import Question
from ...queries.sorting import COLUMNS
from ...queries.task_columns import TASK_COLUMNS
from ...queries.task_list import Asked
from ..operations import Parameter

#: What is answered where no fields are named.
FIRST_FIELDS = tuple(name for name, column in TASK_COLUMNS.items() if not column.payload)

FILTERS: tuple[Parameter, ...] = (
    Parameter("q", "As in the search box (docs/search.md).", several=True, example="state:FAILURE -queue:archive"),
    *(
        Parameter(f"{sign}{field.name}", f"{words} Example: `{field.example}`.", several=True)
        for field in FIELDS.values()
        for sign, words in (("", f"As `{field.name}:` in the search box."), ("-", "Excludes."))
    ),
    Parameter("period", "First seen within: `1h`, `7d`.", several=True),
    Parameter("from", "First seen since: a time as in the search box.", several=True),
    Parameter("to", "First seen until.", several=True),
)  # fmt: skip
SORTS = tuple(f"{sign}{name}" for name in COLUMNS for sign in ("", "-"))
FIELDS_PARAMETER = Parameter(
    "fields", "Names of fields, with commas; those of payload need `monitoring.view_payload`.", several=True
)
PAGE = (
    Parameter("sort", "`-` sorts descending.", choices=SORTS, default="-first_seen"),
    Parameter("cursor", "Of `next` and `previous`."),
    Parameter("page_size", "Tasks; with fields of payload at most 100.", "integer", default=100, least=1, most=1_000),
)  # fmt: skip


def asked_tasks(request: Request, actor: Actor) -> Asked:
    """The question that a query string is. Raises ValidationError that says each mistake at its parameter."""
    names = {parameter.name for parameter in FILTERS}
    pairs = [(n, value) for n, values in request.query_params.lists() if n in names for value in values]
    asked = Asked(actor.visibility, Question.read(pairs), actor.with_payload)
    if asked.mistakes:
        errors: dict[str, list[str]] = {}
        for mistake in asked.mistakes:
            errors.setdefault(mistake.parameter, []).append(mistake.message)
        raise ValidationError(errors)
    return asked


def chosen_fields(given: Sequence[str], known: Sequence[str], actor: Actor) -> list[str]:
    """The fields that were named, all of them `known`. Raises ValidationError; PermissionDenied for payload."""
    names = list(dict.fromkeys(name.strip() for text in given for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValidationError({"fields": [_("There is no field %(name)s") % {"name": unknown[0][:50]}]})
    if not actor.with_payload and any(name in TASK_COLUMNS and TASK_COLUMNS[name].payload for name in names):
        raise PermissionDenied(_("These fields need the permission monitoring.view_payload"))
    return names


def address(request: Request, **changes: str | None) -> str:
    """The absolute address of this request with other parameters; None takes one out."""
    query: Mapping[str, Sequence[str]] = dict(request.query_params.lists())
    pairs = [(name, value) for name, values in query.items() if name not in changes for value in values]
    pairs += [(name, value) for name, value in changes.items() if value is not None]
    path = request.path
    return str(request.build_absolute_uri(f"{path}?{urlencode(pairs)}" if pairs else path))
