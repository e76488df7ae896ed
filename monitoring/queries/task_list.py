"""The task list: a page of the tasks that a question asks for, in any order that an index keeps, in bounded time.

    question = Question.read((name, value) for name, values in request.GET.lists() for value in values)
    sort = Sort.parse(request.GET.get("sort"))
    with Reading(patience=...) as reading:
        found = task_list(asked, sort, Place.parse(request.GET.get("place"), sort), reading)

`asked` is an :class:`Asked`: the question, who asks, and when. Facets, histogram, export and bulk actions take it too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, cached_property, partial

from django.db.models import QuerySet
from django.db.models.functions import Left
from django.utils import timezone

from ..models import Task
from .choices import all_names
from .keyset import Leg, Place, legs
from .one_after_the_other import one_after_the_other
from .reading import OutOfTime, Reading
from .search.compiler import Circumstances, Compiled, compile_tree
from .search.index import is_on
from .search.mistakes import Mistake
from .search.question import Question
from .sorting import NEWEST_FIRST, Sort
from .visibility import Visibility

PAGE_SIZE = 100
#: Characters of each long text that a row of the list needs; the rest stays in the database.
ROW_TEXT = 240
#: Columns that a row of the list needs, whichever are shown.
ROW_COLUMNS = (
    "task_id", "state", "name", "worker", "queue", "exception_type", "runtime", "wait", "retries", "eta",
    "first_seen", "sent_at", "received_at", "started_at", "attempt_started_at", "finished_at", "updated_at",
    "progress", "progress_current", "progress_total", "progress_message", "root_id", "parent_id",
)  # fmt: skip
#: Long texts that a reader who may see payload gets the beginning of, as ``args_start`` and so on.
ROW_TEXTS = ("args", "kwargs", "exception", "result")
#: The first stretch of time that is looked through where the whole takes too long, and how it grows.
_FIRST_STRETCH = timedelta(minutes=15)
_GROWTH = 3
#: How many times the limit of one question all stretches together may take.
_PATIENCE = 3


@dataclass(frozen=True)
class Asked:
    """A question with who asks it and when: what decides which tasks match."""

    visibility: Visibility
    question: Question
    with_payload: bool
    now: datetime = field(default_factory=timezone.now)
    #: Asked once, also for the questions that are made from this one (``dataclasses.replace``).
    names: Callable[[], list[str] | None] = field(
        default_factory=lambda: cache(all_names), compare=False, repr=False
    )

    @cached_property
    def compiled(self) -> Compiled:
        circumstances = Circumstances(
            self.now, timezone.get_current_timezone(), self.with_payload, is_on(Task.objects.db), self.names
        )
        return compile_tree(self.question.tree, circumstances)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """Why nothing can be listed; empty: nothing is wrong."""
        return self.question.mistakes or self.compiled.mistakes

    @property
    def texts_skipped(self) -> bool:
        """Words were looked for in ids and names alone: a time range would let them be looked for in texts."""
        return self.compiled.texts_skipped

    def tasks(self) -> QuerySet[Task]:
        """All tasks that match, unordered; none while there are mistakes. Asks nothing."""
        if self.mistakes:
            return Task.objects.none()
        return self.visibility.limit(Task.objects.filter(self.compiled.condition)).order_by()


@dataclass(frozen=True)
class TaskList:
    """A page. `before` and `after`: the places of the pages beside it, None where there is none.

    `looked_back_to`: there was not time for all, so that older tasks (by `first_seen`) than this were not looked at.
    `go_on`: where to look on for older ones, in the default order; in any other, `rows` are the first among those since
    `looked_back_to`, and the reader may wait longer (Reading(patience=...)) or narrow the filter.
    """

    rows: Sequence[Task]
    before: Place | None = None
    after: Place | None = None
    looked_back_to: datetime | None = None
    go_on: Place | None = None

    @property
    def is_all(self) -> bool:
        """No other task matches."""
        return self.before is None and self.after is None and self.looked_back_to is None


def task_list(
    asked: Asked, sort: Sort, place: Place | None, reading: Reading, size: int = PAGE_SIZE
) -> TaskList:
    """One page beside `place` (None: the first).

    Cost: one question for the page (:func:`.one_after_the_other.one_after_the_other`). With no filter, or by one or two
    of state, name, worker, queue and time: proportional to `size`, wherever the page stands. Whatever takes longer than
    a :class:`Reading` allows is answered for the newest tasks alone, and says so.
    """
    if asked.mistakes:
        return TaskList([])
    rows, looked_back_to = _Search(asked, sort, place, reading, size + 1).rows()
    backwards = place is not None and place.backwards
    if backwards and not rows:
        return task_list(asked, sort, None, reading, size)
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    if more:
        looked_back_to = None
    has_before = more if backwards else place is not None
    has_after = backwards or more
    return TaskList(
        rows,
        before=Place.of(rows[0], sort, backwards=True) if rows and has_before else None,
        after=Place.of(rows[-1], sort) if rows and has_after else None,
        looked_back_to=looked_back_to,
        go_on=Place(sort, (looked_back_to, "")) if looked_back_to and sort == NEWEST_FIRST else None,
    )


class _Search:
    """Finds the rows of one page, in the order in which they are read."""

    def __init__(self, asked: Asked, sort: Sort, place: Place | None, reading: Reading, wanted: int) -> None:
        self._asked = asked
        self._sort = sort
        self._place = place
        self._reading = reading
        self._wanted = wanted
        self._begun = time.monotonic()

    def rows(self) -> tuple[list[Task], datetime | None]:
        """At most `wanted` rows, and how far back they were looked for where there was no time for all."""
        try:
            return self._read(self._asked.tasks(), self._wanted), None
        except OutOfTime:
            pass
        if self._sort == NEWEST_FIRST and not (self._place is not None and self._place.backwards):
            return self._stretch_by_stretch()
        return self._longest_stretch()

    def _read(self, tasks: QuerySet[Task], wanted: int) -> list[Task]:
        parts = [self._leg(tasks, leg) for leg in legs(self._sort, self._place)]
        return self._reading.ask(partial(one_after_the_other, parts, wanted))

    def _leg(self, tasks: QuerySet[Task], leg: Leg) -> QuerySet[Task]:
        rows = tasks.filter(leg.condition).order_by(*leg.order).only(*ROW_COLUMNS)
        if self._asked.with_payload:
            rows = rows.annotate(**{f"{column}_start": Left(column, ROW_TEXT) for column in ROW_TEXTS})
        return rows

    def _stretch_by_stretch(self) -> tuple[list[Task], datetime | None]:
        """In the order of time: one stretch behind the other until the page is full or the time is up."""
        end = self._place.values[0] if self._place is not None else None
        reached = newest = min(end or self._asked.now, self._asked.now)
        rows: list[Task] = []
        for start in _stretches(newest):
            stretch = self._asked.tasks().filter(first_seen__gte=start)
            if reached is not newest:
                stretch = stretch.filter(first_seen__lt=reached)
            try:
                rows += self._read(stretch, self._wanted - len(rows))
            except OutOfTime:
                break
            reached = start
            if len(rows) >= self._wanted or self._is_late():
                break
        else:
            return rows, None
        return rows, reached

    def _longest_stretch(self) -> tuple[list[Task], datetime | None]:
        """In any other order: the first rows of the longest stretch that there is time for."""
        rows: list[Task] = []
        reached = self._asked.now
        for start in _stretches(reached):
            try:
                rows = self._read(self._asked.tasks().filter(first_seen__gte=start), self._wanted)
            except OutOfTime:
                break
            reached = start
            if self._is_late():
                break
        else:
            return rows, None
        return rows, reached

    def _is_late(self) -> bool:
        return time.monotonic() > self._begun + _PATIENCE * self._reading.limit


def _stretches(newest: datetime) -> Iterator[datetime]:
    """Starts of longer and longer stretches, up to some years."""
    length = _FIRST_STRETCH
    for _ in range(13):
        yield newest - length
        length *= _GROWTH
