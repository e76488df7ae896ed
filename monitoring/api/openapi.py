"""The OpenAPI document, made by drf-spectacular from the operations that views declare. Needs drf-spectacular."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from .operations import ALWAYS, Operation, Parameter
from .problems import CONTENT_TYPE
from .shapes import ProblemShape

_TYPES = {
    "string": OpenApiTypes.STR,
    "integer": OpenApiTypes.INT,
    "number": OpenApiTypes.DOUBLE,
    "boolean": OpenApiTypes.BOOL,
    "date-time": OpenApiTypes.DATETIME,
}
_WORDS = {
    400: "What was asked is wrong; `errors` say what.",
    401: "Nobody is signed in, or not with these credentials.",
    403: "The permission is missing.",
    404: "There is none, or none that may be seen.",
    409: "It cannot be done now; `detail` says why.",
    413: "The body is larger than the server takes.",
    415: "A body is JSON.",
    422: "This idempotency key was used with another body.",
    429: "Too many requests; `Retry-After` says when to ask again.",
    500: "A fault; the server's log says which.",
    502: "A worker refused, or broke.",
    503: "The broker cannot be reached: nothing was sent.",
}
#: Schemes that each operation takes one of.
SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token of `manage.py monitoring_token`."},
    "basic": {"type": "http", "scheme": "basic", "description": "A Django user's name and password."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "Whoever is signed in to the admin; what changes something needs `X-CSRFToken`.",
    },
}


class MonitoringSchema(AutoSchema):
    """Reads a view's `operations`; what is not in them is no part of the document."""

    view: Any  # a MonitoringView

    @property
    def operation(self) -> Operation:
        found: Operation = self.view.operations[self.method]
        return found

    def is_excluded(self) -> bool:
        return self.method not in self.view.operations

    def get_operation_id(self) -> str:
        route = re.sub(self.path_prefix, "", self.path)
        words = [word.strip("{}") for word in route.strip("/").replace("-", "_").split("/") if word]
        return "_".join([self.method.lower(), *words])

    def get_tags(self) -> list[str]:
        return [self.view.tag]

    def get_summary(self) -> str:
        return self.operation.summary

    def get_description(self) -> str:  # type: ignore[override]  # as in the library
        permission = self.view.permission_for(self.method)
        needs = f"Needs `{permission}`." if permission else "For whoever is signed in."
        return "\n\n".join(filter(None, [self.operation.description, self.operation.needs or needs]))

    def get_auth(self) -> list[dict[str, Any]]:
        return [{name: []} for name in SECURITY_SCHEMES]

    def get_override_parameters(self) -> list[Any]:
        return [_parameter(parameter) for parameter in self.operation.parameters]

    def get_filter_backends(self) -> list[Any]:
        return []

    def _get_paginator(self) -> None:
        return None

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False

    def get_request_serializer(self) -> Any:
        return self.operation.body

    def get_response_serializers(self) -> Any:
        operation = self.operation
        answers: dict[Any, Any] = {}
        for status in (operation.status, *operation.statuses):
            if operation.answers is None:
                answers[status, operation.media_type] = OpenApiTypes.STR
            else:
                answers[status, operation.media_type] = OpenApiResponse(
                    operation.answers, description="", examples=_examples(operation.example)
                )
        for status in sorted({*ALWAYS, *operation.errors}):
            answers[status, CONTENT_TYPE] = OpenApiResponse(ProblemShape, description=_WORDS[status])
        return answers

    def get_examples(self) -> list[OpenApiExample]:
        example = self.operation.body_example
        return [OpenApiExample("body", example, request_only=True)] if example is not None else []

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        return type(serializer).__name__.removesuffix("Shape")

    def map_parsers(self) -> list[str]:
        return ["application/json"]


def _examples(example: Any) -> list[OpenApiExample]:
    return [] if example is None else [OpenApiExample("answer", example, response_only=True)]


def _parameter(parameter: Parameter) -> OpenApiParameter:
    kind: Any = _TYPES[parameter.kind]
    if parameter.least is not None or parameter.most is not None:
        bounds = {"minimum": parameter.least, "maximum": parameter.most}
        kind = {"type": parameter.kind, **{k: v for k, v in bounds.items() if v is not None}}
    return OpenApiParameter(
        parameter.name,
        kind,
        location=parameter.where,
        description=parameter.description,
        enum=list(parameter.choices) or None,
        default=parameter.default,
        many=parameter.several,
        examples=[OpenApiExample(parameter.name, parameter.example)] if parameter.example is not None else [],
    )
