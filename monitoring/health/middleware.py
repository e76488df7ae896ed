"""Probes and Prometheus reach a web process by its own address: the IP of a pod, over plain HTTP."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.deprecation import MiddlewareMixin

from ..conf import monitoring_settings

View = Callable[[HttpRequest], HttpResponseBase]

#: How their addresses in monitoring/urls.py end; only these are looked up, since every request comes by.
ENDINGS = ("/healthz", "/readyz", "/healthcheck", "/healthcheck/", "/metrics")


class ProbeMiddleware(MiddlewareMixin):
    """Answer probes, and ``/metrics`` to who says who he is, before others look at ALLOWED_HOSTS and HTTPS.

    Goes first into MIDDLEWARE. The answers hold nothing that was made from the Host. A session is no reason to answer:
    ALLOWED_HOSTS keeps a page of another name that leads to our address (DNS rebinding) from reading what a browser
    may, and a browser gives it no credentials of ours either.
    """

    def process_request(self, request: HttpRequest) -> HttpResponseBase | None:
        if not request.path_info.endswith(ENDINGS):
            return None
        # Not above: Django's checks import every middleware, in a Celery worker too, which needs no page of ours.
        from ..metrics.views import metrics
        from .views import healthcheck, healthz, readyz

        view = _view_at(request.path_info)
        if view in (healthz, readyz, healthcheck):
            return view(request)
        if view is metrics and (monitoring_settings.METRICS_PUBLIC or "Authorization" in request.headers):
            return metrics(request)
        return None


def _view_at(path: str) -> View | None:
    try:
        return resolve(path).func
    except Resolver404:
        return None
