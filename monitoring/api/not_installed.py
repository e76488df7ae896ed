"""What answers where a library is missing: a 503 that names it, to who has signed in. Needs no REST framework."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from .sign_in import Refusal, who

INSTALL = 'pip install "django-celery-monitoring[api]"'


def not_installed(words: str) -> Callable[..., JsonResponse]:
    """A view that says `words` to every method, as a problem (``api/problems.py``)."""

    # Programs send no such token, and nothing is done.
    @csrf_exempt
    def view(request: HttpRequest, **arguments: Any) -> JsonResponse:
        asks = who(request, "api")
        found = asks if isinstance(asks, Refusal) else Refusal(HTTPStatus.SERVICE_UNAVAILABLE, words)
        body = {
            "type": "about:blank",
            "title": HTTPStatus(found.status).phrase,
            "status": int(found.status),
            "detail": found.words,
        }
        return JsonResponse(
            body,
            status=found.status,
            headers=dict(found.headers),
            content_type="application/problem+json",
        )

    return view
