"""Flower's page addresses: ``path("flower/", include("monitoring.api.flower.page_urls"))``, or at the root."""

from __future__ import annotations

from django.urls import re_path

from .pages import to_object, to_page, to_tasks

urlpatterns = [
    re_path(r"^$", to_page(), name="flower-main"),
    re_path(r"^dashboard/?$", to_page(), name="flower-dashboard"),
    re_path(r"^tasks/?$", to_tasks, name="flower-page-tasks"),
    re_path(r"^task/(?P<name>.+?)/?$", to_object("admin:monitoring_task_change"), name="flower-page-task"),
    re_path(r"^workers/?$", to_page("admin:monitoring_worker_changelist"), name="flower-page-workers"),
    re_path(
        r"^worker/(?P<name>.+?)/?$", to_object("admin:monitoring_worker_change"), name="flower-page-worker"
    ),
    re_path(r"^monitor/?$", to_page("admin:monitoring_monitor_changelist"), name="flower-page-monitor"),
    re_path(r"^broker/?$", to_page("admin:monitoring_queue_changelist"), name="flower-page-broker"),
    re_path(r"^config/?$", to_page("admin:monitoring_config_changelist"), name="flower-page-config"),
]
