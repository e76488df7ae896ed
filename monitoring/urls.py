"""Machine endpoints and the API; mounts anywhere. Pages need no URL lines: they belong to the admin site."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from .health.views import healthcheck, healthz, readyz
from .metrics.views import metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="monitoring-healthz"),
    path("readyz", readyz, name="monitoring-readyz"),
    path("healthcheck", healthcheck, name="monitoring-healthcheck"),
    path("healthcheck/", healthcheck),
    path("metrics", metrics, name="monitoring-metrics"),
]
has_api = find_spec("rest_framework") is not None
urlpatterns.append(
    path("api/", include("monitoring.api.urls" if has_api else "monitoring.api.not_installed_urls"))
)
