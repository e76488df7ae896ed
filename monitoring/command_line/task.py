"""``manage.py monitoring task <id>``: everything that is known of one task."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ..models import Task, TaskEvent
from ..queries.events import EventLog, events_of
from ..queries.task_columns import TASK_COLUMNS
from ..queries.tasks import task as find_task
from ..queries.visibility import Visibility
from .output import duration, json_text, moment, text
from .plain import plain, plain_lines
from .table import pairs

#: Long texts, which stand below the others.
_LONG = ("args", "kwargs", "result", "exception", "traceback")
_DURATIONS = ("runtime", "wait")


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("task_id", metavar="ID")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Raises CommandError for an id that nobody knows: exit code 1."""
    task = find_task(Visibility.everything(), options["task_id"])
    if task is None:
        raise CommandError(f"There is no task {plain(options['task_id'])}.")
    log = events_of(task)
    if options["json"]:
        command.stdout.write(_json(task, log))
        return
    for line in _lines(task, log):
        command.stdout.write(line)


def _json(task: Task, log: EventLog) -> str:
    row = {name: getattr(task, name) for name in TASK_COLUMNS}
    events = [
        {
            "timestamp": event.timestamp,
            "type": event.type,
            "worker": event.worker,
            "clock": event.clock,
            "payload": event.payload,
        }
        for event in log.events
    ]
    return json_text({**row, "events": events, "events_cut": log.cut}, indent=2)


def _lines(task: Task, log: EventLog) -> list[str]:
    lines = pairs(
        (name, duration(getattr(task, name)) if name in _DURATIONS else text(getattr(task, name)))
        for name in TASK_COLUMNS
        if name not in _LONG
    )
    for name in _LONG:
        value = getattr(task, name)
        if value:
            lines += ["", f"{name}:", *(f"    {line}" for line in plain_lines(value))]
    lines += ["", "events:" if log.events else "No event is kept any more."]
    if log.cut:
        lines.append("    (older ones are left out)")
    return lines + [f"    {_event(event)}" for event in log.events]


def _event(event: TaskEvent) -> str:
    words = f"{moment(event.timestamp)}  {plain(event.type)}  {plain(event.worker)}"
    exception = event.payload.get("exception")
    return f"{words}  {plain(str(exception))}" if exception else words
