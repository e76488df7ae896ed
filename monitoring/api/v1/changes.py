"""Changes of tasks as server-sent events, for scripts: what the live pages hear, as data.

Everything comes from the feed that consumers write after their commits, so that nothing is told that cannot be read. A
stream ends after some minutes, and the client comes back with the id of the last event that it has: permissions are
looked up anew, and nothing is missed as long as the feed reaches back (about ten minutes).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import Throttled, ValidationError
from rest_framework.request import Request

from ...live.news import News
from ...queries.feed import MOST, feed_since, missed_since, newest_cursor
from ...queries.task_columns import TASK_COLUMNS
from ...queries.task_list import Asked
from ...queries.task_rows import changed_rows
from ...streaming import stream
from ..operations import Operation, Parameter
from ..views import JSONRenderer, MonitoringView
from .task_questions import FIELDS_PARAMETER, FILTERS, FIRST_FIELDS, asked_tasks, chosen_fields
from .task_shapes import TaskShape

#: Seconds between two looks at the feed.
PAUSE = 1.0
#: Streams of one process at once: each has a thread and a database connection of its own.
AT_ONCE = 20


class TaskChangesView(MonitoringView):
    """GET: tasks as they change, until the time is up."""

    permission = "monitoring.view_task"
    tag = "tasks"
    operations = {
        "GET": Operation(
            "Follow tasks",
            None,
            "Server-sent events. `task`: its fields as JSON, whenever it has changed and matches. `many`: more have "
            "changed than are told one by one; `resync`: something was missed. After these two read the list anew. "
            "Send the id of the last event as `Last-Event-ID` to go on from there.",
            errors=(400,),
            parameters=(
                *FILTERS,
                FIELDS_PARAMETER,
                Parameter("seconds", "How long.", "integer", default=300, least=1, most=3_600),
                Parameter("Last-Event-ID", "Id of the last event that was read.", where="header"),
            ),
            media_type="text/event-stream",
        )
    }

    def get(self, request: Request) -> Any:
        query, asked = self.asked, asked_tasks(request, self.actor)
        fields = chosen_fields(query["fields"], list(TASK_COLUMNS), self.actor) or list(FIRST_FIELDS)
        cursor = _cursor(request.headers.get("Last-Event-ID", ""))
        if places.taken >= places.number:
            raise Throttled(PAUSE * 10, _("Too many streams are open in this process"))
        parts = _Stream(asked, fields, cursor, _end(query["seconds"]))
        return stream(request._request, parts, "text/event-stream")


class Places:
    """How many streams there may be at once in this process."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.taken = 0
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether there was one left, which is then taken."""
        with self._lock:
            if self.taken >= self.number:
                return False
            self.taken += 1
            return True

    def give_back(self) -> None:
        with self._lock:
            self.taken -= 1


places = Places(AT_ONCE)


class _Stream(Iterator[bytes]):
    """The parts of one stream. It has a place from its first part on until it ends or is closed.

    Not from the view on: a server may drop an answer that it has not begun to send, and tells nobody.
    """

    def __init__(self, asked: Asked, fields: Sequence[str], cursor: int | None, end: float) -> None:
        self._parts = _parts(asked, fields, cursor, end)
        self._has_place = False

    def __next__(self) -> bytes:
        if not self._has_place:
            if not places.take():
                raise StopIteration
            self._has_place = True
        try:
            return next(self._parts)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._parts.close()
        if self._has_place:
            self._has_place = False
            places.give_back()


def _parts(
    asked: Asked, fields: Sequence[str], cursor: int | None, end: float
) -> Generator[bytes, None, None]:
    place = newest_cursor() if cursor is None else cursor
    yield b"retry: 1000\n\n"
    if cursor is not None and not missed_since(cursor).complete:
        place = newest_cursor()
        yield _event("resync", place, {"changes": None})
    while True:
        part = b""
        entries = feed_since(place)
        if entries:
            place = entries[-1].pk
            part = b"".join(_told(asked, fields, News.of(entries, cut=len(entries) >= MOST), place))
        # Also where there is nothing to tell: only who is sent something is seen to be gone.
        yield part or b":\n\n"
        if time.monotonic() >= end:
            return
        time.sleep(min(PAUSE, max(0.0, end - time.monotonic())))


def _told(asked: Asked, fields: Sequence[str], news: News, place: int) -> Iterator[bytes]:
    if news.everything:
        yield _event("resync", place, {"changes": None})
        return
    # Relative times of the filter are those of now.
    for row in changed_rows(replace(asked, now=timezone.now()), sorted(news.tasks), fields):
        yield _event("task", place, TaskShape(row).data)
    if news.many:
        yield _event("many", place, {"changes": news.changes})


def _event(name: str, place: int, content: Any) -> bytes:
    data: bytes = JSONRenderer().render(content)
    return f"event: {name}\nid: {place}\ndata: ".encode() + data + b"\n\n"


def _cursor(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValidationError({"Last-Event-ID": [_("This is no id of an event of this stream")]})
    return int(text)


def _end(seconds: int) -> float:
    return time.monotonic() + seconds
