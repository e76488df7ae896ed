"""Everything below ``/api/``; mounts anywhere. Needs Django REST framework."""

from __future__ import annotations

from importlib.util import find_spec

from django.apps import apps
from django.urls import URLPattern, URLResolver, include, path

from .not_installed import INSTALL, not_installed

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include("monitoring.api.v1.urls")),
    path("", include("monitoring.api.flower.urls")),
]
if find_spec("drf_spectacular") is None:
    missing = not_installed(f"This needs drf-spectacular: {INSTALL}")
    urlpatterns += [path("schema/", missing), path("docs/", missing)]
else:
    from .document import DocsView, SchemaView

    urlpatterns.append(path("schema/", SchemaView.as_view(), name="monitoring-api-schema"))
    # Its page is made of templates and static files of these two.
    if apps.is_installed("drf_spectacular") and apps.is_installed("drf_spectacular_sidecar"):
        urlpatterns.append(path("docs/", DocsView.as_view(), name="monitoring-api-docs"))
    else:
        words = 'This needs "drf_spectacular" and "drf_spectacular_sidecar" in INSTALLED_APPS'
        urlpatterns.append(path("docs/", not_installed(words)))
