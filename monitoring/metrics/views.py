"""``GET /metrics``, in the text format or as OpenMetrics, as its Accept header asks."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from ..queries.visibility import Visibility
from ..streaming import stream
from .access import refusal
from .exposition import Exposition, Format
from .page import write


# It only reads: another method is told 405, not that it lacks a token.
@csrf_exempt
@require_safe
def metrics(request: HttpRequest) -> HttpResponseBase:
    """The page, made before its first byte is sent: a fault is a 500, never half a page."""
    refused = refusal(request)
    if refused is not None:
        return refused
    page = Exposition(Format.accepted(request.headers.get("Accept", "")))
    try:
        write(page, Visibility.everything())
    except BaseException:
        page.close()
        raise
    response = stream(request, _Parts(page), page.format.value)
    patch_vary_headers(response, ["Accept"])
    return response


class _Parts(Iterator[bytes]):
    """The parts of a page, which is closed with them, also if none is ever asked for (HEAD)."""

    def __init__(self, page: Exposition) -> None:
        self._page = page
        self._parts = page.parts()

    def __next__(self) -> bytes:
        return next(self._parts)

    def close(self) -> None:
        self._page.close()
