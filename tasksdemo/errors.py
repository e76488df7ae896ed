"""What can keep the demo API from answering, and how it says so: always JSON with `detail`."""

from typing import Any

from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler


class BrokerUnavailable(APIException):
    """The broker cannot be reached, refuses us, or does not answer."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The broker does not answer."
    default_code = "broker_unavailable"


class ResultBackendUnavailable(APIException):
    """The result backend cannot be reached, or failed to say what it knows."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The result backend does not answer."
    default_code = "result_backend_unavailable"


class NotWithThisResultBackend(APIException):
    """Chords need a result backend that can count, which `rpc://` cannot; and none at all knows no result."""

    status_code = status.HTTP_501_NOT_IMPLEMENTED
    default_detail = "The result backend of this project cannot do that."
    default_code = "not_with_this_result_backend"


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler, with `detail` as one sentence per bad field beside `errors`, DRF's own shape."""
    response = exception_handler(error, context)
    if response is not None and isinstance(error, ValidationError) and isinstance(error.detail, dict):
        sentences = [
            str(reason) if field == "non_field_errors" else f"{field}: {reason}"
            for field, reasons in error.detail.items()
            for reason in reasons
        ]
        response.data = {"detail": " ".join(sentences), "errors": error.detail}
    return response
