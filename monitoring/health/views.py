"""``/healthz`` and ``/healthcheck`` (the process serves), ``/readyz`` (database, broker and consumer are well).

Open to everybody: what they say holds no address, name or text of an error. They only read, and so ask for no CSRF
token: another method is told 405.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from .readiness import troubles

_METHODS_OF_FLOWER = ["GET", "HEAD", "OPTIONS"]


@csrf_exempt
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process serves. Touches neither database nor broker: a sick one must not restart the web."""
    return HttpResponse("OK", content_type="text/plain")


@csrf_exempt
@require_http_methods(_METHODS_OF_FLOWER)
def healthcheck(request: HttpRequest) -> HttpResponse:
    """The same, as Flower answers it."""
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers={"Allow": ", ".join(_METHODS_OF_FLOWER)})
    return HttpResponse("OK", content_type="text/html; charset=UTF-8")


@csrf_exempt
@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """``{"ready": true, "reasons": {}}``; 503 with a sentence for each of database, broker and consumer that is not.

    Answers within about a second, whatever hangs.
    """
    reasons = troubles()
    return JsonResponse(
        {"ready": not reasons, "reasons": {name: str(words) for name, words in reasons.items()}},
        status=503 if reasons else 200,
    )
