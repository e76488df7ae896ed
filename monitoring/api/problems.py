"""Errors as problem details (RFC 9457): ``application/problem+json`` with at least `detail`, never a traceback."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions
from rest_framework.response import Response

from ..control.connecting import ControlUnavailable
from ..control.contract import NotAllowed
from ..control.parameters import InvalidParameters

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"


def problem(
    status: int,
    detail: str,
    *,
    errors: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """``{"type", "title", "status", "detail"}``, with `errors` by field where there are some."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }
    if errors:
        body["errors"] = errors
    return Response(body, status=status, headers=dict(headers or {}), content_type=CONTENT_TYPE)


def answer_error(error: Exception, context: Mapping[str, Any]) -> Response:
    """The exception handler of all views.

    What nobody expected becomes a 500 that says so and no more; it goes to the log and to whoever listens to Django's
    `got_request_exception`, such as Sentry.
    """
    match error:
        case exceptions.ValidationError():
            return problem(400, _first(error.detail) or "", errors=_by_field(error.detail))
        case exceptions.APIException():
            return problem(error.status_code, str(error.detail), headers=_headers(error))
        case InvalidParameters():
            return problem(400, str(error), errors=error.errors)
        case RequestDataTooBig():
            return problem(413, "The body is too large.")
        # Of a form's body: of parts that cannot be told apart, or in another encoding than it may have.
        case SuspiciousOperation() | MultiPartParserError() | BadRequest():
            return problem(400, "This request is not understood.")
        case Http404():
            return problem(404, str(error) or "Not found.")
        case PermissionDenied() | NotAllowed():
            return problem(403, str(error) or "You do not have permission to do this.")
        case ControlUnavailable():
            return problem(503, str(error))
    view, request = context.get("view"), context.get("request")
    logger.exception("%s failed", type(view).__name__, exc_info=error)
    got_request_exception.send(sender=type(view), request=getattr(request, "_request", request))
    return problem(500, "The server could not answer; its log says why.")


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers: dict[str, str] = {}
    challenge = getattr(error, "auth_header", None)
    if challenge:
        headers["WWW-Authenticate"] = challenge
    wait = getattr(error, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    return headers


def _by_field(detail: Any) -> Mapping[str, Any]:
    return detail if isinstance(detail, dict) else {"__all__": detail}


def _first(detail: Any) -> str:
    """The first sentence of a serializer's errors, with its field."""
    if isinstance(detail, dict):
        for field, found in detail.items():
            words = _first(found)
            if words:
                return words if field in ("non_field_errors", "__all__") else f"{field}: {words}"
        return ""
    if isinstance(detail, list):
        return next((words for item in detail if (words := _first(item))), "")
    return str(detail)
