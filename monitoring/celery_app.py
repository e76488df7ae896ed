"""The watched Celery app."""

from __future__ import annotations

from typing import Any

import celery
from django.utils.module_loading import import_string

from monitoring.conf import monitoring_settings


def watched_app() -> celery.Celery:
    """The app that ``MONITORING["CELERY_APP"]`` names, else Celery's current one."""
    path = monitoring_settings.CELERY_APP
    current: Any = celery.current_app  # a proxy for the app
    app: celery.Celery = import_string(path) if path else current._get_current_object()
    return app
