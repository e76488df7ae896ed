"""The addresses of the API without Django REST framework. No others: below ``/api/`` may be a project's own."""

from __future__ import annotations

from django.urls import re_path

from .not_installed import INSTALL, not_installed

_NATIVE = (
    "audit|configuration|dead-letters|failures|gaps|health|marks|queues|schedules|statistics|task-changes|tasks|verbs"
    "|workers"
)
_OF_TASK = "abort|apply|async-apply|info|rate-limit|result|revoke|send-task|timeout"
_view = not_installed(f"The API needs Django REST framework: {INSTALL}")

urlpatterns = [
    re_path(rf"^v1/(?:$|(?:{_NATIVE})/)", _view),
    re_path(r"^(?:schema|docs)/$", _view),
    # Flower's.
    re_path(r"^(?:tasks|workers|workers/stats|queues/length|task/types)/?$", _view),
    re_path(rf"^task/(?:{_OF_TASK})/.", _view),
    re_path(r"^worker/(?:shutdown|pool|queue)/.", _view),
]
