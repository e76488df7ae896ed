"""What a view says of its methods: for the OpenAPI document, and to refuse parameters that there are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

#: Statuses that any operation may answer with: no such parameter, nobody, no permission, too often, a fault.
ALWAYS = (400, 401, 403, 429, 500)


@dataclass(frozen=True)
class Parameter:
    """Of the query string, or with `where` of the headers. `several`: it may be repeated."""

    name: str
    description: str = ""
    kind: Literal["string", "integer", "number", "boolean", "date-time"] = "string"
    choices: Sequence[str] = ()
    default: Any = None
    several: bool = False
    where: Literal["query", "header"] = "query"
    least: int | None = None
    most: int | None = None
    example: Any = None


@dataclass(frozen=True)
class Operation:
    """One method of one address.

    `answers`: a serializer, or None for no JSON; `statuses` others that answer with the same; `errors` those of
    problems beside ALWAYS. `more`: what comes with the statuses of other kinds.
    """

    summary: str
    answers: Any = None
    description: str = ""
    status: int = 200
    statuses: Sequence[int] = ()
    errors: Sequence[int] = ()
    parameters: Sequence[Parameter] = ()
    body: Any = None
    example: Any = None
    body_example: Any = None
    #: In the place of "needs this permission".
    needs: str = ""
    #: Of an answer that is no JSON.
    media_type: str = "application/json"


@dataclass(frozen=True)
class Asked:
    """The query string of a request, checked against what its operation says of it."""

    values: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def get(self, name: str) -> Any:
        return self.values.get(name)


def read_query(request: Request, parameters: Sequence[Parameter]) -> Asked:
    """Each parameter by its name: a list where it may be repeated, else its value, its default or None.

    Raises ValidationError for one that there is not, a value that does not fit, and a repeated one that may not be: a
    slip of the pen must not answer something else than was asked for.
    """
    known = {parameter.name: parameter for parameter in parameters if parameter.where == "query"}
    errors: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    for name in request.query_params:
        if name not in known:
            errors[name] = ["There is no such parameter."]
    for name, parameter in known.items():
        given = request.query_params.getlist(name)
        if len(given) > 1 and not parameter.several:
            errors[name] = ["It is given more than once."]
            continue
        try:
            read = [_value(parameter, text) for text in given]
        except ValidationError as error:
            errors[name] = [str(words) for words in error.detail]
            continue
        values[name] = read if parameter.several else read[0] if read else parameter.default
    if errors:
        raise ValidationError(errors)
    return Asked(values)


def _value(parameter: Parameter, text: str) -> Any:
    return _field(parameter).run_validation(text)


def _field(parameter: Parameter) -> serializers.Field:
    if parameter.choices:
        return serializers.ChoiceField(choices=list(parameter.choices))
    match parameter.kind:
        case "integer":
            return serializers.IntegerField(min_value=parameter.least, max_value=parameter.most)
        case "number":
            return serializers.FloatField(min_value=parameter.least, max_value=parameter.most)
        case "boolean":
            return serializers.BooleanField()
        case "date-time":
            return TimeParameter()
    return serializers.CharField(allow_blank=True, trim_whitespace=False)


class TimeParameter(serializers.Field):
    """An ISO time; without a zone it is in Django's current one."""

    def to_internal_value(self, data: Any) -> Any:
        from ..queries.task_filter import parse_time

        moment = parse_time(str(data))
        if moment is None:
            raise ValidationError("This is no time (ISO 8601).")
        return moment
