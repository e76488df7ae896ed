"""Addresses of the native API.

Ids of tasks may have slashes: addresses below a task come before the task's own, and an id that ends like one of them
is found by ``tasks/?id=``, or acted on by the verb's own address.
"""

from __future__ import annotations

from django.urls import URLPattern, path

from ...control.verbs import VERBS
from . import converters, log_pages, statistics
from .changes import TaskChangesView
from .configuration import ConfigurationView
from .failures import FailureGroupView, FailuresView
from .health import HealthView
from .marks import MarksView
from .queues import QueueHistoryView, QueuesView, QueueView
from .schedules import SchedulesView, ScheduleView
from .session import WhoView
from .tasks import TasksView, TaskView
from .verbs import VerbsView, one_target_view, verb_view
from .workers import WorkerHistoryView, WorkersView, WorkerView

#: Where a target of a kind has an address of its own.
_TARGETS = {
    "task": "tasks/<any:target>/",
    "worker": "workers/<any:target>/",
    "schedule": "schedules/<any:target>/",
    "failure": "failures/<str:target>/",
    "queue": "queues/<any:target>/",
}


def _verbs() -> list[URLPattern]:
    """Every verb by its own address, and below each target of its kind."""
    found = [path("verbs/", VerbsView.as_view(), name="monitoring-api-verbs")]
    for verb in VERBS.values():
        name = f"monitoring-api-{verb.name.replace('_', '-')}"
        found.append(path(f"verbs/{verb.name}/", verb_view(verb).as_view(), name=f"{name}-many"))
        if verb.target_kind in _TARGETS:
            # ``schedules/tidy/run/``, not ``.../schedule_run/``.
            own = verb.name.removeprefix(f"{verb.target_kind}_")
            address = f"{_TARGETS[verb.target_kind]}{own}/"
            found.append(path(address, one_target_view(verb).as_view(), name=name))
    return found


#: Imported for the converter that it registers.
ANY = converters.AnyConverter

urlpatterns = [
    path("", WhoView.as_view(), name="monitoring-api"),
    path("tasks/", TasksView.as_view(), name="monitoring-api-tasks"),
    path("task-changes/", TaskChangesView.as_view(), name="monitoring-api-task-changes"),
    path("workers/", WorkersView.as_view(), name="monitoring-api-workers"),
    path("workers/<any:target>/history/", WorkerHistoryView.as_view(), name="monitoring-api-worker-history"),
    *_verbs(),
    path("tasks/<any:task_id>/", TaskView.as_view(), name="monitoring-api-task"),
    path("workers/<any:target>/", WorkerView.as_view(), name="monitoring-api-worker"),
    path("statistics/", statistics.SeriesView.as_view(), name="monitoring-api-statistics"),
    path(
        "statistics/tasks/", statistics.TaskStatisticsView.as_view(), name="monitoring-api-statistics-tasks"
    ),
    path(
        "statistics/exceptions/",
        statistics.ExceptionStatisticsView.as_view(),
        name="monitoring-api-statistics-exceptions",
    ),
    path(
        "statistics/durations/",
        statistics.DurationsView.as_view(),
        name="monitoring-api-statistics-durations",
    ),
    path("statistics/hours/", statistics.HoursView.as_view(), name="monitoring-api-statistics-hours"),
    path("marks/", MarksView.as_view(), name="monitoring-api-marks"),
    path("queues/", QueuesView.as_view(), name="monitoring-api-queues"),
    path("queues/<any:name>/history/", QueueHistoryView.as_view(), name="monitoring-api-queue-history"),
    path("queues/<any:name>/", QueueView.as_view(), name="monitoring-api-queue"),
    path("failures/", FailuresView.as_view(), name="monitoring-api-failures"),
    path("failures/<str:fingerprint>/", FailureGroupView.as_view(), name="monitoring-api-failure-group"),
    path("schedules/", SchedulesView.as_view(), name="monitoring-api-schedules"),
    path("schedules/<any:name>/", ScheduleView.as_view(), name="monitoring-api-schedule"),
    path("configuration/", ConfigurationView.as_view(), name="monitoring-api-configuration"),
    path("audit/", log_pages.AuditView.as_view(), name="monitoring-api-audit"),
    path("audit/<int:key>/", log_pages.AuditEntryView.as_view(), name="monitoring-api-audit-entry"),
    path("dead-letters/", log_pages.DeadLettersView.as_view(), name="monitoring-api-dead-letters"),
    path("gaps/", log_pages.GapsView.as_view(), name="monitoring-api-gaps"),
    path("health/", HealthView.as_view(), name="monitoring-api-health"),
]
