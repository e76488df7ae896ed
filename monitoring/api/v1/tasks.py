"""Tasks: a page of those that a search finds, and one with its log and family."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ...models import Task
from ...queries.attempts import Attempt, attempts_of
from ...queries.estimates import Estimate, estimate
from ...queries.events import events_of
from ...queries.families import family
from ...queries.keyset import Place
from ...queries.reading import Reading
from ...queries.reruns import lineage
from ...queries.sorting import Sort
from ...queries.task_columns import TASK_COLUMNS
from ...queries.task_list import task_list
from ...queries.task_rows import LONG_ROWS, task_rows
from ...queries.tasks import task as find_task
from ..etags import answer
from ..operations import Operation
from ..shapes import as_mapping
from ..views import MonitoringView
from .starting import START, StartTask
from .task_questions import (
    FIELDS_PARAMETER,
    FILTERS,
    FIRST_FIELDS,
    PAGE,
    address,
    asked_tasks,
    chosen_fields,
)
from .task_shapes import (
    EXAMPLE,
    AttemptShape,
    EventShape,
    TaskDetailShape,
    TaskPageShape,
)

#: How much longer than a page's reader a program waits for an answer: index of reading.PATIENCE.
PATIENCE = 1
#: What comes with a single task beside its columns.
BESIDE = ("events", "attempts", "family", "reruns")


class TasksView(StartTask, MonitoringView):
    """GET: the tasks that match. POST: start one."""

    permission = "monitoring.view_task"
    permissions = {"POST": None}
    tag = "tasks"
    operations = {
        "GET": Operation(
            "List tasks",
            TaskPageShape,
            "All filters of the task list, in its own words; pages by cursor, each at the cost of the first.",
            errors=(400,),
            parameters=(*FILTERS, *PAGE, FIELDS_PARAMETER),
            example={
                "next": "https://shop.example/api/v1/tasks/?state=FAILURE&cursor=WyItZmlyc3Rfc2VlbiIs",
                "previous": None,
                "estimated_count": 5210,
                "count_is": "exact",
                "looked_back_to": None,
                "results": [EXAMPLE],
            },
        ),
        "POST": START,
    }

    def get(self, request: Request) -> Response:
        query = self.asked
        asked, sort = asked_tasks(request, self.actor), Sort.parse(query["sort"])
        fields = chosen_fields(query["fields"], list(TASK_COLUMNS), self.actor) or list(FIRST_FIELDS)
        size = query["page_size"]
        if any(TASK_COLUMNS[name].payload for name in fields):
            size = min(size, LONG_ROWS)
        place = Place.parse(query["cursor"], sort)
        if query["cursor"] and place is None:
            raise ValidationError({"cursor": [_("This is no cursor of a list in this order")]})
        with Reading(PATIENCE) as reading:
            found = task_list(asked, sort, place, reading, size)
            number = Estimate(len(found.rows)) if found.is_all else estimate(asked.tasks(), reading)
        onwards = found.after or found.go_on
        page = {
            "next": address(request, cursor=str(onwards)) if onwards else None,
            "previous": address(request, cursor=str(found.before)) if found.before else None,
            "estimated_count": number.number,
            "count_is": "exact" if number.exact else "at_least" if number.at_least else "estimated",
            "looked_back_to": found.looked_back_to,
            "results": task_rows(self.visibility, found.rows, fields),
        }
        return Response(TaskPageShape(page).data)


class TaskView(MonitoringView):
    """One task by its id, which may have slashes."""

    permission = "monitoring.view_task"
    tag = "tasks"
    operations = {
        "GET": Operation(
            "One task",
            TaskDetailShape,
            "With its events, attempts and family. Send the `ETag` back as `If-None-Match` to hear only of changes.",
            errors=(400, 404),
            parameters=(FIELDS_PARAMETER,),
            example={**EXAMPLE, "events_cut": False, "events": [], "attempts": []},
        )
    }

    def get(self, request: Request, task_id: str) -> Response:
        named = chosen_fields(self.asked["fields"], [*TASK_COLUMNS, *BESIDE], self.actor)
        found = find_task(self.visibility, task_id)
        if found is None:
            raise Http404(_("There is no such task, or not any more"))
        return answer(request, TaskDetailShape(self._told(found, named)).data)

    def _told(self, found: Task, named: list[str]) -> dict[str, Any]:
        columns = [name for name, column in TASK_COLUMNS.items() if self.with_payload or not column.payload]
        wanted = named or [*columns, *BESIDE]
        told = {name: getattr(found, name) for name in wanted if name in TASK_COLUMNS}
        if {"events", "attempts"} & set(wanted):
            log = events_of(found)
            if "events" in wanted:
                told |= {"events": [self._event(event) for event in log.events], "events_cut": log.cut}
            if "attempts" in wanted:
                told["attempts"] = [self._attempt(attempt) for attempt in attempts_of(log.events)]
        if "family" in wanted:
            told["family"] = as_mapping(family(self.visibility, found))
        if "reruns" in wanted:
            told["reruns"] = as_mapping(lineage(self.visibility, found.task_id))
        return told

    def _event(self, event: Any) -> dict[str, Any]:
        names = [name for name in EventShape().get_fields() if name != "payload" or self.with_payload]
        return {name: getattr(event, name) for name in names}

    def _attempt(self, attempt: Attempt) -> dict[str, Any]:
        hidden = () if self.with_payload else ("exception", "traceback")
        return {name: getattr(attempt, name) for name in AttemptShape().get_fields() if name not in hidden}
