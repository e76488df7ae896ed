"""What all audiences of one round share, read once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from monitoring.live.audience import Look
from monitoring.live.rendering import RowCache, render
from monitoring.models import Worker
from monitoring.queries.newest import LOOK_BACK, horizon
from monitoring.queries.status import Status, status
from monitoring.queries.task_list import Asked
from monitoring.queries.throughput import Figures
from monitoring.queries.usual import UsualRuns
from monitoring.queries.visibility import Visibility
from monitoring.queries.workers import workers

T = TypeVar("T")


class Moment:
    """One look at the database. What depends on a user is kept by visibility or look, and never shared across those."""

    def __init__(
        self, at: datetime, cursor: int, figures: Figures, rows: RowCache, usual_runs: UsualRuns
    ) -> None:
        self.at = at
        self.cursor = cursor
        self.figures = figures
        self.rows = rows
        self.usual_runs = usual_runs
        self._statuses: dict[Visibility, Status] = {}
        self._workers: dict[Visibility, list[Worker]] = {}
        self._strips: dict[Look, str] = {}
        self._answers: dict[Hashable, Any] = {}

    def status(self, visibility: Visibility) -> Status:
        if visibility not in self._statuses:
            self._statuses[visibility] = status(visibility, self.figures.events_per_second)
        return self._statuses[visibility]

    def workers(self, visibility: Visibility) -> list[Worker]:
        if visibility not in self._workers:
            self._workers[visibility] = workers(visibility)
        return self._workers[visibility]

    def once(self, asked: Asked, name: Hashable, answer: Callable[[], T]) -> T:
        """What `answer` answers, which must depend on nothing but visibility, question and payload of `asked`."""
        key = (name, asked.visibility, asked.question, asked.with_payload)
        if key not in self._answers:
            self._answers[key] = answer()
        found: T = self._answers[key]
        return found

    @cached_property
    def horizon(self) -> datetime:
        """How far back the newest tasks are looked through while the feed says "many"."""
        return horizon(LOOK_BACK)

    def strip(self, look: Look) -> str:
        """The status strip as HTML. Must run inside the look."""
        if look not in self._strips:
            self._strips[look] = render(look, "status_strip.html", status=self.status(look.visibility))
        return self._strips[look]
