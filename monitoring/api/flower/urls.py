"""Flower's routes, each with and without a slash behind it. Needs Django REST framework.

A name or an id is the rest of the path, whatever is in it.
"""

from __future__ import annotations

from django.urls import URLPattern, re_path

from .queue_lengths import QueueLengths
from .task_list import TaskInfo, Tasks, TaskTypes
from .task_result import TaskResult
from .task_start import StartTask
from .task_stop import AbortTask, RevokeTask
from .worker_commands import COMMANDS, WorkerCommand
from .workers import Workers, WorkerStats


def _route(route: str, view: object, *, of: bool = False) -> URLPattern:
    rest = r"/(?P<name>.+?)" if of else ""
    return re_path(rf"^{route}{rest}/?$", view, name=f"flower-{route.replace('/', '-')}")  # type: ignore[call-overload,no-any-return]


urlpatterns = [
    _route("workers", Workers.as_view()),
    _route("workers/stats", WorkerStats.as_view()),
    _route("tasks", Tasks.as_view()),
    _route("queues/length", QueueLengths.as_view()),
    _route("task/types", TaskTypes.as_view()),
    _route("task/info", TaskInfo.as_view(), of=True),
    _route("task/result", TaskResult.as_view(), of=True),
    _route("task/apply", StartTask.as_view(waits=True), of=True),
    _route("task/async-apply", StartTask.as_view(), of=True),
    _route("task/send-task", StartTask.as_view(any_name=True), of=True),
    _route("task/revoke", RevokeTask.as_view(), of=True),
    _route("task/abort", AbortTask.as_view(), of=True),
    *(_route(route, WorkerCommand.as_view(command=command), of=True) for route, command in COMMANDS.items()),
]
