"""``manage.py monitoring tail``: tasks as they change, read from the feed that live pages read."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, close_old_connections

from ..live.news import News
from ..models import Task
from ..queries.feed import MOST, feed_since, newest_cursor
from ..queries.newest import tasks_among
from ..queries.task_list import Asked
from ..queries.worker_presence import presence
from .asking import add_filters, asked
from .output import duration, json_text, moment
from .plain import plain
from .states import coloured

#: Seconds between two looks at the feed.
PAUSE = 1.0
#: Tasks of which the last line is remembered, so that none is written twice.
REMEMBERED = 20_000
_NAMES = (
    "updated_at", "state", "name", "task_id", "worker", "queue", "runtime", "retries", "exception_type",
    "progress", "progress_message",
)  # fmt: skip


def add_arguments(parser: CommandParser) -> None:
    add_filters(parser)
    parser.add_argument("--count", type=int, metavar="N", help="end after so many lines")
    parser.add_argument("--seconds", type=float, metavar="S", help="end after so long")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Until Ctrl-C, which is exit code 0, or as the options say. A database that is away is tried again for ever."""
    asked(options)  # what is asked wrongly is said at once
    if presence().horizon is None:
        command.stderr.write(
            "No event consumer is running, or it has not caught up: nothing comes until then."
        )
    tail = _Tail(command, as_json=options["json"], most=options["count"])
    until = None if options["seconds"] is None else time.monotonic() + options["seconds"]
    cursor = newest_cursor()
    try:
        while not tail.is_full and (until is None or time.monotonic() < until):
            try:
                entries = feed_since(cursor)
                if entries:
                    # Asked anew: names of tasks may have come that match a pattern.
                    tail.write(News.of(entries), asked(options))
                    cursor = entries[-1].pk
            except OperationalError as error:
                command.stderr.write(
                    f"The database cannot be reached ({type(error).__name__}); trying again."
                )
                close_old_connections()
                entries = []
            if len(entries) < MOST and not tail.is_full:
                time.sleep(PAUSE)
    except KeyboardInterrupt:
        return


class _Tail:
    def __init__(self, command: BaseCommand, *, as_json: bool, most: int | None) -> None:
        self._command = command
        self._as_json = as_json
        self._most = most
        self._written = 0
        self._last: OrderedDict[str, tuple[Any, ...]] = OrderedDict()

    @property
    def is_full(self) -> bool:
        return self._most is not None and self._written >= self._most

    def write(self, news: News, question: Asked) -> None:
        if news.many:
            self._command.stderr.write("More tasks have changed than are listed here.")
        for task in sorted(
            tasks_among(question, news.tasks), key=lambda task: (task.updated_at, task.task_id)
        ):
            if self.is_full:
                return
            if self._is_new(task):
                self._written += 1
                self._command.stdout.write(self._line(task))
        self._command.stdout.flush()

    def _is_new(self, task: Task) -> bool:
        seen = (task.state, task.retries, task.attempt_started_at, task.progress)
        if self._last.get(task.task_id) == seen:
            return False
        self._last[task.task_id] = seen
        self._last.move_to_end(task.task_id)
        if len(self._last) > REMEMBERED:
            self._last.popitem(last=False)
        return True

    def _line(self, task: Task) -> str:
        if self._as_json:
            return json_text({name: getattr(task, name) for name in _NAMES})
        progress = "" if task.progress is None else f"{task.progress:.0%}"
        words = [task.worker, duration(task.runtime), task.exception_type, progress, task.progress_message]
        state = coloured(self._command)("STATE", task.state) + " " * (8 - len(task.state))
        head = f"{moment(task.updated_at)}  {state}  {plain(task.name or '?')}  {plain(task.task_id)}"
        return "  ".join([head, *(plain(word) for word in words if word)])
