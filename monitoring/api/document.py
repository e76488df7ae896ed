"""The OpenAPI document at ``schema/`` and the page that shows it at ``docs/``. Needs drf-spectacular.

The page is drf-spectacular's split view: its script is a file of its own and Swagger UI comes from the sidecar, so that
it works under ``default-src 'self'`` and without any other server. Both are for whoever is signed in.
"""

from __future__ import annotations

import json
import re
import threading
from functools import cache
from typing import Any

from django.conf import settings
from django.urls import include, path, reverse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from .. import __version__
from .etags import answer
from .openapi import SECURITY_SCHEMES
from .views import JSONRenderer, MonitoringView

TAGS = {
    "session": "Who asks.",
    "tasks": "What tasks do, and what can be done to them.",
    "workers": "Who runs them.",
    "queues": "What waits, and where.",
    "statistics": "What happened in each minute, hour and day.",
    "failures": "What fails alike, and what it is doing.",
    "schedules": "What beat sends.",
    "configuration": "What Celery runs with.",
    "verbs": "Everything that can be done, to many targets at once.",
    "audit": "Who did what.",
    "log": "What was not recorded.",
    "health": "Whether the monitor can be believed.",
}
#: In the place of a host project's own SPECTACULAR_SETTINGS, which are for its own document.
SETTINGS: dict[str, Any] = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "Celery monitoring",
    "DESCRIPTION": "Tasks, workers, statistics and control. Sign in with a bearer token, HTTP basic or a session.",
    "VERSION": f"{__version__} (v1)",
    "TAGS": [{"name": name, "description": words} for name, words in TAGS.items()],
    "APPEND_COMPONENTS": {"securitySchemes": SECURITY_SCHEMES},
    "SCHEMA_PATH_PREFIX": None,
    "SCHEMA_PATH_PREFIX_TRIM": False,
    "SCHEMA_PATH_PREFIX_INSERT": "",
    "COMPONENT_SPLIT_REQUEST": False,
    "COMPONENT_SPLIT_PATCH": True,
    "COMPONENT_NO_READ_ONLY_REQUIRED": False,
    "ENUM_NAME_OVERRIDES": {"TaskStateEnum": "monitoring.models.task.State"},
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums"],
    "PREPROCESSING_HOOKS": [],
    "SERVERS": [],
    "SECURITY": [],
    "CAMELIZE_NAMES": False,
    "SORT_OPERATIONS": False,
}
SWAGGER_UI = {"deepLinking": True, "displayRequestDuration": True, "docExpansion": "list"}
#: Without types.
_generator: Any = SchemaGenerator
_making = threading.Lock()


@cache
def _document(root: str) -> dict[str, Any]:
    """The document of the native API below `root`, an address of this site. Made once."""
    patterns = [path(root.lstrip("/"), include("monitoring.api.v1.urls"))]
    # The library's settings are of the whole process: what is patched is so for a moment only.
    with patched_settings({**SETTINGS, "SCHEMA_PATH_PREFIX": re.escape(root)}):
        found: dict[str, Any] = _generator(patterns=patterns).get_schema(request=None, public=True)
    return found


def document() -> dict[str, Any]:
    """The OpenAPI document of the native API, where it is mounted."""
    with _making:
        return _document(reverse("monitoring-api"))


class SchemaView(MonitoringView):
    """GET: the document, OpenAPI 3.1, as JSON."""

    def get(self, request: Request) -> Response:
        return answer(request, document())


class DocsView(MonitoringView, SpectacularSwaggerSplitView):
    """GET: the page; with ``?script`` the script that it begins with."""

    schema = None
    # Problems are JSON as they are everywhere.
    renderer_classes = [JSONRenderer, TemplateHTMLRenderer]
    template_name = "monitoring/api_docs.html"

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        request.accepted_renderer, request.accepted_media_type = TemplateHTMLRenderer(), "text/html"
        if "script" in request.query_params:
            context = {
                "schema_url": reverse("monitoring-api-schema"),
                "settings": json.dumps(SWAGGER_UI),
                "csrf_header_name": settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-"),
                "schema_auth_names": "[]",
            }
            return Response(context, template_name=self.template_name_js, content_type="text/javascript")
        return Response({"title": SETTINGS["TITLE"]}, template_name=self.template_name)
